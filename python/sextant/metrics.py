"""How good are samples: FID, KID, precision, recall, Inception Score, from features or from images.

    metrics.fid(images, "reference.npz", features="pt_inception-2015-12-05-6726825d.pth")

Images are uint8 [N, H, W, C] (numpy or torch), a folder, an .npz of samples or, as a reference, of statistics.
calculate_fid_given_paths(), save_fid_stats() and calculate_frechet_distance() take the calls of pytorch-fid,
compute_fid() and compute_kid() those of clean-fid, calculate_metrics() that of torch-fidelity, and follow their
protocols; Inception's weights are looked for where those tools keep them.
"""

import os
from typing import Any, Dict, Sequence, Union

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
from ._features import Device, Features, Images, embed, fid, find_inception, open_extractor
from ._other_tools import (
    calculate_fid_given_paths,
    calculate_frechet_distance,
    calculate_metrics,
    compute_fid,
    compute_kid,
    save_fid_stats,
)
from ._progress import listener

__all__ = [
    "Embedding", "Extractor", "Gaussian", "calculate_fid_given_paths", "calculate_frechet_distance",
    "calculate_metrics", "class_accuracy", "compute_fid", "compute_kid", "density_coverage", "embed", "evaluate",
    "fid", "find_inception", "frechet_distance", "frechet_infinity", "gaussian_of", "inception_score_chunks",
    "inception_score_splits", "kernel_distance", "metric_names", "numpy_permutation", "open_extractor",
    "precision_recall", "save_fid_stats", "save_statistics", "squared_mmd",
]  # fmt: skip


def evaluate(
    samples: Images,
    reference: Images,
    *,
    labels: Any = None,
    features: Features = None,
    metrics: Sequence[str] = ("fid",),
    protocol: str = "openai",
    device: Device = "cpu",
    batch: int = 64,
    neighbours: int = 3,
    kid_subsets: int = 100,
    kid_subset_size: int = 1000,
    bootstrap: int = 0,
    progress: Any = None,
) -> Dict[str, float]:
    """Numbers by name, see metric_names(), of samples against a reference. "accuracy" and "ece" are of the features'
    network: it must know the classes of the samples' labels, which are `labels` [N], or arr_1 or the folders of a
    path."""
    if isinstance(metrics, str):
        metrics = metrics.split("+")
    if not isinstance(metrics, (list, tuple)):
        raise UsageError(f"metrics: expected names of numbers, got {_settings.shown(metrics)}")
    unknown = [name for name in metrics if name not in metric_names()]
    if unknown:
        raise UsageError(f"metrics: '{_settings.shown(unknown[0])}' is unknown; use {', '.join(metric_names())}")
    extractor = open_extractor(features, protocol=protocol, device=device)
    made = _evaluation.evaluate(
        embed(samples, extractor, labels=labels, batch=batch, progress=progress),
        embed(reference, extractor, batch=batch, progress=progress),
        extractor,
        list(metrics),
        neighbours=neighbours,
        kid_subsets=kid_subsets,
        kid_subset_size=kid_subset_size,
        bootstrap=bootstrap,
        progress=listener(progress),
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


def save_statistics(
    path: Union[str, "os.PathLike[str]"], images: Images, extractor: Extractor, *, batch: int = 64
) -> None:
    """Writes mu and sigma of images to an .npz, to be a reference later, of pytorch-fid too."""
    path = _settings.path("save_statistics", "path", path)
    if not isinstance(extractor, Extractor):
        shown = _settings.shown(extractor)
        raise UsageError(f"save_statistics: extractor: expected one of open_extractor(), got {shown}")
    extractor.save_statistics(path, embed(images, extractor, batch=batch))
