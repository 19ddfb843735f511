"""Samplers: loops from x_T to x_0, with a guide or without, and an observer of their steps.

    x = samplers.ddim(denoiser, labels=[3, 1], guide=guide, steps=50, observe=lambda step: print(step.step))

All return [N, C, H, W], unclamped, in the denoiser's pixel range. Image n depends on its labels and on its own noise
stream, not on the batch. Ctrl-C between two steps raises KeyboardInterrupt.
"""

import operator
import warnings
from typing import Any, Callable, Optional, Sequence, Union

import torch

from . import _settings
from ._core import ShapeError, UsageError
from ._core import samplers as _samplers
from ._core.diffusion import Denoiser, Noise
from ._core.samplers import Step, words
from .guide import Guide

Labels = Union[torch.Tensor, Sequence[int]]


def _as_labels(what: str, labels: Any) -> torch.Tensor:
    try:
        if isinstance(labels, torch.Tensor):
            tensor = labels
        else:  # torch lacks some of numpy's integers
            tensor = torch.as_tensor(labels.tolist() if hasattr(labels, "tolist") else labels)
    except (TypeError, ValueError, RuntimeError):
        raise UsageError(f"sampler: {what} are whole numbers, one per image, got {type(labels).__name__}") from None
    if (
        tensor.is_meta
        or tensor.dim() != 1
        or tensor.numel() == 0
        or tensor.is_floating_point()
        or tensor.is_complex()
        or tensor.dtype == torch.bool
    ):
        got = f"{tensor.dtype} {list(tensor.shape)}" + (" on the meta device" if tensor.is_meta else "")
        raise ShapeError(f"sampler: expected {what} [N] of whole numbers, got {got}")
    return tensor.to(torch.int64)


def _as_seed(seed: Any) -> int:
    try:
        number = operator.index(seed)
    except TypeError:
        number = -1
    if 0 <= number < 2**64:
        return number
    raise UsageError(f"sampler: seed must be a whole number from 0 to 2^64 - 1, got {_settings.shown(seed)}")


def draw(
    denoiser: Denoiser,
    labels: Labels,
    *,
    guide: Optional[Guide] = None,
    targets: Optional[Labels] = None,
    noise: Optional[Noise] = None,
    seed: int = 0,
    observe: Optional[Callable[[Step], Any]] = None,
    **settings: Any,
) -> torch.Tensor:
    """Draws one image for each of `labels`, which condition the denoiser; the guide steers to `targets`, or to them.

    `noise` is made from `seed` and the images' places where it is left out; `observe` hears every finished step.
    """
    if not isinstance(denoiser, Denoiser):
        raise UsageError(f"sampler: expected a Denoiser, see open_denoiser(), got {type(denoiser).__name__}")
    if guide is not None and not isinstance(guide, Guide):
        raise UsageError(f"sampler: expected a Guide, got {type(guide).__name__}")
    if noise is not None and not isinstance(noise, Noise):
        raise UsageError(
            f"sampler: expected noise as a Noise, got {type(noise).__name__}; derive a class from sextant.Noise whose "
            "initial() and at_step(step) return tensors of your own"
        )
    y = _as_labels("labels", labels)
    if guide is None and targets is not None:
        warnings.warn("sampler: targets are for a guide, and there is no guide: they do nothing", stacklevel=2)
    to = y if targets is None else _as_labels("targets", targets).to(y.device)
    if noise is None:
        noise = Noise(_as_seed(seed), list(range(y.numel())), denoiser.sample_shape, device=str(y.device))
    text = _settings.table("sampler", "sampler", settings)
    steering: Any = guide._guide if guide else None
    with torch.inference_mode(False):  # a guide needs gradients
        y, to = (labels.clone() if labels.is_inference() else labels for labels in (y, to))
        return _samplers.draw(denoiser, y, to, noise, steering, observe, text)


def _named(word: str, text: str) -> Callable[..., torch.Tensor]:
    def sampler(
        denoiser: Denoiser,
        labels: Labels,
        *,
        guide: Optional[Guide] = None,
        targets: Optional[Labels] = None,
        noise: Optional[Noise] = None,
        seed: int = 0,
        observe: Optional[Callable[[Step], Any]] = None,
        **settings: Any,
    ) -> torch.Tensor:
        _settings.refuse(sampler.__name__, settings, {"sampler": "draw() takes it"})
        return draw(
            denoiser,
            labels,
            guide=guide,
            targets=targets,
            noise=noise,
            seed=seed,
            observe=observe,
            **{**settings, "sampler": word},
        )

    sampler.__name__ = sampler.__qualname__ = word.replace("-", "_")
    sampler.__doc__ = f"{text} See draw() for the arguments."
    return sampler


draw.__doc__ = _settings.documented(draw.__doc__ or "", _samplers.settings_doc())

ddpm = _named("ddpm", "Guided ancestral sampling (Ho et al. 2020); the guide shifts the mean.")
ddim = _named("ddim", "DDIM (Song et al. 2021); the guide shifts the score.")
dpm_solver = _named("dpmpp-2m", "DPM-Solver++ (Lu et al. 2022).")
dpm_solver_sde = _named("dpmpp-2m-sde", "DPM-Solver++'s SDE variant: noise at every step.")
unipc = _named("unipc", "UniPC (Zhao et al. 2023).")
edm_heun = _named("edm-heun", "EDM's sampler (Karras et al. 2022), over noise levels.")
edm_euler = _named("edm-euler", "EDM's sampler without the correction.")

__all__ = ["Step", "ddim", "ddpm", "dpm_solver", "dpm_solver_sde", "draw", "edm_euler", "edm_heun", "unipc", "words"]
