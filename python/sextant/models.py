"""Trained networks from folders and checkpoint files, in every format that the command line takes."""

import os
import tempfile
import warnings
from typing import Any, Dict, Union

import torch

from . import _settings, folders
from ._core import models as _models

Path = Union[str, "os.PathLike[str]"]
Device = Union[str, torch.device, None]
Precision = Union[str, torch.dtype, None]


def open_denoiser(
    path: Path, *, device: Device = None, precision: Precision = None, **settings: Any
) -> _models.OpenedDenoiser:
    """A diffusion model: a folder with config.json and weights, or a checkpoint file (ADM, EDM, EDM2, DiT,
    TorchScript), or a folder of diffusers, see sextant.folders; `vae` may be one as well.

    Called with (x, t, y) it is its network, differentiable in x; the samplers draw from it.
    """
    run = {"device": device, "precision": precision}
    path = _settings.path("open_denoiser", "path", path)
    # Networks keep the pages of their files, so the folders may go.
    with tempfile.TemporaryDirectory() as made:
        if folders.is_diffusers(path):
            path = folders.from_diffusers(path, os.path.join(made, "model"))
        vae = settings.get("vae")
        if isinstance(vae, (str, os.PathLike)) and folders.is_diffusers(vae):
            settings["vae"] = folders.from_diffusers(vae, os.path.join(made, "vae"))
        return _models.open_denoiser(path, _settings.table("open_denoiser", "model", settings, run))


def open_classifier(
    path: Path,
    *,
    channels: int = 0,
    side: int = 0,
    device: Device = None,
    precision: Precision = None,
    **settings: Any,
) -> _models.OpenedClassifier:
    """A classifier of images [N, C, H, W] in [-1, 1]: a folder or checkpoint file, behind its input convention.

    Called with (x), of a noise-aware one with (x, t), it gives logits [N, K], differentiable in x. `channels` and
    `side` of the images, where they are known, are checked now instead of at the first image. `attributes` are the
    names of what one of attributes judges, which no score by name reads.
    """
    run = {"device": device, "precision": precision}
    text = _settings.table("open_classifier", "classifier", settings, run)
    path = _settings.path("open_classifier", "path", path)
    return _models.open_classifier(path, channels, side, text, lambda line: warnings.warn(line, stacklevel=3))


def inspect(path: Path) -> Dict[str, Any]:
    """What is in a checkpoint file, an .npz or a model folder, and which architectures the weights fit."""
    return dict(_models.inspect(_settings.path("inspect", "path", path)))


open_denoiser.__doc__ = _settings.documented(open_denoiser.__doc__ or "", _models.denoiser_settings_doc())
open_classifier.__doc__ = _settings.documented(open_classifier.__doc__ or "", _models.classifier_settings_doc())
