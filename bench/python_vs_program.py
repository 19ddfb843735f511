#!/usr/bin/env python3
"""What Python costs: guided steps driven from Python against the same loop of a C++ program, and two threads at once.

    cmake --preset bench && cmake --build --preset bench --target guided_sampling
    PYTHONPATH=build/python bench/python_vs_program.py

Both draw digits of the bundled model at batch 1 with one thread, Jensen-Shannon's score, in alternating runs of several
draws; what counts is the fastest draw of a run, since other work on the machine only ever lengthens one. Then an observer
in Python hears every step. The last figure is the time on the clock of two draws one after the other over that of two
threads of Python that draw at once, one thread of the library each; it needs two free cores. Prints each pair's ratio,
the median, and the ratio of the fastest draws of all.
"""

import argparse
import json
import statistics
import subprocess
import threading
import time

import torch

import sextant
from sextant import samplers

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--ours", default="build-bench/bench/guided_sampling", help="the C++ program")
parser.add_argument("--steps", type=int, default=25)
parser.add_argument("--batch", type=int, default=1)
parser.add_argument("--pairs", type=int, default=10)
parser.add_argument("--draws", type=int, default=5, help="of a run")
arguments = parser.parse_args()

torch.set_num_threads(1)
model = sextant.open_denoiser("models/mnist-adm")
labels = torch.arange(arguments.batch) % 10


def guide():
    classifier = sextant.open_classifier("models/mnist-classifier", softplus_beta=3)
    return sextant.Guide(classifier, "js", marginal_temperature=0.5)


def draw(steered, observe=None):
    start = time.perf_counter()
    samplers.draw(model, labels, guide=steered, steps=arguments.steps, observe=observe)
    return time.perf_counter() - start


def from_python(steered, observe=None):
    return min(draw(steered, observe) for _ in range(arguments.draws))


def from_program():
    command = [arguments.ours, "--method", "js", "--batch", str(arguments.batch), "--steps", str(arguments.steps),
               "--threads", "1", "--runs", str(arguments.draws)]  # fmt: skip
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["fastest"]


def ratios(name, pairs):
    values = [a / b for a, b in pairs]
    fastest = min(a for a, _ in pairs) / min(b for _, b in pairs)
    print(f"{name}: fastest {fastest:.3f}, median {statistics.median(values):.3f} of", *(f"{v:.3f}" for v in values))


steered = guide()
from_python(steered)
pairs = []
observed = []
for _ in range(arguments.pairs):
    program = from_program()
    pairs.append((from_python(steered), program))
    observed.append((from_python(steered, lambda step: step.guidance.score), program))
print(f"the program takes {1000 * min(program for _, program in pairs) / arguments.steps:.2f} ms a step")
ratios("a step from Python over one of the program", pairs)
ratios("the same with an observer in Python", observed)

two = [guide(), guide()]
pairs = []
for _ in range(arguments.pairs):
    one_after_the_other = sum(draw(steered) for steered in two)
    workers = [threading.Thread(target=draw, args=(steered,)) for steered in two]
    start = time.perf_counter()
    [worker.start() for worker in workers]
    [worker.join() for worker in workers]
    pairs.append((one_after_the_other, time.perf_counter() - start))
ratios("two draws one after the other over two threads at once", pairs)
