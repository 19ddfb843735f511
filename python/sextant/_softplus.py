"""Networks smoothed in place: softplus for ReLU."""

import functools
import sys
import threading
from types import CodeType, FrameType
from typing import Any, Callable, Dict, List, Optional, Set

import torch
import torch.utils.checkpoint
from torch.overrides import TorchFunctionMode

from . import _settings
from ._core import UsageError

_ATEN = torch.ops.aten
_RELU = (torch.relu, torch.nn.functional.relu, torch.Tensor.relu, _ATEN.relu, _ATEN.relu.default)
_RELU_IN_PLACE = (torch.relu_, torch.nn.functional.relu_, torch.Tensor.relu_, _ATEN.relu_, _ATEN.relu_.default)
_NAMES = ("rnn_relu", "rnn_relu_cell", "cudnn_convolution_relu", "cudnn_convolution_add_relu")
_PACKETS = [getattr(_ATEN, name) for name in _NAMES if hasattr(_ATEN, name)]
_FUSED = (*(getattr(torch, name) for name in _NAMES if hasattr(torch, name)), *_PACKETS,
          *(getattr(packet, overload) for packet in _PACKETS for overload in packet.overloads()))  # fmt: skip
_COMPILED = (torch.jit.ScriptModule, torch.jit.ScriptFunction)


class _Running(threading.local):
    """The betas of the modes that are on in this thread, the innermost last."""

    def __init__(self) -> None:
        self.betas: List[float] = []


_running = _Running()


class _SoftplusForRelu(TorchFunctionMode):
    """Every ReLU of what runs inside, module or function, is softplus(beta x)/beta."""

    def __init__(self, beta: float) -> None:
        super().__init__()
        self._beta = beta

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        _running.betas.pop()  # the mode is off in here
        try:
            in_place = function in _RELU_IN_PLACE
            if in_place or function in _RELU:
                given = args[0] if args else kwargs["input" if "input" in kwargs else "self"]
                _check_recomputed(given)
                if in_place or kwargs.get("inplace") or args[1:] == (True,):
                    return given.copy_(torch.nn.functional.softplus(given.clone(), beta=self._beta))
                return torch.nn.functional.softplus(given, beta=self._beta)
            if function in _FUSED:
                raise UsageError(
                    f"softplus_: {function.__name__} has its ReLU inside, where no softplus can take its place; "
                    "write the layer with torch.relu"
                )
            return function(*args, **kwargs)
        finally:
            _running.betas.append(self._beta)


def _smooth(beta: float, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """function(*args, **kwargs) under the mode, which is entered once however deep the modules are nested."""
    betas = _running.betas
    if betas and betas[-1] == beta:
        return function(*args, **kwargs)
    betas.append(beta)
    try:
        with _SoftplusForRelu(beta):
            return function(*args, **kwargs)
    finally:
        betas.pop()


def _refuse_compiled(name: str) -> None:
    raise UsageError(
        f"softplus_: {name} is a TorchScript program, which cannot be changed: smooth the network before it is traced"
    )


def _check_recomputed(given: torch.Tensor) -> None:
    """UsageError for a ReLU that the backward pass computes once more outside every smoothed module, as a plain ReLU:
    the gradient would be another function's."""
    frame: Optional[FrameType] = sys._getframe(2)
    while frame is not None and frame.f_code not in _ENTERED:
        code, recorded = frame.f_code, None
        if code.co_filename == torch.utils.checkpoint.__file__:
            recorded = torch.is_grad_enabled() and given.requires_grad
        if code.co_argcount > 0:  # a function of autograd: a checkpoint's, or one of the user's
            context = frame.f_locals.get(code.co_varnames[0])
            if isinstance(context, torch._C._FunctionBase):
                recorded = any(getattr(context, "needs_input_grad", ()))
        if recorded:
            raise UsageError(
                "softplus_: a ReLU in a function under gradient checkpointing would be a plain ReLU in the backward "
                "pass; make it a module (torch.nn.ReLU()) of the network, or checkpoint a module of it"
            )
        frame = frame.f_back


# The code of the smoothed modules' __call__ and forward, which enter the mode in a recomputation too.
_ENTERED: Set[CodeType] = set()


@functools.lru_cache(maxsize=None)
def _smoothed(kind: Any, beta: float) -> Any:
    """The class of a smoothed module of this class, by the same name. A class, as copies, slices and replicas look
    there for the forward pass: each of them smooths itself, with its own weights."""

    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:
        return _smooth(beta, kind.__call__, self, *args, **kwargs)

    def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        return _smooth(beta, kind.forward, self, *args, **kwargs)

    functools.update_wrapper(forward, kind.forward)

    def __reduce_ex__(self: Any, protocol: int) -> Any:
        made, arguments, *rest = kind.__reduce_ex__(self, max(2, protocol))
        if arguments and arguments[0] is type(self):  # the class, which no module holds by this name
            return (_new, (kind, beta, *arguments[1:]), *rest)
        return (made, arguments, *rest)

    def __deepcopy__(self: Any, memo: Dict[int, Any]) -> Any:
        copied = kind.__deepcopy__(self, memo)
        copied.__class__ = _smoothed(_plain(type(copied)), beta)
        return copied

    _ENTERED.update((__call__.__code__, forward.__code__))
    names: Dict[str, Any] = {
        "__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__,
        "__call__": __call__, "forward": forward, "__reduce_ex__": __reduce_ex__, "_sextant_plain": kind,
    }  # fmt: skip
    if hasattr(kind, "__deepcopy__"):
        names["__deepcopy__"] = __deepcopy__
    return type(kind)(kind.__name__, (kind,), names)


def _plain(kind: Any) -> Any:
    """The class of a module before it was smoothed."""
    return vars(kind).get("_sextant_plain", kind)


def _new(kind: Any, beta: float, *arguments: Any) -> Any:
    """A smoothed module of a class, still without its state: what pickles call."""
    smoothed = _smoothed(kind, beta)
    return smoothed.__new__(smoothed, *arguments)


def softplus_(module: torch.nn.Module, beta: Optional[float]) -> torch.nn.Module:
    """Smooths a network in place: from now on every ReLU in its forward pass, modules and functions alike, is
    softplus(beta x)/beta (Ma et al. 2023 take 3). A beta of None or 0 gives the ReLUs back. Weights are untouched.

    Its submodules are smoothed with it, wherever else they are used, so that gradient checkpointing of them computes
    the same once more; a ReLU that would come back in a checkpointed function of another kind is refused when it runs.
    TorchScript that the network holds is refused; what a scripted function from elsewhere computes stays, and so do
    clamps, thresholds and maxima with 0, which are no ReLUs.

    Copies (copy.deepcopy, torch.save) are smoothed networks of their own.
    """
    if not isinstance(module, torch.nn.Module):
        raise UsageError(f"softplus_: expected a torch.nn.Module, got {type(module).__name__}")
    smoothness = 0.0 if beta is None else _settings.number("softplus_", "beta", beta, least=0)
    kinds = []
    for name, one in module.named_modules():
        held = {name: one, **{f"{name}.{key}".lstrip("."): value for key, value in vars(one).items()}}
        compiled = [key for key, value in held.items() if isinstance(value, _COMPILED)]
        if smoothness > 0 and compiled:
            _refuse_compiled(f"'{compiled[0]}'" if compiled[0] else "the network")
        kind = _plain(type(one))
        kinds.append((one, kind if smoothness == 0 else _smoothed(kind, smoothness)))
    for one, kind in kinds:
        if type(one) is not kind:
            one.__class__ = kind
    return module
