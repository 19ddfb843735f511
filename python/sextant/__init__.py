"""sextant steers trained diffusion models with classifiers.

    import sextant
    model = sextant.open_denoiser("128x128_diffusion.pt")
    guide = sextant.Guide(sextant.open_classifier("resnet101-cd907fc2.pth"), "js+entropy")
    x = sextant.samplers.ddim(model, [3, 1], guide=guide, steps=50)

Tensors pass to the compiled library and back without a copy, on any device. Every error is a sextant.Error, in one
line.
"""

import sys as _sys

try:
    import torch as _torch
except ImportError as _missing:
    raise ImportError("sextant needs PyTorch: pip install torch, then install sextant again") from _missing

from . import _build


def _refusal() -> str:
    """Why the compiled part does not fit this Python and this PyTorch; "" where it does."""
    python = f"{_sys.version_info.major}.{_sys.version_info.minor}"
    torch = ".".join(_torch.__version__.split("+")[0].split(".")[:2])
    if (python, torch) == (_build.PYTHON, _build.TORCH):
        return ""
    return (
        f"sextant was built for PyTorch {_build.TORCH} and Python {_build.PYTHON}, this is PyTorch {torch} and Python "
        f"{python}: install it again in this environment (pip install --force-reinstall --no-deps .)"
    )


if _refusal():
    raise ImportError(_refusal())
try:
    from . import _core
except ImportError as _broken:
    raise ImportError(
        f"sextant's compiled part does not load with PyTorch {_torch.__version__} of {_torch.__path__[0]}: install "
        f"sextant again in this environment ({str(_broken).splitlines()[0]})"
    ) from None

from ._core import CheckpointError, DataError, Error, NumericError, ShapeError, UsageError

for _error in (Error, UsageError, ShapeError, CheckpointError, DataError, NumericError):
    _error.__module__ = "sextant"

from . import calibration, folders, guidance, metrics, pictures, run, samplers
from ._core.diffusion import Denoiser, Mixture, Noise, Prediction, Process, to_uint8, uniform_labels
from ._core.guide import Classifier, Guidance, SampleIds
from ._softplus import softplus_
from .guide import Guide
from .models import inspect, open_classifier, open_denoiser

__version__ = _core.version()

__all__ = [
    "CheckpointError", "Classifier", "DataError", "Denoiser", "Error", "Guidance", "Guide", "Mixture", "Noise",
    "NumericError", "Prediction", "Process", "SampleIds", "ShapeError", "UsageError", "calibration", "folders", "guidance",
    "inspect", "metrics", "open_classifier", "open_denoiser", "pictures", "run", "samplers", "softplus_", "to_uint8",
    "uniform_labels",
]  # fmt: skip
