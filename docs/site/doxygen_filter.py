"""doxygen_filter.py HEADER: the header with its // paragraphs, which doxygen would not read, as its description."""

import itertools
import pathlib
import re
import sys


def prose(lines):
    """Paragraphs of // at the margin: what the file begins with, and those that stand alone."""
    block = []
    for line in [*lines, ""]:
        if re.match(r"//(?!/)", line):
            block.append(re.sub(r"^// ?", "", line))
        else:
            if block and not line.strip() or line.startswith("#pragma once"):
                yield [text for text in block if not text.startswith("---")]
            block = []


def laid_out(mark, lines):
    """Lines of a comment: what is indented, but below an item of a list, is code, which Markdown wants after an empty
    line and four blanks deep."""
    kept = item = False
    for text in lines:
        indented = text.startswith("  ") and not item
        if indented and not kept:
            yield mark
        kept = indented
        item = text.startswith("- ") or (item and text.startswith("  "))
        yield f"{mark} {'    ' if kept else ''}{text}"


def main(path):
    lines = pathlib.Path(path).read_text().splitlines()
    print("/// \\file")
    for block in prose(lines):
        print("\n".join([*laid_out("///", block), "///"]))
    for comment, run in itertools.groupby(lines, lambda line: bool(re.match(r"\s*///(?!<)", line))):
        run = list(run)
        if comment:
            margin = re.match(r"\s*", run[0])[0]
            run = laid_out(margin + "///", [re.sub(r"^\s*/// ?", "", line) for line in run])
        print("\n".join(run))


main(sys.argv[1])
