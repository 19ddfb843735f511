"""Scores S(x, y) of a classifier's logits, whose gradient a sampler climbs: (f, y, ...) -> (S, dS/df).

    f        logits          [N, K], float32 or float64, any device
    y        target classes  [N], int64 in [0, K), on f's device
    returns  S [N] and dS/df [N, K], dtype and device of f

Pure functions in closed form, without an autograd graph. as_loss() makes one usable under torch.autograd.
"""

import inspect as _inspect
from typing import Any, Callable, Tuple, Union

import torch as _torch

from . import _settings
from ._core import UsageError as _UsageError
from ._core import guidance as _guidance
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

__all__ = [
    "NamedScore", "Step", "alpha_divergence", "as_loss", "as_score", "chi2", "classifier_free", "entropy",
    "entropy_driven_scale", "entropy_weight", "f_divergence", "forward_kl", "hellinger", "jensen_shannon", "log_prob",
    "named_score", "reverse_kl", "score_words", "smoothed_target", "tilt_weights", "tilted_score",
]  # fmt: skip


def named_score(name: str, **settings: Any) -> NamedScore:
    """The score of a name such as "plain", "js" or "js+entropy": log_prob plus the terms named.

    Called with (f, y, step).

    Settings are those of Guide that the terms read: alpha, epsilon, js_form, divergence_order, lambda_max, lambda_min,
    lambda_shape, joint_temperature, marginal_temperature.
    """
    return NamedScore(name, _settings.table("named_score", "guidance", settings))


def as_score(function: Callable[..., Any]) -> Callable[[_torch.Tensor, _torch.Tensor, Step], Pair]:
    """A score of your own: a function of (f, y) or (f, y, step) that returns S [N], whose gradient autograd finds, or
    the pair (S, dS/df)."""
    if not callable(function):
        raise _UsageError(f"score: expected a name or a function, got {type(function).__name__}")
    try:
        parameters = list(_inspect.signature(function).parameters.values())
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

    def score(f: _torch.Tensor, y: _torch.Tensor, step: Step) -> Pair:
        with _torch.enable_grad():
            leaf = f.detach().requires_grad_(True)
            answer = function(leaf, y, step) if takes_step else function(leaf, y)
            if isinstance(answer, tuple):
                if len(answer) != 2 or not all(isinstance(part, _torch.Tensor) for part in answer):
                    raise _UsageError("score: expected S or (S, dS/df), tensors [N] and [N, K]")
                return answer[0].detach(), answer[1].detach()
            if not isinstance(answer, _torch.Tensor):
                raise _UsageError(f"score: expected S or (S, dS/df), got {type(answer).__name__}")
            if not answer.requires_grad:
                raise _UsageError("score: S does not depend on f in a way that autograd can follow; return (S, dS/df)")
            (gradient,) = _torch.autograd.grad(answer.sum(), leaf)
        return answer.detach(), gradient

    return score


class _ClosedForm(_torch.autograd.Function):
    """S with dS/df as its gradient."""

    @staticmethod
    def forward(ctx: Any, f: Any, y: Any, score: Any) -> _torch.Tensor:  # type: ignore[override]
        value, gradient = score(f.detach(), y)
        ctx.save_for_backward(gradient)
        return value

    @staticmethod
    @_torch.autograd.function.once_differentiable  # type: ignore[misc, untyped-decorator]
    def backward(ctx: Any, grad: _torch.Tensor) -> Tuple[_torch.Tensor, None, None]:  # type: ignore[override]
        (gradient,) = ctx.saved_tensors
        return grad.unsqueeze(1) * gradient, None, None


def as_loss(score: Union[str, Callable[..., Pair]], reduction: str = "mean") -> Callable[..., _torch.Tensor]:
    """A loss -S of a score, for training and for torch.autograd: loss(f, y) with the score's closed-form gradient.

    `score` is a name or any function (f, y) -> (S, dS/df); `reduction` is "mean", "sum" or "none" as of torch's losses.
    """
    if not isinstance(reduction, str) or reduction not in ("mean", "sum", "none"):
        raise _UsageError(f"as_loss: reduction '{_settings.shown(reduction)}' is unknown; use mean, sum or none")
    function = named_score(score) if isinstance(score, str) else score
    if not callable(function):
        raise _UsageError(f"as_loss: expected a name or a function, got {type(function).__name__}")

    def loss(f: _torch.Tensor, y: _torch.Tensor) -> _torch.Tensor:
        value = -_ClosedForm.apply(f, y, function)
        return value if reduction == "none" else value.mean() if reduction == "mean" else value.sum()

    return loss
