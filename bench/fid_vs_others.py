#!/usr/bin/env python3
"""FIDs and their seconds beside pytorch-fid, clean-fid and torch-fidelity, on the same images.

    pip install pytorch-fid clean-fid torch-fidelity
    bench/fid_vs_others.py [--peers PYTHON] [--images 64] [--threads N]

Inception's weights are random ones, written once as a file that every tool reads, and the images random smooth ones.
The tools may live in another environment than sextant: --peers names its Python. Each tool runs in a process of its own
and is timed from the images in a folder to the number, imports left out: seconds of the processor, which other work on
the machine does not lengthen much.
"""

import argparse
import json
import subprocess
import sys
import tempfile

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--peers", default=sys.executable, help="the Python that has the other tools")
parser.add_argument("--images", type=int, default=64)
parser.add_argument("--size", type=int, default=64)
parser.add_argument("--threads", type=int, default=1)
arguments = parser.parse_args()

START = """
import json, pathlib, sys, time, torch
folder, threads = pathlib.Path(sys.argv[1]), int(sys.argv[2])
torch.set_num_threads(threads)
weights, a, b = str(folder / "pt_inception-2015-12-05-6726825d.pth"), str(folder / "a"), str(folder / "b")
def told(work):
    start = time.process_time()
    number = float(work())
    print(json.dumps([number, time.process_time() - start, torch.__version__]))
"""
MAKE = """
import numpy
from PIL import Image
from pytorch_fid import inception
torch.manual_seed(0)
inception.load_state_dict_from_url = lambda *a, **k: {}
torch.nn.Module.load_state_dict = lambda *a, **k: None
network = inception.fid_inception_v3()
for module in network.modules():
    if isinstance(module, torch.nn.Conv2d):
        torch.nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
torch.save(network.state_dict(), weights)
count, size = int(sys.argv[3]), int(sys.argv[4])
for name, sharpness in ((a, 8), (b, 10)):
    pathlib.Path(name).mkdir()
    coarse = torch.rand(count, 3, sharpness, sharpness)
    fine = torch.nn.functional.interpolate(coarse, size=(size, size), mode="bicubic").clamp(0, 1)
    for i, image in enumerate((fine * 255).byte().permute(0, 2, 3, 1).numpy()):
        Image.fromarray(image).save(pathlib.Path(name) / f"{i:04d}.png")
print("null")
"""
TOOLS = {
    "pytorch-fid": """
from pytorch_fid import fid_score, inception
inception.load_state_dict_from_url = lambda *a, **k: torch.load(weights)
told(lambda: fid_score.calculate_fid_given_paths([a, b], 32, "cpu", 2048, 0))
""",
    "clean-fid, clean": """
from cleanfid import features, fid, inception_pytorch
inception_pytorch.load_state_dict_from_url = lambda *a, **k: torch.load(weights)
class Published(torch.nn.Module):  # in place of the TorchScript file that is downloaded
    def __init__(self, path, download=True, resize_inside=False):
        super().__init__()
        self.network = inception_pytorch.InceptionV3(resize_input=False, normalize_input=False).eval()
    def forward(self, x):
        return self.network((x - 128) / 128)[0].flatten(1)
features.InceptionV3W = Published
told(lambda: fid.compute_fid(a, b, num_workers=0, batch_size=32, device=torch.device("cpu"), verbose=False,
                             use_dataparallel=False))
""",
    "clean-fid, legacy_pytorch": """
from cleanfid import fid, inception_pytorch
inception_pytorch.load_state_dict_from_url = lambda *a, **k: torch.load(weights)
told(lambda: fid.compute_fid(a, b, mode="legacy_pytorch", num_workers=0, batch_size=32, device=torch.device("cpu"),
                             verbose=False, use_dataparallel=False))
""",
    "torch-fidelity": """
import torch_fidelity
told(lambda: torch_fidelity.calculate_metrics(input1=a, input2=b, fid=True, cuda=False, batch_size=32, cache=False,
     feature_extractor_weights_path=weights, verbose=False, samples_find_deep=False)["frechet_inception_distance"])
""",
}
OURS = {
    "pytorch-fid": "told(lambda: metrics.calculate_fid_given_paths([a, b], 32, features=weights))",
    "clean-fid, clean": "told(lambda: metrics.compute_fid(a, b, features=weights))",
    "clean-fid, legacy_pytorch": "told(lambda: metrics.compute_fid(a, b, mode='legacy_pytorch', features=weights))",
    "torch-fidelity": "told(lambda: metrics.calculate_metrics(input1=a, input2=b, fid=True, batch_size=32, "
    "feature_extractor_weights_path=weights)['frechet_inception_distance'])",
}


def run(python, program, folder):
    words = [python, "-W", "ignore", "-c", START + program, folder, str(arguments.threads), str(arguments.images),
             str(arguments.size)]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.strip().splitlines()[-1])


with tempfile.TemporaryDirectory() as folder:
    run(arguments.peers, MAKE, folder)
    print("| tool | its FID | ours | differs by | its seconds | ours | ratio |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for tool, program in TOOLS.items():
        theirs = run(arguments.peers, program, folder)
        ours = run(sys.executable, "from sextant import metrics\n" + OURS[tool], folder)
        print(f"| {tool} (PyTorch {theirs[2]}, ours {ours[2]}) | {theirs[0]:.6g} | {ours[0]:.6g} | "
              f"{abs(ours[0] / theirs[0] - 1):.1e} | {theirs[1]:.1f} | {ours[1]:.1f} | {theirs[1] / ours[1]:.2f} |",
              flush=True)  # fmt: skip
