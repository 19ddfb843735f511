#!/usr/bin/env python3
"""Seconds of our Frechet distance and precision/recall against numpy and scipy, on the same numbers and cores, one after the other.

    cmake --preset bench && cmake --build --preset bench
    bench/frechet_vs_scipy.py [--dimensions 2048] [--samples 10000] [--points 2000]

The Frechet distance is pytorch-fid's formulation (scipy.linalg.sqrtm of the product of the covariances), precision and recall
OpenAI's (float32 distances by a matrix product, three nearest neighbours). Prints both results, both times and the ratio.
"""
import argparse
import json
import os
import subprocess
import tempfile
import time

import numpy
import scipy.linalg

parser = argparse.ArgumentParser()
parser.add_argument("--ours", default="build-bench/bench/metrics_bench")
parser.add_argument("--dimensions", type=int, default=2048)
parser.add_argument("--samples", type=int, default=10000, help="behind each covariance")
parser.add_argument("--points", type=int, default=2000, help="of each set for precision and recall; 0 leaves them out")
parser.add_argument("--threads", type=int, default=os.cpu_count())
arguments = parser.parse_args()


def features(seed, count):
    """Correlated, non-negative and with a spectrum that falls over five decades, as Inception's are."""
    random = numpy.random.default_rng(seed)
    d = arguments.dimensions
    scale = numpy.logspace(0, -2.5, d)
    mix = numpy.random.default_rng(0).standard_normal((d, d)) / d**0.5
    return numpy.abs((random.standard_normal((count, d)) * scale) @ mix + 0.02 * seed)


def frechet(mu1, sigma1, mu2, sigma2):
    root = scipy.linalg.sqrtm(sigma1.dot(sigma2), disp=False)[0].real
    return (mu1 - mu2).dot(mu1 - mu2) + numpy.trace(sigma1) + numpy.trace(sigma2) - 2 * numpy.trace(root)


def squared_distances(x, y):
    return (x * x).sum(1)[:, None] - 2 * x @ y.T + (y * y).sum(1)[None]


def precision_recall(reference, sample):
    radius = [numpy.partition(squared_distances(x, x), 3, axis=1)[:, 3] for x in (reference, sample)]
    between = squared_distances(reference, sample)
    return [float((between <= radius[0][:, None]).any(0).mean()), float((between <= radius[1][None]).any(1).mean())]


def compare(name, metric, function, arrays, folder):
    paths = [os.path.join(folder, f"{name}{i}.npz") for i in (1, 2)]
    for path, values in zip(paths, arrays):
        numpy.savez(path, **values)
    ours = json.loads(subprocess.run([arguments.ours, metric, *paths, str(arguments.threads)], check=True,
                                     capture_output=True, text=True).stdout)
    start = time.perf_counter()
    value = function(*[array for values in arrays for array in values.values()])
    seconds = time.perf_counter() - start
    print(f"{name}: ours {ours['seconds']:.2f} s ({ours['value']}, peak {ours['peak_mib']} MiB), "
          f"numpy {seconds:.2f} s ({value}), ratio {seconds / ours['seconds']:.1f}", flush=True)


with tempfile.TemporaryDirectory() as folder:
    sets = [features(seed, arguments.samples) for seed in (1, 2)]
    compare("frechet", "frechet", frechet,
            [{"mu": x.mean(0), "sigma": numpy.cov(x, rowvar=False)} for x in sets], folder)
    if arguments.points:
        compare("precision and recall", "manifold", precision_recall,
                [{"features": x[:arguments.points].astype(numpy.float32)} for x in sets], folder)
