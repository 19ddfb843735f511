#!/usr/bin/env python3
"""Seconds of our metrics against numpy and scipy, on the same numbers and cores, in turns.

    cmake --preset bench && cmake --build --preset bench
    python3 -m venv venv && venv/bin/pip install numpy scipy threadpoolctl
    venv/bin/python bench/metrics_vs_numpy.py

The Frechet distance is pytorch-fid's formulation (scipy.linalg.sqrtm of the product of the covariances), precision and
recall OpenAI's (float32 distances by a matrix product, three nearest neighbours) in blocks of 1000 rows, so that memory
is bounded as ours is; KID is torch-fidelity's (polynomial kernel, subsets drawn by numpy's RandomState). Where
scikit-learn and torch-fidelity are installed, its neighbours and its own KID are timed too. Prints both results, both
medians, the ratio, and which BLAS numpy has: pip's brings OpenBLAS, Debian's takes what is installed.
"""
import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import tempfile
import time

import numpy
import scipy.linalg
import threadpoolctl

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--ours", default="build-bench/bench/metrics_bench")
parser.add_argument("--dimensions", type=int, default=2048)
parser.add_argument("--samples", type=int, default=10000, help="behind each covariance")
parser.add_argument("--points", default="2000,10000", help="of each set for precision and recall")
parser.add_argument("--subsets", type=int, default=20, help="of 1000 features each, for KID; 0 leaves it out")
parser.add_argument("--runs", type=int, default=3)
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
    root = scipy.linalg.sqrtm(sigma1.dot(sigma2)).real
    return (mu1 - mu2).dot(mu1 - mu2) + numpy.trace(sigma1) + numpy.trace(sigma2) - 2 * numpy.trace(root)


def squared_distances(x, y):
    return (x * x).sum(1)[:, None] - 2 * x @ y.T + (y * y).sum(1)[None]


def precision_recall(reference, sample, block=1000):
    def blocks(x):
        return (slice(start, start + block) for start in range(0, len(x), block))

    radius = [numpy.concatenate([numpy.partition(squared_distances(x[rows], x), 3, axis=1)[:, 3] for rows in blocks(x)])
              for x in (reference, sample)]
    in_reference = numpy.zeros(len(sample), bool)
    in_sample = []
    for rows in blocks(reference):
        between = squared_distances(reference[rows], sample)
        in_reference |= (between <= radius[0][rows, None]).any(0)
        in_sample.append((between <= radius[1][None]).any(1))
    return [float(in_reference.mean()), float(numpy.concatenate(in_sample).mean())]


def kernel(x, y):
    return (x @ y.T / x.shape[1] + 1) ** 3


def kid(reference, sample, size=1000):
    random = numpy.random.RandomState(2020)
    values = []
    for _ in range(arguments.subsets):
        x = reference[random.choice(len(reference), size, replace=False)]
        y = sample[random.choice(len(sample), size, replace=False)]
        xx, yy, xy = kernel(x, x), kernel(y, y), kernel(x, y)
        within = (xx.sum() - numpy.trace(xx) + yy.sum() - numpy.trace(yy)) / (size * (size - 1))
        values.append(within - 2 * xy.sum() / size**2)
    return float(numpy.mean(values))


def precision_recall_of_scikit_learn(reference, sample):
    from sklearn.metrics import pairwise_distances_chunked
    from sklearn.neighbors import NearestNeighbors

    radius = [NearestNeighbors(n_neighbors=4, algorithm="brute").fit(x).kneighbors(x)[0][:, 3]
              for x in (reference, sample)]
    in_reference = numpy.zeros(len(sample), bool)
    in_sample, first = [], 0
    for between in pairwise_distances_chunked(reference, sample):
        last = first + len(between)
        in_reference |= (between <= radius[0][first:last, None]).any(0)
        in_sample.append((between <= radius[1][None]).any(1))
        first = last
    return [float(in_reference.mean()), float(numpy.concatenate(in_sample).mean())]


def kid_of_torch_fidelity(reference, sample):
    import torch
    from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, kid_features_to_metric

    return kid_features_to_metric(torch.from_numpy(reference), torch.from_numpy(sample), kid_subsets=arguments.subsets,
                                  kid_subset_size=1000, rng_seed=2020, verbose=False)[KEY_METRIC_KID_MEAN]


def installed(module):
    return importlib.util.find_spec(module) is not None


def compare(name, metric, function, arrays, folder, extra=()):
    paths = [os.path.join(folder, f"{metric}{i}.npz") for i in (1, 2)]
    for path, values in zip(paths, arrays):
        numpy.savez(path, **values)
    ours, theirs = [], []
    for _ in range(arguments.runs):
        ours.append(json.loads(subprocess.run([arguments.ours, metric, *paths, str(arguments.threads), "1", *extra],
                                              check=True, capture_output=True, text=True).stdout))
        start = time.perf_counter()
        value = function(*[array for values in arrays for array in values.values()])
        theirs.append(time.perf_counter() - start)
    mine = statistics.median(one["seconds"] for one in ours)
    print(f"{name}: ours {mine:.3f} s ({ours[0]['value']}, peak {ours[0]['peak_mib']} MiB), "
          f"theirs {statistics.median(theirs):.3f} s ({value}), ratio {statistics.median(theirs) / mine:.2f}", flush=True)


for library in threadpoolctl.threadpool_info():
    print(f"numpy and scipy: {library['internal_api']} {library['version']}, {library.get('architecture')} loops, "
          f"{library['num_threads']} threads")
threadpoolctl.threadpool_limits(arguments.threads)
with tempfile.TemporaryDirectory() as folder:
    sets = [features(seed, arguments.samples) for seed in (1, 2)]
    compare(f"frechet of {arguments.dimensions} dimensions", "frechet", frechet,
            [{"mu": x.mean(0), "sigma": numpy.cov(x, rowvar=False)} for x in sets], folder)
    sets = [x.astype(numpy.float32) for x in sets]
    for points in map(int, arguments.points.split(",")):
        for peer, function in {"numpy": precision_recall, "sklearn": precision_recall_of_scikit_learn}.items():
            if installed(peer):
                compare(f"precision and recall of {points} against {peer}", "manifold", function,
                        [{"features": x[:points]} for x in sets], folder)
    if arguments.subsets:
        for peer, function in {"numpy": kid, "torch_fidelity": kid_of_torch_fidelity}.items():
            if installed(peer):
                compare(f"KID of {arguments.subsets} subsets against {peer}", "kid", function,
                        [{"features": x} for x in sets], folder, [str(arguments.subsets)])
