"""Progress of a long run: one line that is rewritten, in a notebook and on a terminal; notes elsewhere."""

import sys
import time
from typing import Any, Optional, TextIO

from ._core import UsageError


def _in_notebook() -> bool:
    shell = sys.modules.get("IPython")
    kernel = shell.get_ipython() if shell else None
    return kernel is not None and kernel.__class__.__name__ == "ZMQInteractiveShell"


class Progress:
    """What the runs tell: begin, update, end, note. Any object with these four methods may stand in its place."""

    def __init__(self, out: Optional[TextIO] = None, every: float = 0.2) -> None:
        self._out = out or sys.stderr
        if not callable(getattr(self._out, "write", None)) or not callable(getattr(self._out, "isatty", None)):
            raise UsageError(f"Progress: out: expected a file to write to, got {type(out).__name__}")
        self._live = _in_notebook() or self._out.isatty()
        self._every = every
        self._last = 0.0
        self._width = 0

    def begin(self, task: str, total: float, done: float, unit: str) -> None:
        """A task of `total` units begins, of which some may be done already."""
        self._task, self._total, self._unit = task, total, unit
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
        line = f"{self._task}: {done:.1f} of {self._total:.0f} {self._unit}{left}"
        self._clear()
        self._out.write(line)
        self._out.flush()
        self._width = len(line)

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
