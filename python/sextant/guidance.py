"""Scores S(x, y) of a classifier's logits, whose gradient a sampler climbs: (f, y, ...) -> (S, dS/df).

    f        logits          [N, K], float32 or float64, any device
    y        target classes  [N], int64 in [0, K), on f's device
    returns  S [N] and dS/df [N, K], dtype and device of f

Pure functions in closed form, without an autograd graph. as_loss() makes one usable under torch.autograd.
"""

import inspect as _inspect
from typing import Any, Callable, Tuple, Union

import numpy as _numpy
import torch as _torch

from . import _settings
from ._autograd import ClosedForm as _ClosedForm
from ._core import ShapeError as _ShapeError
from ._core import UsageError as _UsageError
from ._core import guide as _guide
from ._core.guidance import (
    NamedScore,
    Step,
    alpha_divergence,
    chi2,
    classifier_free,
    entropy,
    entropy_driven_scale,
    entropy_weight,
    f_divergence,
    forward_kl,
    hellinger,
    jensen_shannon,
    log_prob,
    reverse_kl,
    score_words,
    smoothed_target,
    tilt_weights,
    tilted_score,
)

Pair = Tuple[_torch.Tensor, _torch.Tensor]
Array = Union[_torch.Tensor, "_numpy.ndarray[Any, Any]"]

__all__ = [
    "NamedScore", "Step", "alpha_divergence", "as_loss", "as_score", "chi2", "classifier_free", "entropy",
    "entropy_driven_scale", "entropy_weight", "f_divergence", "forward_kl", "hellinger", "jensen_shannon", "log_prob",
    "named_score", "reverse_kl", "score_words", "smoothed_target", "tilt_weights", "tilted_score",
]  # fmt: skip


# The settings that a name's terms read.
_TERMS = ("alpha", "epsilon", "js_form", "divergence_order", "lambda_max", "lambda_min", "lambda_shape",
          "joint_temperature", "marginal_temperature")  # fmt: skip


def named_score(name: str, **settings: Any) -> NamedScore:
    """The score of a name such as "plain", "js" or "js+entropy": log_prob plus the terms named.

    Called with (f, y, step).

    Settings are those of Guide that the terms read: alpha, epsilon, js_form, divergence_order, lambda_max, lambda_min,
    lambda_shape, joint_temperature, marginal_temperature.
    """
    why = f"a score takes {', '.join(_TERMS)}; the rest is Guide's"
    others = _settings.names(_guide.settings_doc()).keys() - set(_TERMS)
    _settings.refuse("named_score", settings, dict.fromkeys(others, why))
    return NamedScore(name, _settings.table("named_score", "guidance", settings))


def as_score(function: Callable[..., Any]) -> Callable[[_torch.Tensor, _torch.Tensor, Step], Pair]:
    """A score of your own: a function of (f, y) or (f, y, step) that returns S [N], whose gradient autograd finds, or
    the pair (S, dS/df)."""
    if not callable(function):
        raise _UsageError(f"score: expected a name or a function, got {type(function).__name__}")
    try:
        called = function.forward if isinstance(function, _torch.nn.Module) else function
        parameters = list(_inspect.signature(called).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    positional = [
        p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty
    ]
    takes_step = (
        len(positional) > 2
        or any(p.kind == p.VAR_POSITIONAL for p in parameters)
        or (len(parameters) > 2 and parameters[2].name == "step")
    )

    def checked(f: _torch.Tensor, value: _torch.Tensor, gradient: _torch.Tensor) -> Pair:
        if value.shape != f.shape[:1] or gradient.shape != f.shape:
            n, k = f.shape
            raise _ShapeError(
                f"score: expected S [{n}] and dS/df [{n}, {k}] of logits [{n}, {k}], "
                f"got {list(value.shape)} and {list(gradient.shape)}"
            )
        return value.detach(), gradient.detach()

    def score(f: _torch.Tensor, y: _torch.Tensor, step: Step) -> Pair:
        f, y = _settings.tensor("score", "f", f), _settings.tensor("score", "y", y)
        if f.dim() != 2 or not f.is_floating_point():
            raise _ShapeError(f"score: expected logits f [N, K] of floating point, got {f.dtype} {list(f.shape)}")
        with _torch.enable_grad():
            leaf = f.detach().requires_grad_(True)
            answer = function(leaf, y, step) if takes_step else function(leaf, y)
            if isinstance(answer, tuple):
                if len(answer) != 2 or not all(isinstance(part, _torch.Tensor) for part in answer):
                    raise _UsageError("score: expected S or (S, dS/df), tensors [N] and [N, K]")
                return checked(f, *answer)
            if not isinstance(answer, _torch.Tensor):
                raise _UsageError(f"score: expected S or (S, dS/df), got {type(answer).__name__}")
            if not answer.requires_grad:
                raise _UsageError("score: S does not depend on f in a way that autograd can follow; return (S, dS/df)")
            (gradient,) = _torch.autograd.grad(answer.sum(), leaf)
        return checked(f, answer, gradient)

    return score


def as_loss(score: Union[str, Callable[..., Any]], reduction: str = "mean") -> Callable[..., _torch.Tensor]:
    """A loss -S of a score, for training and for torch.autograd: loss(f, y) with the score's closed-form gradient,
    which has none of its own: a penalty on it is refused.

    `score` is a name or a function as as_score() takes, of one step alone, where entropy's weight is lambda_max;
    `reduction` is "mean", "sum" or "none" as of torch's losses.
    """
    if not isinstance(reduction, str) or reduction not in ("mean", "sum", "none"):
        raise _UsageError(f"as_loss: reduction '{_settings.shown(reduction)}' is unknown; use mean, sum or none")
    function: Callable[..., Pair]
    if isinstance(score, str):
        function = named_score(score)
    elif callable(score):
        function = as_score(score)
    else:
        raise _UsageError(f"as_loss: expected a name or a function, got {type(score).__name__}")

    def loss(f: Array, y: Array) -> _torch.Tensor:
        f, y = _settings.tensor("as_loss", "f", f), _settings.tensor("as_loss", "y", y)
        if f.dim() != 2 or not f.is_floating_point():
            raise _ShapeError(f"as_loss: expected logits f [N, K] of floating point, got {f.dtype} {list(f.shape)}")
        value = -_ClosedForm.apply(f, *function(f.detach(), y, Step()), "as_loss")
        return value if reduction == "none" else value.mean() if reduction == "mean" else value.sum()

    return loss
