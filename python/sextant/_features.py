"""Images as the features of a network."""

import os
from typing import Any, Union

import torch

from . import _settings
from ._core import UsageError
from ._core.evaluation import Embedding, Extractor
from ._core.metrics import frechet_distance
from ._progress import listener

Images = Union[torch.Tensor, Any, str, "os.PathLike[str]"]
Features = Union[Extractor, str, "os.PathLike[str]", None]
Device = Union[str, torch.device, None]

_INCEPTION = ("pt_inception-2015-12-05-6726825d.pth", "weights-inception-2015-12-05-6726825d.pth")


def find_inception() -> str:
    """Inception's weights of the FID: where pytorch-fid and torch-fidelity download them to, or in models/ here."""
    folders = [os.path.join(torch.hub.get_dir(), "checkpoints"), torch.hub.get_dir(), "models"]
    for folder in folders:
        for name in _INCEPTION:
            if os.path.exists(os.path.join(folder, name)):
                return os.path.join(folder, name)
    raise UsageError(
        f"Inception's weights are missing: put {_INCEPTION[0]} into {folders[0]}, or name the file as features"
    )


def open_extractor(
    features: Features = None, *, protocol: str = "openai", device: Device = "cpu", arch: str = "", layer: str = ""
) -> Extractor:
    """A feature network: a model folder, a file of Inception's weights (looked for where None), or with `arch` or
    `layer` a checkpoint of another network. `protocol` is "openai", "pytorch-fid", "torch-fidelity" or
    "clean-fid"."""
    if isinstance(features, Extractor):
        return features
    path = find_inception() if features is None else _settings.path("open_extractor", "features", features)
    if device is not None and not isinstance(device, (str, torch.device)):
        raise UsageError(f"open_extractor: device: expected a text or a torch.device, got {_settings.shown(device)}")
    return Extractor(path, protocol=protocol, device=str(device or "cpu"), arch=arch, layer=layer)


def embed(
    images: Images, extractor: Extractor, *, labels: Any = None, batch: int = 64, progress: Any = None
) -> Embedding:
    """What a feature network makes of images: their features, their Gaussian, their logits."""
    if labels is not None and isinstance(images, (Embedding, str, os.PathLike)):
        raise UsageError("embed: labels go with an array of images; a path or an embedding has its own")
    if isinstance(images, Embedding):
        return images
    if not isinstance(extractor, Extractor):
        raise UsageError(f"embed: extractor: expected one of open_extractor(), got {_settings.shown(extractor)}")
    heard = listener(progress)
    if isinstance(images, (str, os.PathLike)):
        return extractor.embed_path(_settings.path("embed", "images", images), batch=batch, progress=heard)
    try:
        tensor = torch.as_tensor(images)
    except (TypeError, ValueError, RuntimeError):
        raise UsageError(
            f"images: expected an array uint8 [N, H, W, C] or a path, got {type(images).__name__}"
        ) from None
    try:
        y = None if labels is None else torch.as_tensor(labels).to(torch.int64)
    except (TypeError, ValueError, RuntimeError):
        raise UsageError(f"embed: labels: expected whole numbers, got {_settings.shown(labels)}") from None
    return extractor.embed_array(tensor, y, batch=batch, progress=heard)


def fid(
    samples: Images,
    reference: Images,
    *,
    features: Features = None,
    protocol: str = "openai",
    device: Device = "cpu",
    batch: int = 64,
    progress: Any = None,
) -> float:
    """The Frechet distance of two sets of images, or of images and statistics."""
    extractor = open_extractor(features, protocol=protocol, device=device)
    pair = [embed(images, extractor, batch=batch, progress=progress) for images in (samples, reference)]
    return frechet_distance(pair[0].gaussian, pair[1].gaussian)
