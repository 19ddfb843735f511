#!/usr/bin/env python3
"""Images per second of our Inception features against PyTorch's, on the same weights, images, libtorch and threads.

    cmake --preset bench && cmake --build --preset bench
    bench/inception_vs_python.py

needs python3-torch and python3-torchvision. The weights are random (speed does not depend on them) and the network is
torchvision's with the pooling of the Frechet inception distance, resized as pytorch-fid does. Alternating runs; prints the largest
difference of the features, the speeds, each pair's ratio and the median, and how far bfloat16 moves the Frechet distance.
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time

import numpy
import torch
import torch.nn.functional as F
import torchvision

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--ours", default="build-bench/bench/inception_features")
parser.add_argument("--images", type=int, default=64)
parser.add_argument("--batch", type=int, default=32)
parser.add_argument("--pairs", type=int, default=3)
parser.add_argument("--threads", type=int, default=os.cpu_count())
arguments = parser.parse_args()

torch.set_num_threads(arguments.threads)
torch.manual_seed(0)
average_pool = F.avg_pool2d
take_maximum = False


def pool(x, kernel_size, stride=None, padding=0):
    if take_maximum:
        return F.max_pool2d(x, kernel_size, stride, padding)
    return average_pool(x, kernel_size, stride, padding, count_include_pad=False)


F.avg_pool2d = pool
network = torchvision.models.Inception3(num_classes=1008, aux_logits=False, init_weights=False).eval()
for module in network.modules():
    if isinstance(module, torch.nn.Conv2d):
        torch.nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")


def use_maximum(on):
    global take_maximum
    take_maximum = on


network.Mixed_7c.register_forward_pre_hook(lambda *_: use_maximum(True))
network.Mixed_7c.register_forward_hook(lambda *_: use_maximum(False))
pooled = []
network.avgpool.register_forward_hook(lambda module, inputs, output: pooled.append(output.flatten(1).float()))


def theirs(images, dtype):
    """Features and images per second of one pass."""
    model = network.to(dtype)
    pooled.clear()
    start = time.perf_counter()
    with torch.no_grad():
        for part in torch.from_numpy(images).permute(0, 3, 1, 2).split(arguments.batch):
            x = F.interpolate(part.float() / 255, size=(299, 299), mode="bilinear", align_corners=False)
            model((2 * x - 1).to(dtype))
    return torch.cat(pooled).numpy(), len(images) / (time.perf_counter() - start)


def frechet(a, b):
    """By the singular values of the centred features: exact for fewer samples than dimensions."""
    (mu_a, a), (mu_b, b) = [(x.mean(0), (x - x.mean(0)) / (len(x) - 1) ** 0.5) for x in (a, b)]
    cross = numpy.linalg.svd(a @ b.T, compute_uv=False).sum()
    return ((mu_a - mu_b) ** 2).sum() + (a * a).sum() + (b * b).sum() - 2 * cross


with tempfile.TemporaryDirectory() as folder:
    weights, samples, out = [os.path.join(folder, name) for name in ("weights.pth", "images.npz", "features.npz")]
    torch.save(network.state_dict(), weights)
    random = numpy.random.default_rng(0)
    coarse = random.integers(0, 256, (arguments.images, 16, 16, 3))
    images = coarse.repeat(16, 1).repeat(16, 2).astype(numpy.uint8)
    numpy.savez(samples, arr_0=images)

    def ours(precision):
        command = [arguments.ours, weights, samples, out, precision, str(arguments.threads), str(arguments.batch), "1"]
        result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        return numpy.load(out)["features"].astype(numpy.float64), result["images_per_s"]

    features = {}
    for precision, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        theirs(images[: arguments.batch], dtype)
        speeds = []
        for _ in range(arguments.pairs):
            features[precision], our_speed = ours(precision)
            reference, their_speed = theirs(images, dtype)
            speeds.append((our_speed, their_speed))
        network.to(torch.float32).load_state_dict(torch.load(weights))
        difference = numpy.abs(features[precision] - reference).max() / numpy.abs(reference).max()
        ratios = [a / b for a, b in speeds]
        print(f"{precision}: {speeds[-1][0]:.1f} against {speeds[-1][1]:.1f} images/s, ratios "
              f"{', '.join(f'{r:.2f}' for r in ratios)}, median {statistics.median(ratios):.2f}; "
              f"features differ by {difference:.1e} of the largest", flush=True)
    half = len(images) // 2
    a, b = features["fp32"][:half], features["fp32"][half:]
    exact, moved = frechet(a, b), frechet(features["bf16"][:half], b)
    print(f"distance of one half of the images to the other: {exact:.6g} with fp32 features, {moved:.6g} with one half in bf16 "
          f"({100 * (moved / exact - 1):+.2f} %)")
