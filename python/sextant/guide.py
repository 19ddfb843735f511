"""The guide: a classifier and a score to climb, and networks smoothed in place."""

import os
from typing import Any, Callable, Dict, Optional, Sequence, Union

import numpy
import torch
from torch.overrides import TorchFunctionMode

from . import _settings, guidance
from ._core import UsageError
from ._core import guide as _guide
from ._core.guide import Classifier, Guidance, GuideInput

Score = Union[str, Callable[..., Any]]
Array = Union[torch.Tensor, "numpy.ndarray[Any, Any]"]
Targets = Union[Array, Sequence[int]]


def as_classifier(classifier: Any, classes: int = 0, uses_time: bool = False) -> Classifier:
    """A torch.nn.Module or any function from images [N, C, H, W] in [-1, 1] to logits [N, K] (with `uses_time`, of
    images and timesteps [N]) as what a guide reads. No TorchScript is needed."""
    if isinstance(classifier, Classifier):
        return classifier
    if not callable(classifier):
        hint = "; a file or folder is opened by open_classifier()" if isinstance(classifier, (str, os.PathLike)) else ""
        raise UsageError(f"classifier: expected a module or a function, got {type(classifier).__name__}{hint}")
    if isinstance(classifier, torch.nn.Module) and classifier.training:
        raise UsageError(
            "classifier: the module is in training mode, its answers would depend on the batch: call eval()"
        )
    return Classifier(classifier, classes, uses_time)


def _recorded(value: Any) -> Any:
    """A tensor of inference mode as one that autograd takes."""
    return value.clone() if isinstance(value, torch.Tensor) and value.is_inference() else value


def _targets(y: Any) -> Any:
    """A list of classes as the tensor that it says; what is none is left to GuideInput, which tells."""
    if not isinstance(y, (list, tuple)):
        return _recorded(y)
    try:
        return torch.as_tensor(y)
    except (TypeError, ValueError, RuntimeError):
        return y


def _all_recorded(step: Dict[str, Any]) -> Dict[str, Any]:
    return {name: _recorded(value) for name, value in step.items()}


class Guide:
    """One vector-Jacobian product through the classifier per step, times a schedule.

    `classifier` is any torch.nn.Module or function of images in [-1, 1], or what open_classifier() opened; `score` is a
    name ("plain", "js", "js+entropy", ...) or a function of your own, see guidance.as_score().
    """

    def __init__(
        self, classifier: Any, score: Score = "plain", *, classes: int = 0, uses_time: bool = False, **settings: Any
    ) -> None:
        self.classifier = as_classifier(classifier, classes, uses_time)
        self.score = score
        self.settings = dict(settings)
        text = _settings.table("Guide", "guidance", settings)
        if isinstance(score, str):
            self._guide = _guide.Guide.by_name(self.classifier, score, text)
        else:
            own = score if isinstance(score, guidance.NamedScore) else guidance.as_score(score)
            self._guide = _guide.Guide.by_function(self.classifier, own, text)

    def __repr__(self) -> str:
        score = self.score if isinstance(self.score, str) else getattr(self.score, "__name__", type(self.score).__name__)
        told = [score, *(f"{name}={value!r}" for name, value in self.settings.items())]
        return f"Guide({', '.join(told)})"

    def __call__(self, x0: Array, y: Targets, **step: Any) -> Guidance:
        """Gradient, score and logits at predicted clean images x0 [N, C, H, W] for target classes y [N], also a list.

        By keyword what a step knows beside: step, num_steps, x, t, variance, alpha_cumprod, ids, predict_x0.
        """
        with torch.inference_mode(False):  # the guide needs a gradient, wherever it is called
            return self._guide(GuideInput(_recorded(x0), _targets(y), **_all_recorded(step)))

    def backward(self, x0: Array, y: Targets, **step: Any) -> torch.Tensor:
        """Delta [N, C, H, W] of backward universal guidance, by steps of ascent on S at x0."""
        with torch.inference_mode(False):
            return self._guide.backward(GuideInput(_recorded(x0), _targets(y), **_all_recorded(step)))

    def gamma(self, x0: Array, y: Targets, **step: Any) -> torch.Tensor:
        """gamma_t, which the mean is shifted by times the gradient; once per step, active or not."""
        return self._guide.gamma(GuideInput(x0, _targets(y), **step))

    def begin(self) -> None:
        """A new trajectory begins: forgets the running maximum of the last one."""
        self._guide.begin()

    def active(self, step: int, num_steps: int) -> bool:
        """False outside the interval."""
        return self._guide.active(step, num_steps)

    def score_factor(self, step: int, num_steps: int) -> float:
        """The factor of the score shift: 1 + gamma_factor sin(pi t/T)."""
        return self._guide.score_factor(step, num_steps)


Guide.__doc__ = _settings.documented(Guide.__doc__ or "", _guide.settings_doc())

_RELU = (torch.relu, torch.nn.functional.relu, torch.Tensor.relu)
_RELU_IN_PLACE = (torch.relu_, torch.nn.functional.relu_, torch.Tensor.relu_)


class _SoftplusForRelu(TorchFunctionMode):
    """Every ReLU of what runs inside, module or function, is softplus(beta x)/beta."""

    def __init__(self, beta: float) -> None:
        super().__init__()
        self._beta = beta

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if function in _RELU_IN_PLACE or (
            function is torch.nn.functional.relu and (kwargs.get("inplace") or args[1:] == (True,))
        ):
            return args[0].copy_(torch.nn.functional.softplus(args[0].clone(), beta=self._beta))
        if function in _RELU:
            return torch.nn.functional.softplus(args[0] if args else kwargs["input"], beta=self._beta)
        return function(*args, **kwargs)


def softplus_(module: torch.nn.Module, beta: Optional[float]) -> torch.nn.Module:
    """Smooths a network in place: from now on every ReLU in its forward pass, modules and functions alike, is
    softplus(beta x)/beta (Ma et al. 2023 take 3). A beta of None or 0 gives the ReLUs back. Weights are untouched."""
    if not isinstance(module, torch.nn.Module):
        raise UsageError(f"softplus_: expected a torch.nn.Module, got {type(module).__name__}")
    if isinstance(module, torch.jit.ScriptModule):
        raise UsageError("softplus_: a TorchScript program cannot be changed; smooth the module before it is scripted")
    if beta is not None and not (isinstance(beta, (int, float)) and 0 <= beta < float("inf")):
        raise UsageError(f"softplus_: beta must be at least 0, got {_settings.shown(beta)}")
    module.__dict__.pop("forward", None)
    if not beta:
        return module
    original = module.forward
    smoothness = float(beta)

    def forward(*args: Any, **kwargs: Any) -> Any:
        with _SoftplusForRelu(smoothness):
            return original(*args, **kwargs)

    module.forward = forward
    return module
