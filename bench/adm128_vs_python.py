#!/usr/bin/env python3
"""Seconds of one guided step of the ImageNet-128 ADM with ResNet-101, ours and a Python program's, in turns.

    cmake --preset bench && cmake --build --preset bench
    bench/adm128_vs_python.py --peer 'venv/bin/python adm128.py --ref EluCD/DDPM'

--peer is any command that takes --method, --dtype, --batch, --threads, --runs, --device, --channels-last and --compile
and prints one line of JSON with seconds_per_step; --dtype bf16 is autocast there. Every way of the peer, eager, compiled
and each with channels_last, is compared with ours in the same precision. Prints medians and ratios (theirs / ours).
"""
import argparse
import json
import shlex
import statistics
import subprocess

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--peer", required=True)
parser.add_argument("--ours", default="build-bench/bench/adm128_step")
parser.add_argument("--pairs", type=int, default=3)
parser.add_argument("--runs", default="3", help="steps of each program after its warm-up, of which it takes the median")
parser.add_argument("--method", default="js")
parser.add_argument("--precisions", default="fp32,bf16")
parser.add_argument("--batches", default="1")
parser.add_argument("--threads", default="2")
parser.add_argument("--device", default="cpu")
arguments = parser.parse_args()

WAYS = {
    "eager": [],
    "eager, channels_last": ["--channels-last"],
    "compiled": ["--compile"],
    "compiled, channels_last": ["--compile", "--channels-last"],
}


def seconds(command):
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads([line for line in output.splitlines() if line.startswith("{")][-1])["seconds_per_step"]


for batch in arguments.batches.split(","):
    for precision in arguments.precisions.split(","):
        shared = ["--method", arguments.method, "--batch", batch, "--threads", arguments.threads, "--runs",
                  arguments.runs, "--device", arguments.device]
        ours, theirs = [], {way: [] for way in WAYS}
        for _ in range(arguments.pairs):
            ours.append(seconds([*shlex.split(arguments.ours), *shared, "--precision", precision]))
            for way, flags in WAYS.items():
                theirs[way].append(seconds([*shlex.split(arguments.peer), *shared, "--dtype", precision, *flags]))
        mine = statistics.median(ours)
        print(f"batch {batch}, {precision}: ours {mine:.3f} s", flush=True)
        for way, times in theirs.items():
            median = statistics.median(times)
            print(f"    {way:24} {median:8.3f} s, {median / mine:5.2f} times ours", flush=True)
