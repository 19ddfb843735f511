#!/usr/bin/env python3
"""Seconds of one run alone and beside other processes that want the cores, for each way in which threads can wait.

    make
    bench/beside_others.py [--ours build/src/cli/sextant] [--others 0,1,2,4] [--runs 3]

The run draws 4 digits in 200 guided steps: thousands of short parallel regions. The fair share is the time alone, of
threads that spin, times (threads + others) / cores where that is more than 1: what a scheduler would give to threads
that never wait for each other. The ways take turns, so that a change of the machine's mood meets all of them; the table
has medians. On a machine that does other work the figures mean little.
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

WAYS = {
    "as sextant chooses": {},
    "spinning (libgomp's own)": {"GOMP_SPINCOUNT": "300000"},
    "GOMP_SPINCOUNT=1000": {"GOMP_SPINCOUNT": "1000"},
    "GOMP_SPINCOUNT=100": {"GOMP_SPINCOUNT": "100"},
    "OMP_WAIT_POLICY=passive": {"OMP_WAIT_POLICY": "passive"},
}

root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--ours", default="build/src/cli/sextant")
parser.add_argument("--others", default="0,1,2,4", help="how many other processes")
parser.add_argument("--runs", type=int, default=3)
parser.add_argument("--threads", type=int, default=os.cpu_count())
parser.add_argument("--steps", default="200")
arguments = parser.parse_args()

plain = {name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}


def seconds(way, folder):
    out = os.path.join(folder, "out")
    shutil.rmtree(out, ignore_errors=True)
    command = [arguments.ours, "sample", "--model", f"{root}/models/mnist-adm", "--classifier",
               f"{root}/models/mnist-classifier", "--labels", "0-3", "--count", "4", "--batch", "4", "--sampler", "ddpm",
               "--steps", arguments.steps, "--threads", str(arguments.threads), "--out", out, "--quiet"]
    start = time.perf_counter()
    subprocess.run(command, check=True, env={**plain, **WAYS[way]}, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def beside(others, folder):
    hogs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(others)]
    try:
        times = {way: [] for way in WAYS}
        for _ in range(arguments.runs):
            for way in WAYS:
                times[way].append(seconds(way, folder))
        return {way: statistics.median(values) for way, values in times.items()}
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


with tempfile.TemporaryDirectory() as folder:
    seconds("as sextant chooses", folder)  # reads the files into memory
    alone = None
    print("| others | fair share | " + " | ".join(WAYS) + " |")
    print("| ---: | ---: |" + " ---: |" * len(WAYS), flush=True)
    for others in sorted({0, *map(int, arguments.others.split(","))}):
        times = beside(others, folder)
        alone = alone or times["spinning (libgomp's own)"]
        fair = alone * max(1, (arguments.threads + others) / len(os.sched_getaffinity(0)))
        cells = [f"{times[way]:.2f} ({times[way] / fair:.2f})" for way in WAYS]
        print(f"| {others} | {fair:.2f} s | " + " | ".join(cells) + " |", flush=True)
