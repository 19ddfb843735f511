"""Does a classifier's confidence mean what it says? Measures, repairs and a loss; f [N, K] logits, y [N] int64
labels."""

import os
from typing import Any, Union

import numpy
import torch

from . import _core, _settings
from ._autograd import ClosedForm
from ._core import UsageError
from ._core.calibration import (
    Bins,
    VectorScaling,
    accuracy,
    brier_score,
    classwise_calibration_error,
    cross_entropy_with_smooth_ece,
    entropy,
    equal_mass_bins,
    equal_width_bins,
    expected_calibration_error,
    fit_temperature,
    fit_vector_scaling,
    measure,
    negative_log_likelihood,
    predict,
    smooth_ece,
)
from ._png import png_of

__all__ = [
    "Bins", "Reliability", "SmoothECELoss", "TemperatureScaling", "VectorScaling", "accuracy", "brier_score",
    "classwise_calibration_error", "cross_entropy_with_smooth_ece", "entropy", "equal_mass_bins", "equal_width_bins",
    "expected_calibration_error", "fit_temperature", "fit_vector_scaling", "measure", "negative_log_likelihood",
    "predict", "reliability", "smooth_ece",
]  # fmt: skip


Array = Union[torch.Tensor, "numpy.ndarray[Any, Any]"]


class SmoothECELoss(torch.nn.Module):
    """Mean cross entropy + weight * Smooth ECE (Javid et al. 2025, eq. 1 and Algorithm 2), with closed-form gradients,
    which have none of their own: a penalty on them is refused.

    `cross_entropy=False` leaves the Smooth ECE alone: weight * mean sqrt((confidence - correct)^2 + beta).
    """

    def __init__(self, weight: float = 1.0, beta: float = 1e-4, cross_entropy: bool = True) -> None:
        super().__init__()
        self.weight = _settings.number("SmoothECELoss", "weight", weight, least=0)
        self.beta = _settings.number("SmoothECELoss", "beta", beta, least=0)
        if self.beta == 0:
            raise UsageError("SmoothECELoss: beta: expected a number above 0, got 0")
        self.cross_entropy = cross_entropy

    def forward(self, f: Array, y: Array) -> torch.Tensor:
        """The loss, a tensor of one number, of logits f [N, K] and labels y [N]."""
        f = _settings.tensor("SmoothECELoss", "f", f)
        if self.cross_entropy:
            value, gradient = cross_entropy_with_smooth_ece(f.detach(), y, weight=self.weight, beta=self.beta)
        else:
            value, gradient = (part * self.weight for part in smooth_ece(f.detach(), y, beta=self.beta))
        return ClosedForm.apply(f, value, gradient, "SmoothECELoss")


class TemperatureScaling(torch.nn.Module):
    """f -> f / T, with the T of least negative log likelihood on logits f and labels y (Guo et al. 2017)."""

    def __init__(self, f: Array, y: Array) -> None:
        super().__init__()
        self.temperature = fit_temperature(f, y)

    def forward(self, f: Array) -> torch.Tensor:
        """Logits f [N, K] / T"""
        return _settings.tensor("TemperatureScaling", "f", f) / self.temperature


class Reliability:
    """A reliability diagram: a picture in a notebook, a file by save()."""

    def __init__(self, bins: Bins, title: str = "") -> None:
        if not isinstance(bins, Bins):
            raise UsageError(f"Reliability: bins: expected Bins, see equal_width_bins(), got {_settings.shown(bins)}")
        if not isinstance(title, str):
            raise UsageError(f"Reliability: title: expected a text, got {_settings.shown(title)}")
        self.bins = bins
        self.title = title

    @property
    def ece(self) -> float:
        """The expected calibration error of the bins."""
        return self.bins.ece

    def save(self, path: Union[str, "os.PathLike[str]"]) -> None:
        """Writes .svg, .pdf or .png."""
        _core.calibration.write_reliability(_settings.path("Reliability.save", "path", path), self.bins, self.title)

    def _repr_png_(self) -> bytes:
        return png_of(self.save)

    def __repr__(self) -> str:
        return f"Reliability({self.title!r}, ece={self.bins.ece:.4f}, mce={self.bins.mce:.4f})"


def reliability(f: Array, y: Array, *, bins: int = 15, title: str = "") -> Reliability:
    """The reliability diagram of logits f [N, K] and labels y [N]."""
    confidence, _, correct = predict(f, y)
    return Reliability(equal_width_bins(confidence, correct, bins=bins), title)
