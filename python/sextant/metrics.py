"""How good are samples: FID, KID, precision, recall, Inception Score, from features or from images.

    metrics.fid(images, "reference.npz", features="pt_inception-2015-12-05-6726825d.pth")

Images are uint8 [N, H, W, C] (numpy or torch), a folder, an .npz of samples or, as a reference, of statistics.
calculate_fid_given_paths(), compute_fid() and calculate_metrics() take the calls of pytorch-fid, clean-fid and
torch-fidelity and follow their protocols; Inception's weights are looked for where those tools keep them.
"""

import os
from typing import Any, Dict, List, Optional, Sequence, Union

import torch

from . import _settings
from ._core import UsageError
from ._core import evaluation as _evaluation
from ._core.evaluation import Embedding, Extractor, metric_names
from ._core.metrics import (
    Gaussian,
    class_accuracy,
    density_coverage,
    frechet_distance,
    frechet_infinity,
    gaussian_of,
    inception_score_chunks,
    inception_score_splits,
    kernel_distance,
    numpy_permutation,
    precision_recall,
    squared_mmd,
)

__all__ = [
    "Embedding", "Extractor", "Gaussian", "calculate_fid_given_paths", "calculate_metrics", "class_accuracy",
    "compute_fid", "density_coverage", "embed", "evaluate", "fid", "find_inception", "frechet_distance",
    "frechet_infinity", "gaussian_of", "inception_score_chunks", "inception_score_splits", "kernel_distance",
    "metric_names", "numpy_permutation", "open_extractor", "precision_recall", "save_statistics", "squared_mmd",
]  # fmt: skip

Images = Union[torch.Tensor, Any, str, "os.PathLike[str]"]
Features = Union[Extractor, str, "os.PathLike[str]", None]

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
    features: Features = None, *, protocol: str = "openai", device: str = "cpu", arch: str = "", layer: str = ""
) -> Extractor:
    """A feature network: a model folder, a file of Inception's weights (looked for where None), or with `arch` or
    `layer` a checkpoint of another network. `protocol` is "openai", "pytorch-fid" or "torch-fidelity"."""
    if isinstance(features, Extractor):
        return features
    path = find_inception() if features is None else os.fspath(features)
    return Extractor(path, protocol=protocol, device=device, arch=arch, layer=layer)


def embed(
    images: Images, extractor: Extractor, *, labels: Any = None, batch: int = 64, progress: Any = None
) -> Embedding:
    """What a feature network makes of images: their features, their Gaussian, their logits."""
    if isinstance(images, Embedding):
        return images
    if isinstance(images, (str, os.PathLike)):
        return extractor.embed_path(os.fspath(images), batch=batch, progress=progress)
    try:
        tensor = torch.as_tensor(images)
    except (TypeError, ValueError, RuntimeError):
        raise UsageError(
            f"images: expected an array uint8 [N, H, W, C] or a path, got {type(images).__name__}"
        ) from None
    y = None if labels is None else torch.as_tensor(labels).to(torch.int64)
    return extractor.embed_array(tensor, y, batch=batch, progress=progress)


def evaluate(
    samples: Images,
    reference: Images,
    *,
    features: Features = None,
    metrics: Sequence[str] = ("fid",),
    protocol: str = "openai",
    device: str = "cpu",
    batch: int = 64,
    neighbours: int = 3,
    kid_subsets: int = 100,
    kid_subset_size: int = 1000,
    bootstrap: int = 0,
    progress: Any = None,
) -> Dict[str, float]:
    """Numbers by name, see metric_names(), of samples against a reference."""
    if isinstance(metrics, str):
        metrics = metrics.split("+")
    unknown = [name for name in metrics if name not in metric_names()]
    if unknown:
        raise UsageError(f"metrics: '{_settings.shown(unknown[0])}' is unknown; use {', '.join(metric_names())}")
    extractor = open_extractor(features, protocol=protocol, device=device)
    made = _evaluation.evaluate(
        embed(samples, extractor, batch=batch, progress=progress),
        embed(reference, extractor, batch=batch, progress=progress),
        extractor,
        list(metrics),
        neighbours=neighbours,
        kid_subsets=kid_subsets,
        kid_subset_size=kid_subset_size,
        bootstrap=bootstrap,
        progress=progress,
    )
    return _numbers(made)


def _numbers(made: Dict[str, Any]) -> Dict[str, float]:
    numbers: Dict[str, float] = {}
    for key, measure in made["metrics"].items():
        value = measure["value"] if isinstance(measure, dict) else measure
        numbers[key] = value
        if isinstance(measure, dict) and measure.get("standard_deviation") is not None:
            numbers[key + "_std"] = measure["standard_deviation"]
    return numbers


