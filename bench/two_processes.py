#!/usr/bin/env python3
"""Two processes of one thread each against one: images a second of one run, and of one training, once they run.

    bench/two_processes.py --data mnist

needs a quiet machine with two free cores (more processes: --processes, and as many cores). Draws digits of the bundled
model with guidance, then trains the bundled network on `--data` (MNIST's IDX files). Pairs of runs alternate; prints
each pair's ratio and the median. What a run costs before its steady state is left out: of drawing, a run of few images
is subtracted from one of many; of training, the first steps are not counted, nor are the start, the checkpoint at the
end and whatever else is no step. Where the machine does other work, --all-busy keeps that off the cores in both halves
of a pair alike.
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

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--program", default="build/src/cli/sextant")
parser.add_argument("--data", help="images to train on; without it nothing is trained")
parser.add_argument("--processes", type=int, default=2)
parser.add_argument("--pairs", type=int, default=3)
parser.add_argument("--images", type=int, default=256, help="to draw; 0 draws nothing")
parser.add_argument("--steps", type=int, default=16, help="of training, that are counted")
parser.add_argument("--warm-up", type=int, default=4, help="steps before them")
parser.add_argument("--batch", type=int, default=32, help="of training; 32 is the recipe's")
parser.add_argument("--all-busy", action="store_true",
                    help="training: the one process has copies of itself on the other cores")  # fmt: skip
arguments = parser.parse_args()
folder = pathlib.Path(tempfile.mkdtemp())


def started(processes, words):
    """The processes of one job."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = []
    for rank in range(processes):
        world = {"RANK": rank, "WORLD_SIZE": processes, "LOCAL_RANK": rank, "LOCAL_WORLD_SIZE": processes,
                 "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}  # fmt: skip
        environment = dict(os.environ, OMP_WAIT_POLICY="passive")
        if processes > 1:
            environment.update({name: str(value) for name, value in world.items()})
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} if "train" in words else {}
        running.append(subprocess.Popen([arguments.program, *words, "--quiet"], env=environment, **quiet))
    return running


def seconds(jobs):
    """On the clock, until the last process of the jobs, which start together, has ended."""
    start = time.monotonic()
    running = [process for job in jobs for process in started(*job)]
    if any([process.wait() != 0 for process in running]):
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
        spent.append(seconds([(processes, words)]))
        shutil.rmtree(out)
    return arguments.images / (spent[1] - spent[0])


def training(processes):
    """Images a second of the steps after the first ones, each as the run itself writes it down."""
    jobs, outs = [], []
    for copy in range(arguments.processes if arguments.all_busy and processes == 1 else 1):
        outs.append(folder / f"trained-{copy}")
        words = ["train", "--model", "models/mnist-adm", "--data", arguments.data, "--take-per-class", "50", "--steps",
                 str(arguments.warm_up + arguments.steps), "--batch", str(arguments.batch), "--checkpoint-every",
                 "100000", "--log-every", "1", "--threads", "1", "--out", str(outs[-1])]  # fmt: skip
        jobs.append((processes, words))
    seconds(jobs)
    rates = []
    for out in outs:
        lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
        rates.append(statistics.harmonic_mean([line["images_per_second"] for line in lines[arguments.warm_up :]]))
        shutil.rmtree(out)
    return statistics.mean(rates)


print(f"load before: {os.getloadavg()[0]:.2f}")
for name, measure in (("sample", drawing), ("train", training)):
    if not (arguments.data if measure is training else arguments.images):
        continue
    ratios = []
    for _ in range(arguments.pairs):
        one, several = measure(1), measure(arguments.processes)
        ratios.append(several / one)
        print(f"{name}: {several:.2f} images/s by {arguments.processes}, {one:.2f} by one, ratio {ratios[-1]:.3f}",
              flush=True)  # fmt: skip
    print(f"{name}: median {statistics.median(ratios):.3f}")
shutil.rmtree(folder)
