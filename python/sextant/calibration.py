"""Does a classifier's confidence mean what it says? Measures, repairs and a loss; f [N, K] logits, y [N] int64
labels."""

import os
from typing import Any, Tuple, Union

import torch

from . import _core, _settings
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


class _WithGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, f: Any, value: Any, gradient: Any) -> torch.Tensor:  # type: ignore[override]
        ctx.save_for_backward(gradient)
        return value.clone()

    @staticmethod
    @torch.autograd.function.once_differentiable  # type: ignore[misc, untyped-decorator]
    def backward(ctx: Any, grad: torch.Tensor) -> Tuple[torch.Tensor, None, None]:  # type: ignore[override]
        (gradient,) = ctx.saved_tensors
        return grad * gradient, None, None


class SmoothECELoss(torch.nn.Module):
    """Mean cross entropy + weight * Smooth ECE (Javid et al. 2025, eq. 1 and Algorithm 2), with closed-form gradients.

    `cross_entropy=False` leaves the Smooth ECE alone: weight * mean sqrt((confidence - correct)^2 + beta).
    """

    def __init__(self, weight: float = 1.0, beta: float = 1e-4, cross_entropy: bool = True) -> None:
        super().__init__()
        if not (isinstance(weight, (int, float)) and weight >= 0):
            raise UsageError(f"SmoothECELoss: weight must be at least 0, got {_settings.shown(weight)}")
        if not (isinstance(beta, (int, float)) and beta > 0):
            raise UsageError(f"SmoothECELoss: beta must be above 0, got {_settings.shown(beta)}")
        self.weight = weight
        self.beta = beta
        self.cross_entropy = cross_entropy

    def forward(self, f: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        if self.cross_entropy:
            value, gradient = cross_entropy_with_smooth_ece(f.detach(), y, weight=self.weight, beta=self.beta)
            return _WithGradient.apply(f, value, gradient)
        value, gradient = smooth_ece(f.detach(), y, beta=self.beta)
        return _WithGradient.apply(f, value * self.weight, gradient * self.weight)


class TemperatureScaling(torch.nn.Module):
    """f -> f / T, with the T of least negative log likelihood on logits f and labels y (Guo et al. 2017)."""

    def __init__(self, f: torch.Tensor, y: torch.Tensor) -> None:
        super().__init__()
        self.temperature = fit_temperature(f, y)

    def forward(self, f: torch.Tensor) -> torch.Tensor:
        return f / self.temperature


class Reliability:
    """A reliability diagram: a picture in a notebook, a file by save()."""

    def __init__(self, bins: Bins, title: str = "") -> None:
        self.bins = bins
        self.title = title

    @property
    def ece(self) -> float:
        return self.bins.ece

    def save(self, path: Union[str, "os.PathLike[str]"]) -> None:
        """Writes .svg, .pdf or .png."""
        _core.calibration.write_reliability(path, self.bins, self.title)

    def _repr_png_(self) -> bytes:
        return png_of(self.save)

    def __repr__(self) -> str:
        return f"Reliability({self.title!r}, ece={self.bins.ece:.4f}, mce={self.bins.mce:.4f})"


def reliability(f: torch.Tensor, y: torch.Tensor, *, bins: int = 15, title: str = "") -> Reliability:
    """The reliability diagram of logits f [N, K] and labels y [N]."""
    confidence, _, correct = predict(f, y)
    return Reliability(equal_width_bins(confidence, correct, bins=bins), title)