def fid(
    samples: Images,
    reference: Images,
    *,
    features: Features = None,
    protocol: str = "openai",
    device: str = "cpu",
    batch: int = 64,
    progress: Any = None,
) -> float:
    """The Frechet distance of two sets of images, or of images and statistics."""
    extractor = open_extractor(features, protocol=protocol, device=device)
    pair = [embed(images, extractor, batch=batch, progress=progress) for images in (samples, reference)]
    return frechet_distance(pair[0].gaussian, pair[1].gaussian)


def save_statistics(
    path: Union[str, "os.PathLike[str]"], images: Images, extractor: Extractor, *, batch: int = 64
) -> None:
    """Writes mu and sigma of images to an .npz, to be a reference later, of pytorch-fid too."""
    extractor.save_statistics(os.fspath(path), embed(images, extractor, batch=batch))


# ---- the calls of other tools ----------------------------------------------------------------------------------------


def calculate_fid_given_paths(
    paths: Sequence[Images],
    batch_size: int = 50,
    device: Any = "cpu",
    dims: int = 2048,
    num_workers: int = 1,
    *,
    features: Features = None,
) -> float:
    """pytorch-fid's call, with its protocol. `num_workers` has no part in the result and none in the speed here."""
    if len(paths) != 2:
        raise UsageError(f"calculate_fid_given_paths: expected two paths, got {len(paths)}")
    if dims != 2048:
        raise UsageError(
            f"calculate_fid_given_paths: of the features only the last 2048 are there, not {_settings.shown(dims)}"
        )
    return fid(
        paths[0], paths[1], features=features, protocol="pytorch-fid", device=str(device or "cpu"), batch=batch_size
    )


def compute_fid(
    fdir1: Images,
    fdir2: Images,
    mode: str = "legacy_pytorch",
    batch_size: int = 32,
    device: Any = "cpu",
    *,
    features: Features = None,
) -> float:
    """clean-fid's call, in its mode "legacy_pytorch", which is pytorch-fid's protocol; of the others it has none."""
    if not isinstance(mode, str) or mode != "legacy_pytorch":
        raise UsageError(
            f"compute_fid: mode '{_settings.shown(mode)}' resizes as no protocol here does; use mode='legacy_pytorch'"
        )
    return fid(fdir1, fdir2, features=features, protocol="pytorch-fid", device=str(device), batch=batch_size)


def calculate_metrics(
    *,
    input1: Images,
    input2: Optional[Images] = None,
    isc: bool = False,
    fid: bool = False,
    kid: bool = False,
    prc: bool = False,
    batch_size: int = 64,
    cuda: bool = False,
    isc_splits: int = 10,
    kid_subsets: int = 100,
    kid_subset_size: int = 1000,
    prc_neighborhood: int = 3,
    rng_seed: int = 2020,
    feature_extractor_weights_path: Features = None,
    verbose: bool = False,
) -> Dict[str, float]:
    """torch-fidelity's call, with its protocol and its names of the numbers."""
    if not (isc or fid or kid or prc):
        raise UsageError("calculate_metrics: ask for at least one of isc, fid, kid and prc")
    if (fid or kid or prc) and input2 is None:
        raise UsageError("calculate_metrics: fid, kid and prc compare two sets of images; input2 is missing")
    extractor = open_extractor(
        feature_extractor_weights_path, protocol="torch-fidelity", device="cuda" if cuda else "cpu"
    )
    one = embed(input1, extractor, batch=batch_size)
    numbers: Dict[str, float] = {}
    if isc:
        order = numpy_permutation(one.logits.size(0), rng_seed)
        mean, std = inception_score_splits(one.logits, splits=isc_splits, permutation=order)
        numbers.update(inception_score_mean=mean, inception_score_std=std)
    if input2 is None:
        return numbers
    two = embed(input2, extractor, batch=batch_size)
    if fid:
        numbers["frechet_inception_distance"] = frechet_distance(one.gaussian, two.gaussian)
    if (kid or prc) and (one.features is None or two.features is None):
        raise UsageError("calculate_metrics: kid and prc need images, statistics have no features")
    if kid:
        mean, std = kernel_distance(
            one.features, two.features, subsets=kid_subsets, subset_size=kid_subset_size, seed=rng_seed
        )
        numbers.update(kernel_inception_distance_mean=mean, kernel_inception_distance_std=std)
    if prc:
        precision, recall = precision_recall(two.features, one.features, neighbours=prc_neighborhood)
        f_score = 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0
        numbers.update(precision=precision, recall=recall, f_score=f_score)
    return numbers
