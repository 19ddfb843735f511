"""What a notebook shows of objects that write themselves to files."""
from __future__ import annotations

import os
import tempfile
from typing import Callable


def png_of(save: Callable[[str], None]) -> bytes:
    """The bytes of the .png that `save(path)` writes."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "picture.png")
        save(path)
        with open(path, "rb") as file:
            return file.read()
