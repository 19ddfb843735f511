"""Pictures for a notebook and for files: grids of images, charts of curves.

    pictures.grid(x, columns=10, scale=3)                    # x as a sampler returns it, or uint8 [N, H, W, C]
    pictures.chart({"js": (steps, values)}, x_label="step")  # shown by the notebook, or .save("js.png")
"""

import operator
import os
from typing import Any, Mapping, Sequence, Tuple, Union

import numpy as np
import torch

from . import _settings
from ._core import ShapeError, UsageError
from ._core import diffusion as _diffusion
from ._core import report as _report
from ._png import png_of

__all__ = ["Picture", "chart", "grid"]


class Picture:
    """uint8 [H, W, 3] or [H, W, 1]: shown by a notebook, a file by save()."""

    def __init__(self, pixels: Any) -> None:
        try:
            self._pixels = torch.as_tensor(pixels)
        except (TypeError, ValueError, RuntimeError):
            raise UsageError(f"picture: expected pixels uint8 [H, W, 3], got {type(pixels).__name__}") from None
        if self._pixels.dim() != 3 or self._pixels.dtype != torch.uint8 or self._pixels.size(2) not in (1, 3):
            raise ShapeError(
                f"picture: expected pixels uint8 [H, W, 3], got {self._pixels.dtype} {list(self._pixels.shape)}"
            )

    @property
    def pixels(self) -> np.ndarray:
        """uint8 [H, W, C]"""
        return np.asarray(self._pixels.numpy())

    def save(self, path: Union[str, "os.PathLike[str]"]) -> None:
        """Writes a .png."""
        _report.write_png(_settings.path("Picture.save", "path", path), self._pixels)

    def _repr_png_(self) -> bytes:
        return png_of(self.save)

    def __repr__(self) -> str:
        height, width = self._pixels.shape[:2]
        return f"Picture({width} x {height})"


def grid(images: Any, *, columns: int = 0, scale: int = 1) -> Picture:
    """Images side by side, row by row: float [N, C, H, W] in [-1, 1] as the samplers return them, or uint8
    [N, H, W, C]. `columns` 0 makes the grid as square as it can be; every pixel becomes `scale` x `scale`."""
    try:
        tensor = torch.as_tensor(images)
    except (TypeError, ValueError, RuntimeError):
        raise UsageError(f"grid: expected images, got {type(images).__name__}") from None
    try:
        wide, large = operator.index(columns), operator.index(scale)
    except (TypeError, ValueError, RuntimeError):
        wide = large = -1
    if wide < 0 or large < 1:
        got = f"{_settings.shown(columns)} and {_settings.shown(scale)}"
        raise UsageError(f"grid: columns must be at least 0 and scale at least 1, got {got}")
    tensor = tensor.detach().cpu()
    if tensor.is_floating_point() and tensor.dim() == 4:
        tensor = _diffusion.to_uint8(tensor).permute(0, 2, 3, 1).contiguous()
    return Picture(_report.grid(tensor, columns=wide, scale=large))


def chart(
    curves: Mapping[str, Tuple[Sequence[float], Sequence[float]]],
    *,
    title: str = "",
    x_label: str = "",
    y_label: str = "",
) -> Picture:
    """Curves {"name": (x, y)} with axes and a legend."""
    try:
        points = {str(name): ([float(v) for v in x], [float(v) for v in y]) for name, (x, y) in curves.items()}
    except (AttributeError, TypeError, ValueError):
        raise UsageError('chart: expected curves {"name": (x, y)}, x and y lists of numbers') from None
    return Picture(_report.chart(points, title=title, x_label=x_label, y_label=y_label))
