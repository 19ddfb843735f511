"""Closed forms under torch.autograd."""

from typing import Any, Tuple

import torch

from ._core import UsageError


class _Last(torch.autograd.Function):
    """A gradient whose own gradient nobody computes: whoever asks for it is told, where autograd would leave it out."""

    @staticmethod
    def forward(ctx: Any, gradient: Any, f: Any, who: Any) -> torch.Tensor:  # type: ignore[override]
        ctx.who = who  # f is what the gradient would depend on
        return gradient.clone()

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Any:  # type: ignore[override]
        raise UsageError(f"{ctx.who}: its gradient is a closed form, which has no gradient of its own")


class ClosedForm(torch.autograd.Function):
    """`value`, [] or [N], of a function of f [N, K] whose gradient, [N, K], is known; `who` is named in errors."""

    @staticmethod
    def forward(ctx: Any, f: Any, value: Any, gradient: Any, who: Any) -> torch.Tensor:  # type: ignore[override]
        ctx.save_for_backward(gradient, f)
        ctx.who = who
        return value.clone()

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Tuple[torch.Tensor, None, None, None]:  # type: ignore[override]
        gradient, f = ctx.saved_tensors
        with torch.no_grad():
            made = grad.reshape(-1, 1) * gradient
        if torch.is_grad_enabled():  # create_graph=True
            made = _Last.apply(made, f, ctx.who)
        return made, None, None, None
