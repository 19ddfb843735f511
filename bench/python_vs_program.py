#!/usr/bin/env python3
"""What Python costs: guided steps driven from Python against the same loop of a C++ program, and two threads at once.

    cmake --preset bench && cmake --build --preset bench --target guided_sampling
    PYTHONPATH=build/python bench/python_vs_program.py

Both draw digits of the bundled model at batch 1 with one thread, Jensen-Shannon's score, in alternating runs; what
counts is seconds of the processor, which other work on the machine does not lengthen much. Then an observer in Python
hears every step. The last figure is the time on the clock of two draws one after the other over that of two threads of
Python that draw at once, one thread of the library each; it needs two free cores. Prints each pair's ratio and the
median.
"""

import argparse
import resource
import statistics
import subprocess
import threading
import time

import torch

import sextant
from sextant import samplers

parser = argparse.ArgumentParser()
parser.add_argument("--ours", default="build-bench/bench/guided_sampling", help="the C++ program")
parser.add_argument("--steps", type=int, default=100)
parser.add_argument("--batch", type=int, default=1)
parser.add_argument("--pairs", type=int, default=5)
arguments = parser.parse_args()

torch.set_num_threads(1)
model = sextant.open_denoiser("models/mnist-adm")
labels = torch.arange(arguments.batch) % 10


def guide():
    classifier = sextant.open_classifier("models/mnist-classifier", softplus_beta=3)
    return sextant.Guide(classifier, "js", marginal_temperature=0.5)


def from_python(steered, observe=None, clock=time.process_time):
    start = clock()
    samplers.draw(model, labels, guide=steered, steps=arguments.steps, observe=observe)
    return clock() - start


def from_program():
    """Of one draw: what three cost more than two, start and warm-up left out."""
    spent = []
    for runs in ("1", "2"):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [arguments.ours, "--method", "js", "--batch", str(arguments.batch), "--steps", str(arguments.steps),
                   "--threads", "1", "--runs", runs]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return spent[1] - spent[0]


def ratios(name, pairs):
    values = [a / b for a, b in pairs]
    print(f"{name}: median {statistics.median(values):.3f} of {', '.join(f'{value:.3f}' for value in values)}")


steered = guide()
from_python(steered)
pairs = []
observed = []
for _ in range(arguments.pairs):
    program = from_program()
    pairs.append((from_python(steered), program))
    observed.append((from_python(steered, lambda step: step.guidance.score), program))
per_step = statistics.median(program for _, program in pairs) / arguments.steps
print(f"the program takes {1000 * per_step:.2f} ms a step")
ratios("a step from Python over one of the program", pairs)
ratios("the same with an observer in Python", observed)

two = [guide(), guide()]
pairs = []
for _ in range(arguments.pairs):
    one_after_the_other = sum(from_python(steered, clock=time.perf_counter) for steered in two)
    workers = [threading.Thread(target=from_python, args=(steered,)) for steered in two]
    start = time.perf_counter()
    [worker.start() for worker in workers]
    [worker.join() for worker in workers]
    pairs.append((one_after_the_other, time.perf_counter() - start))
ratios("two draws one after the other over two threads at once", pairs)
