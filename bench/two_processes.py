#!/usr/bin/env python3
"""Two processes of one thread each against one: images a second of one run, and of one training.

    bench/two_processes.py --data mnist

needs a quiet machine with two free cores (more processes: --processes, and as many cores). Draws digits of the bundled
model with guidance, then trains the bundled network on `--data` (MNIST's IDX files). Pairs of runs alternate; prints
each pair's ratio and the median. What a run costs before its first image, the start of the program, is left out: a run
of few images is subtracted from one of many.
"""

import argparse
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

parser = argparse.ArgumentParser()
parser.add_argument("--program", default="build/src/cli/sextant")
parser.add_argument("--data", help="images to train on; without it nothing is trained")
parser.add_argument("--processes", type=int, default=2)
parser.add_argument("--pairs", type=int, default=3)
parser.add_argument("--images", type=int, default=256, help="to draw")
parser.add_argument("--steps", type=int, default=24, help="of training")
parser.add_argument("--batch", type=int, default=32, help="of training")
arguments = parser.parse_args()
folder = pathlib.Path(tempfile.mkdtemp())


def seconds(processes, words):
    """On the clock, until the last of the processes has ended."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = time.monotonic()
    running = []
    for rank in range(processes):
        world = {"RANK": rank, "WORLD_SIZE": processes, "LOCAL_RANK": rank, "LOCAL_WORLD_SIZE": processes,
                 "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}  # fmt: skip
        environment = dict(os.environ, OMP_WAIT_POLICY="passive")
        if processes > 1:
            environment.update({name: str(value) for name, value in world.items()})
        running.append(subprocess.Popen([arguments.program, *words, "--quiet"], env=environment))
    if any(process.wait() != 0 for process in running):
        raise SystemExit("a process failed")
    return time.monotonic() - start


def drawing(processes):
    """Images a second."""
    spent = []
    few = 16 * processes
    for count in (few, few + arguments.images):
        out = folder / "drawn"
        words = ["sample", "--model", "models/mnist-adm", "--classifier", "models/mnist-classifier", "--guidance", "js",
                 "--labels", "0-9", "--count", str(count), "--batch", "8", "--steps", "10", "--threads", "1",
                 "--out", str(out)]  # fmt: skip
        spent.append(seconds(processes, words))
        shutil.rmtree(out)
    return arguments.images / (spent[1] - spent[0])


def training(processes):
    """Images a second, as the run counts them: start and checkpoints left out."""
    out = folder / "trained"
    words = ["train", "--model", "models/mnist-adm", "--data", arguments.data, "--take-per-class", "50", "--steps",
             str(arguments.steps), "--batch", str(arguments.batch), "--checkpoint-every", "100000", "--threads", "1",
             "--out", str(out)]  # fmt: skip
    seconds(processes, words)
    rate = json.loads((out / "run.json").read_text())["images_per_second"]
    shutil.rmtree(out)
    return rate


print(f"load before: {os.getloadavg()[0]:.2f}")
for name, measure in (("sample", drawing), ("train", training)):
    if measure is training and not arguments.data:
        continue
    ratios = []
    for _ in range(arguments.pairs):
        one, several = measure(1), measure(arguments.processes)
        ratios.append(several / one)
        print(f"{name}: {several:.2f} images/s by {arguments.processes}, {one:.2f} by one, ratio {ratios[-1]:.3f}",
              flush=True)  # fmt: skip
    print(f"{name}: median {statistics.median(ratios):.3f}")
shutil.rmtree(folder)
