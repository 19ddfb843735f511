"""The line of progress on terminals of every kind."""

import fcntl
import os
import pty
import struct
import termios
import threading

import pytest

from sextant import run


class Terminal:
    """A pseudo-terminal of so many columns, 0 of which tells none."""

    def __init__(self, columns):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.file = os.fdopen(slave, "w")
        self.parts = []
        self.reader = threading.Thread(target=self.read)  # it holds a few kilobytes that nobody has read
        self.reader.start()

    def read(self):
        try:
            while part := os.read(self.master, 65536):
                self.parts.append(part)
        except OSError:  # its other end is closed and everything is read
            pass

    def text(self):
        self.file.close()
        self.reader.join()
        os.close(self.master)
        return b"".join(self.parts).decode()


def told(columns, task="sample"):
    terminal = Terminal(columns)
    progress = run.Progress(terminal.file, every=0)
    progress.begin(task, 300, 0, "images")
    for done in range(1, 200):
        progress.update(done)
    progress.note("note: one line")
    progress.update(200)
    progress.end()
    return terminal.text()


def widest(text):
    return max(len(line) for line in text.replace("\n", "\r").split("\r"))


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_a_line_never_fills_its_terminal(columns, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    text = told(columns, "features of a/very/long/path/of/a/folder/of/images/that/nobody/can/read/on/a/terminal")
    assert widest(text) < columns
    assert text.count("\n") == 2, "the note and the end"
    assert columns < 40 or " of 300 images" in text


def test_what_fits_is_told_whole(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    assert "sample: 199.0 of 300 images, " in told(80) and " s left" in told(80)


def test_a_terminal_that_does_not_tell_its_width_has_that_of_columns_or_80(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    for words, columns in (("30", 30), ("", 80), ("wide", 80)):
        monkeypatch.setenv("COLUMNS", words)
        assert widest(told(0, "task " * 30)) == columns - 1


def test_wide_letters_take_two_columns(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    text = told(40, "\u6570" * 60)
    assert max(len(line) + line.count("\u6570") for line in text.replace("\n", "\r").split("\r")) < 40


def test_a_terminal_that_cannot_rewrite_a_line_gets_notes_alone(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    assert told(80) == "note: one line\r\n"
