"""Progress of a long run: one line that is rewritten, in a notebook and on a terminal; notes elsewhere."""

import os
import sys
import time
import unicodedata
from typing import Any, Optional, TextIO

from ._core import UsageError


def _in_notebook() -> bool:
    shell = sys.modules.get("IPython")
    kernel = shell.get_ipython() if shell else None
    return kernel is not None and kernel.__class__.__name__ == "ZMQInteractiveShell"


def _obeys(out: TextIO) -> bool:
    """Whether it is a terminal that goes back to the beginning of a line."""
    return out.isatty() and os.environ.get("TERM") != "dumb"


def _columns(out: TextIO) -> int:
    """Columns of the terminal, as it is at this moment; COLUMNS, else 80, of one that does not tell."""
    try:
        told = os.get_terminal_size(out.fileno()).columns
    except (AttributeError, OSError, ValueError):
        told = 0
    words = os.environ.get("COLUMNS", "")
    return told or (int(words) if words.isdecimal() else 0) or 80


def _width(text: str) -> int:
    """Columns that a line takes on a terminal."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(unicodedata.combining(letter) != 0 for letter in text)


def _cut(text: str, room: int) -> str:
    """The beginning of a line in so many columns, with dots where something is cut off."""
    if _width(text) <= room:
        return text
    while text and _width(text) > room - 3:
        text = text[:-1]
    return text + "..."[: max(room, 0)]


class Progress:
    """What the runs tell: begin, update, end, note. Any object with these four methods may stand in its place."""

    def __init__(self, out: Optional[TextIO] = None, every: float = 0.2) -> None:
        self._out = out or sys.stderr
        if not callable(getattr(self._out, "write", None)) or not callable(getattr(self._out, "isatty", None)):
            raise UsageError(f"Progress: out: expected a file to write to, got {type(out).__name__}")
        self._notebook = _in_notebook()
        self._live = self._notebook or _obeys(self._out)
        self._every = every
        self._last = 0.0
        self._width = 0

    def begin(self, task: str, total: float, done: float, unit: str) -> None:
        """A task of `total` units begins, of which some may be done already."""
        self._task, self._total, self._unit = " ".join(task.split()), total, unit
        self._first = done
        self._started = time.monotonic()
        self._show(done)

    def update(self, done: float) -> None:
        """So many units are done."""
        if time.monotonic() - self._last >= self._every:
            self._show(done)

    def end(self) -> None:
        """The task is over."""
        if self._live and self._width:
            self._out.write("\n")
            self._out.flush()
        self._width = 0

    def note(self, line: str) -> None:
        """A line that stays."""
        self._clear()
        self._out.write(line + "\n")
        self._out.flush()

    def _show(self, done: float) -> None:
        self._last = time.monotonic()
        if not self._live:
            return
        seconds = self._last - self._started
        rate = (done - self._first) / seconds if seconds > 0 else 0.0
        left = f", {(self._total - done) / rate:.0f} s left" if rate > 0 else ""
        counts = f": {done:.1f} of {self._total:.0f} {self._unit}"
        line = self._task + counts + left
        if not self._notebook:
            # One that wraps in its last column would keep what is rewritten. The task gives way first, then the time.
            room = _columns(self._out) - 1
            least = min(_width(self._task), 12)
            left = left if least + _width(counts + left) <= room else ""
            line = _cut(_cut(self._task, max(least, room - _width(counts + left))) + counts + left, room)
        self._clear()
        self._out.write(line)
        self._out.flush()
        self._width = _width(line)

    def _clear(self) -> None:
        if self._width:
            self._out.write("\r" + " " * self._width + "\r")
        self._width = 0


def listener(progress: Any) -> Any:
    """True is a Progress, False or None nobody, anything else itself."""
    if progress is None or progress is False:
        return None
    if progress is True:
        return Progress()
    if not all(callable(getattr(progress, method, None)) for method in ("begin", "update", "end", "note")):
        raise UsageError(
            "progress: expected True, False or an object with begin(), update(), end() and note(), "
            f"got {type(progress).__name__}"
        )
    return progress
