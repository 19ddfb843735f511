#!/usr/bin/env python3
"""Images per second of training the MNIST diffusion model of models/mnist-adm: sextant against a Python loop over
openai/guided-diffusion's network, on the same libtorch and threads, in alternating runs.

    bench/training_vs_python.py --sextant build/src/cli/sextant --reference GUIDED-DIFFUSION --data MNIST

The Python loop is plain PyTorch: GaussianDiffusion.training_losses, Adam, gradient clipping, a moving average, and for
bf16 torch.autocast. Prints the ratio (ours / theirs) of each pair and its median.
"""
import argparse
import gzip
import json
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--sextant", default="build/src/cli/sextant")
parser.add_argument("--reference", required=True, help="checkout of openai/guided-diffusion")
parser.add_argument("--data", required=True, help="folder with train-images-idx3-ubyte.gz and its labels")
parser.add_argument("--python", default=sys.executable, help="a Python with PyTorch")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--batch", type=int, default=32)
parser.add_argument("--steps", type=int, default=40)
parser.add_argument("--pairs", type=int, default=3)
parser.add_argument("--precisions", default="fp32,bf16")
parser.add_argument("--peer-run", help=argparse.SUPPRESS)  # the precision of one run of the Python loop
arguments = parser.parse_args()

WARM_UP = 5  # steps that are not counted


def read_idx(name):
    with gzip.open(os.path.join(arguments.data, name)) as file:
        raw = file.read()
    dimensions = raw[3]
    shape = struct.unpack(">" + "I" * dimensions, raw[4:4 + 4 * dimensions])
    import torch
    return torch.frombuffer(bytearray(raw[4 + 4 * dimensions:]), dtype=torch.uint8).view(shape)


def python_loop(precision):
    sys.path.insert(0, arguments.reference)
    import torch
    from guided_diffusion import gaussian_diffusion as gd
    from guided_diffusion.respace import SpacedDiffusion, space_timesteps
    from guided_diffusion import unet
    from guided_diffusion.unet import UNetModel

    # Attention is kept, not computed again in the backward pass: that runs outside autocast and fails in bf16.
    unet.checkpoint = lambda function, inputs, parameters, flag: function(*inputs)
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    with open("models/mnist-adm/config.json") as file:
        model = json.load(file)["model"]
    network = UNetModel(**{key: tuple(value) if isinstance(value, list) else value for key, value in model.items()})
    diffusion = SpacedDiffusion(
        use_timesteps=space_timesteps(1000, [1000]), betas=gd.get_named_beta_schedule("cosine", 1000),
        model_mean_type=gd.ModelMeanType.EPSILON, model_var_type=gd.ModelVarType.LEARNED_RANGE,
        loss_type=gd.LossType.RESCALED_MSE, rescale_timesteps=False)
    images = read_idx("train-images-idx3-ubyte.gz")
    labels = read_idx("train-labels-idx1-ubyte.gz").long()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)
    average = [parameter.detach().clone() for parameter in network.parameters()]

    def forward(x, t, **condition):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
            return network(x, t, **condition).float()

    start = 0.0
    for step in range(arguments.steps + WARM_UP):
        if step == WARM_UP:
            start = time.perf_counter()
        rows = torch.randint(len(images), (arguments.batch,))
        x = images[rows].float().div(127.5).sub(1).unsqueeze(1)
        t = torch.randint(1000, (arguments.batch,))
        loss = diffusion.training_losses(forward, x, t, model_kwargs={"y": labels[rows]})["loss"].mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            for mean, parameter in zip(average, network.parameters()):
                mean.lerp_(parameter, 0.001)
    print(arguments.steps * arguments.batch / (time.perf_counter() - start))


def ours(precision):
    with tempfile.TemporaryDirectory() as out:
        subprocess.run([arguments.sextant, "train", "--model", "models/mnist-adm", "--data", arguments.data, "--optimizer",
                        "adam", "--lr", "1e-4", "--clip", "1", "--ema", "0.999", "--batch", str(arguments.batch), "--steps",
                        str(arguments.steps + WARM_UP), "--log-every", "1", "--checkpoint-every", "1000000", "--precision",
                        precision, "--threads", str(arguments.threads), "--workers", "1", "--quiet", "--out", out],
                       check=True, capture_output=True)
        with open(os.path.join(out, "metrics.jsonl")) as file:
            rates = [json.loads(line)["images_per_second"] for line in file][WARM_UP:]
    return len(rates) / sum(1 / rate for rate in rates)


def theirs(precision):
    words = [arguments.python, __file__, "--peer-run", precision, "--reference", arguments.reference, "--data", arguments.data,
             "--threads", str(arguments.threads), "--batch", str(arguments.batch), "--steps", str(arguments.steps)]
    return float(subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()[-1])


if arguments.peer_run:
    python_loop(arguments.peer_run)
    sys.exit()
for precision in arguments.precisions.split(","):
    ratios = []
    for _ in range(arguments.pairs):
        mine, peer = ours(precision), theirs(precision)
        ratios.append(mine / peer)
    print(f"training {precision} batch {arguments.batch}, {arguments.threads} threads: last {mine:.1f} against {peer:.1f} "
          f"images/s, ratios {', '.join(f'{ratio:.2f}' for ratio in ratios)}, median {statistics.median(ratios):.2f}")
