"""Comments and docstrings are plain text: this makes reStructuredText of one, so that nothing in it is taken for markup.

Words in backquotes are code; a line that is indented, or has columns, stays as it is; the rest are paragraphs.
"""

import re


def escaped(line):
    """A line of a paragraph: `code` as code, every other character as itself."""
    answer = ""
    for i, part in enumerate(re.split(r"`+([^`]+)`+", line)):
        text = f"``{part}``" if i % 2 else re.sub(r"([\\*|_`<>])", r"\\\1", part)
        # Code ends at a mark or a blank, or else at an escaped one.
        touches = i and (answer[-1:].isalnum() if i % 2 else text[:1].isalnum())
        answer += ("\\ " if touches else "") + text
    return answer


def kept(line):
    """Whether a line's blanks mean something: it is indented, or a row of columns."""
    return line.startswith("  ") or bool(re.search(r"\S {2,}\S", line))


def rst_of(text):
    blocks = []
    for line in text.expandtabs().splitlines():
        kind = "gap" if not line.strip() else "kept" if kept(line) else "item" if re.match(r"[-*] ", line) else "text"
        if kind == "item" or not blocks or (kind != blocks[-1][0] and not (kind == "text" and blocks[-1][0] == "item")):
            blocks.append((kind, []))
        blocks[-1][1].append(line)
    lines = []
    for kind, block in blocks:
        if kind == "kept":
            lines += ["", "::", "", *("    " + line for line in block), ""]
        elif kind == "item":
            lines += ["", "- " + escaped(block[0][2:]), *("  " + escaped(line) for line in block[1:])]
        elif kind == "text":
            lines += ["", *map(escaped, block)]
    return "\n".join(lines).strip("\n")


def signature(arguments, answer):
    """A signature of pybind11 in the words of Python; None where there is none."""

    def readable(text):
        text = re.sub(r"self: [\w.]+(, )?", "", text).replace("at::Tensor", "torch.Tensor")
        text = re.sub(r"\bsextant\._core\.(\w+\.)?|\b(typing|collections\.abc)\.", "", text)
        text = re.sub(r"<[\w. ]+ object at 0x\w+>", "...", text)
        return re.sub(r"\bsextant::(\w+::)*", "", text)

    return arguments and readable(arguments), answer and readable(answer)


def in_place(lines):
    # What pybind11 begins a docstring with is the signature, which is shown as such.
    lines[:] = [line for line in lines if not re.match(r"(__init__|\w*)\(.*\) -> ", line)]
    lines[:] = [*rst_of("\n".join(lines)).splitlines(), ""]
