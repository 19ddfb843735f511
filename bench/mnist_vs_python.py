#!/usr/bin/env python3
"""Images per second of our guided loop against a Python one, in alternating runs of the same work.

    cmake --preset bench && cmake --build --preset bench
    bench/mnist_vs_python.py --peer 'python3 elucd_mnist.py --ref EluCD/DDPM'

--peer is any command that takes --method, --dtype, --batch, --steps, --threads and --runs and prints one line of JSON with
image_steps_per_s; ours is build-bench/bench/guided_sampling. Prints the ratio (ours / theirs) of each pair and its median.
"""
import argparse
import json
import shlex
import statistics
import subprocess

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--peer", required=True)
parser.add_argument("--ours", default="build-bench/bench/guided_sampling")
parser.add_argument("--pairs", type=int, default=3)
parser.add_argument("--threads", default="2")
parser.add_argument("--cases", default="none:fp32:64,plain:fp32:64,js:fp32:64,js:bf16:64,js:fp32:1")
parser.add_argument("--steps", default="10")
arguments = parser.parse_args()


def speed(command):
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(output.strip().splitlines()[-1])["image_steps_per_s"]


for case in arguments.cases.split(","):
    method, precision, batch = case.split(":")
    shared = ["--method", method, "--batch", batch, "--steps", arguments.steps, "--threads", arguments.threads, "--runs", "1"]
    peer = [*shared[:1], {"plain": "logp"}.get(method, method), *shared[2:]]
    ratios = []
    for _ in range(arguments.pairs):
        ours = speed([*shlex.split(arguments.ours), *shared, "--precision", precision])
        theirs = speed([*shlex.split(arguments.peer), *peer, "--dtype", precision])
        ratios.append(ours / theirs)
    print(f"{method:6} {precision} batch {batch:>3}: last {ours:8.1f} against {theirs:8.1f} image-steps/s, "
          f"ratios {', '.join(f'{r:.2f}' for r in ratios)}, median {statistics.median(ratios):.2f}")
