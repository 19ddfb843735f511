#!/usr/bin/env python3
"""Computes three attributes of digits 28x28: has a loop, is thick, leans right.

    scripts/mnist-attributes.py IMAGES OUT.csv     writes a line of 1 and 0 an image, for `sextant train --attributes`
    scripts/mnist-attributes.py IMAGES             prints the share of the images that have each
    scripts/mnist-attributes.py IMAGES loop=1,thick=0   prints the share that have what is asked, all of it

IMAGES is an IDX file, gzipped or not, or a samples.npz. The definitions, with grey levels g in [0, 1]:

* loop: where g < 0.5 there is a piece of at least 2 pixels, connected along sides, that does not reach the edge;
* thick: the mean width of the stroke, 2 sum g / sum |grad g|, is at least 2.6 pixels;
* right: the shear -mu_xy / mu_yy of the ink, columns a row upwards, is at least 0.1.

Widths and shears have their medians over the training images about there. Needs numpy.
"""
import gzip
import math
import struct
import sys

import numpy as np

WIDTH, SHEAR, SMALLEST_LOOP = 2.6, 0.1, 2
NAMES = ("loop", "thick", "right")


def read(path):
    if path.endswith(".npz"):
        return np.load(path)["arr_0"].reshape(-1, 28, 28) / 255.0
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
        magic, count, rows, columns = struct.unpack(">IIII", file.read(16))
        if magic != 2051:
            sys.exit(f"{path}: is no IDX file of images")
        return np.frombuffer(file.read(), np.uint8).reshape(count, rows, columns) / 255.0


def loops(g):
    """Background that the edge does not reach, flooded in all images at once."""
    free = np.pad(g < 0.5, ((0, 0), (1, 1), (1, 1)), constant_values=True)
    reached = np.zeros_like(free)
    reached[:, 0] = reached[:, -1] = True
    reached[:, :, 0] = reached[:, :, -1] = True
    while True:
        grown = reached.copy()
        grown[:, 1:] |= reached[:, :-1]
        grown[:, :-1] |= reached[:, 1:]
        grown[:, :, 1:] |= reached[:, :, :-1]
        grown[:, :, :-1] |= reached[:, :, 1:]
        grown &= free
        if (grown == reached).all():
            break
        reached = grown
    inside = free & ~reached
    beside = np.zeros_like(inside)  # pixels that have another one of the loop along a side
    beside[:, 1:] |= inside[:, :-1]
    beside[:, :-1] |= inside[:, 1:]
    beside[:, :, 1:] |= inside[:, :, :-1]
    beside[:, :, :-1] |= inside[:, :, 1:]
    return (inside & beside).sum((1, 2)) >= SMALLEST_LOOP


def widths(g):
    down, right = np.gradient(g, axis=(1, 2))
    return 2 * g.sum((1, 2)) / np.maximum(np.hypot(down, right).sum((1, 2)), 1e-9)


def shears(g):
    y, x = np.mgrid[0:28, 0:28]
    ink = np.maximum(g.sum((1, 2)), 1e-9)
    mean_x, mean_y = (g * x).sum((1, 2)) / ink, (g * y).sum((1, 2)) / ink
    dx, dy = x - mean_x[:, None, None], y - mean_y[:, None, None]
    return -(g * dx * dy).sum((1, 2)) / np.maximum((g * dy * dy).sum((1, 2)), 1e-9)


def print_asked(answers, asked):
    """The share that have all of "loop=1,thick=0", with Wilson's 95 % interval."""
    wanted = dict(part.split("=", 1) for part in asked.split(","))
    if not set(wanted) <= set(NAMES) or not set(wanted.values()) <= {"0", "1"}:
        sys.exit(f"{asked}: expected 1 or 0 for each of {', '.join(NAMES)}, such as loop=1,thick=0")
    fits = np.all([answers[:, NAMES.index(name)] == int(value) for name, value in wanted.items()], 0)
    n, k, z = len(fits), int(fits.sum()), 1.959964
    middle = (k / n + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(k / n * (1 - k / n) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    print(f"{k} of {n} images: {100 * k / n:.1f} % [{100 * (middle - half):.1f}, {100 * (middle + half):.1f}]")


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    g = read(sys.argv[1])
    answers = np.stack([loops(g), widths(g) >= WIDTH, shears(g) >= SHEAR], 1).astype(int)
    if len(sys.argv) == 3 and "=" in sys.argv[2]:
        return print_asked(answers, sys.argv[2])
    if len(sys.argv) == 3:
        np.savetxt(sys.argv[2], answers, "%d", ",", header=",".join(NAMES), comments="")
    for name, share in zip(NAMES, answers.mean(0)):
        print(f"{name}: {100 * share:.1f} %")


if __name__ == "__main__":
    main()
