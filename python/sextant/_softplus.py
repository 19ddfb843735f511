"""Networks smoothed in place: softplus for ReLU."""

import functools
from typing import Any, Dict, Optional

import torch
from torch.overrides import TorchFunctionMode

from . import _settings
from ._core import UsageError

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


@functools.lru_cache(maxsize=None)
def _smoothed(kind: Any) -> Any:
    """The class of a smoothed module of this class, by the same name. A class, as copies and replicas look there for
    the forward pass: each of them smooths itself, with its own weights."""

    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:
        with _SoftplusForRelu(self._sextant_softplus_beta):
            return kind.__call__(self, *args, **kwargs)

    @functools.wraps(kind.forward)
    def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        with _SoftplusForRelu(self._sextant_softplus_beta):
            return kind.forward(self, *args, **kwargs)

    def __reduce_ex__(self: Any, protocol: int) -> Any:
        made, arguments, *rest = kind.__reduce_ex__(self, max(2, protocol))
        if arguments and arguments[0] is type(self):  # the class, which no module holds by this name
            return (_new, (kind, *arguments[1:]), *rest)
        return (made, arguments, *rest)

    names: Dict[str, Any] = {
        "__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__,
        "__call__": __call__, "forward": forward, "__reduce_ex__": __reduce_ex__, "_sextant_plain": kind,
    }  # fmt: skip
    return type(kind)(kind.__name__, (kind,), names)


def _plain(kind: Any) -> Any:
    """The class of a module before it was smoothed."""
    return vars(kind).get("_sextant_plain", kind)


def _new(kind: Any, *arguments: Any) -> Any:
    """A smoothed module of a class, still without its state: what pickles call."""
    smoothed = _smoothed(kind)
    return smoothed.__new__(smoothed, *arguments)


def softplus_(module: torch.nn.Module, beta: Optional[float]) -> torch.nn.Module:
    """Smooths a network in place: from now on every ReLU in its forward pass, modules and functions alike, is
    softplus(beta x)/beta (Ma et al. 2023 take 3). A beta of None or 0 gives the ReLUs back. Weights are untouched.

    Copies (copy.deepcopy, torch.save) are smoothed networks of their own.
    """
    if not isinstance(module, torch.nn.Module):
        raise UsageError(f"softplus_: expected a torch.nn.Module, got {type(module).__name__}")
    if isinstance(module, torch.jit.ScriptModule):
        raise UsageError("softplus_: a TorchScript program cannot be changed; smooth the module before it is traced")
    smoothness = 0.0 if beta is None else _settings.number("softplus_", "beta", beta, least=0)
    kind = _plain(type(module))
    if smoothness == 0:
        module.__class__ = kind
        module.__dict__.pop("_sextant_softplus_beta", None)
    else:
        module.__dict__["_sextant_softplus_beta"] = smoothness
        module.__class__ = _smoothed(kind)
    return module
