"""The calls of pytorch-fid, clean-fid and torch-fidelity, with their protocols."""

import os
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy

from . import _settings
from ._core import UsageError
from ._core.evaluation import Embedding
from ._core.metrics import (
    Gaussian,
    frechet_distance,
    inception_score_splits,
    kernel_distance,
    numpy_permutation,
    precision_recall,
)
from ._features import Device, Features, Images, embed, fid, open_extractor

# The protocol whose resize is that of a mode.
_CLEAN_FID_MODES = {"clean": "clean-fid", "legacy_pytorch": "pytorch-fid", "legacy_tensorflow": "torch-fidelity"}

# Settings of clean-fid and torch-fidelity: those of None change no number; the others may have this value alone.
_CLEAN_FID: Dict[str, Optional[Tuple[Any, ...]]] = {
    "num_workers": None, "verbose": None, "use_dataparallel": None, "num_gen": None, "z_dim": None,
    "dataset_name": None, "dataset_res": None, "dataset_split": None,  # of a generator and of its own statistics
    "gen": (None,), "model_name": ("inception_v3",), "custom_feat_extractor": (None,),
    "custom_image_tranform": (None,), "custom_fn_resize": (None,),
}  # fmt: skip
_TORCH_FIDELITY: Dict[str, Optional[Tuple[Any, ...]]] = {
    "verbose": None, "cache": None, "cache_root": None, "input1_cache_name": None, "input2_cache_name": None,
    "save_cpu_ram": None, "datasets_root": None, "datasets_download": None, "prc_batch_size": None,
    "feature_extractor_compile": None, "samples_ext_lossy": None,
    "samples_find_deep": (False,), "samples_shuffle": (True,), "samples_resize_and_crop": (0,), "ppl": (False,),
    "feature_extractor": (None, "inception-v3-compat"), "feature_layer_isc": (None, "logits_unbiased"),
    "feature_layer_fid": (None, "2048"), "feature_layer_kid": (None, "2048"), "feature_layer_prc": (None, "2048"),
    "feature_extractor_internal_dtype": (None, "float32"), "kid_degree": (3,), "kid_gamma": (None,), "kid_coef0": (1,),
}  # fmt: skip


def _is(value: Any, one: Any) -> bool:
    """Whether a setting has this value. Arrays are equal to nothing in one word."""
    return value is one or (isinstance(value, (str, int, float, numpy.generic)) and bool(value == one))


def _check_flags(who: str, **flags: Any) -> None:
    for name, value in flags.items():
        if not isinstance(value, (bool, int, numpy.bool_)):
            raise UsageError(f"{who}: {name}: expected True or False, got {_settings.shown(value)}")


def _check_others(who: str, others: Mapping[str, Any], known: Mapping[str, Optional[Tuple[Any, ...]]]) -> None:
    for name, value in others.items():
        if name not in known:
            raise TypeError(f"{who}() got an unexpected keyword argument '{name}'")
        accepted = known[name]
        if accepted is not None and not any(_is(value, one) for one in accepted):
            raise UsageError(
                f"{who}: {name} = {_settings.shown(value)} would change the number and has no counterpart here; "
                f"{accepted[-1]!r} alone is there"
            )


def _pair(who: str, paths: Any, dims: Any) -> List[Images]:
    """pytorch-fid's two paths."""
    if not isinstance(paths, (list, tuple)) or len(paths) != 2:
        got = len(paths) if isinstance(paths, (list, tuple)) else _settings.shown(paths)
        raise UsageError(f"{who}: expected two paths, got {got}")
    if not _is(dims, 2048):
        raise UsageError(f"{who}: of the features only the last 2048 are there, not {_settings.shown(dims)}")
    return list(paths)


def _as_clean_fid(
    who: str,
    images: Tuple[Images, Images],
    mode: Any,
    batch: int,
    device: Device,
    features: Features,
    others: Mapping[str, Any],
) -> List[Embedding]:
    """What clean-fid makes of two sets of images."""
    if not isinstance(mode, str) or mode not in _CLEAN_FID_MODES:
        raise UsageError(f"{who}: mode '{_settings.shown(mode)}' is unknown; use {', '.join(_CLEAN_FID_MODES)}")
    _check_others(who, others, _CLEAN_FID)
    extractor = open_extractor(features, protocol=_CLEAN_FID_MODES[mode], device=device)
    return [embed(one, extractor, batch=batch) for one in images]


def calculate_fid_given_paths(
    paths: Sequence[Images],
    batch_size: int = 50,
    device: Device = "cpu",
    dims: int = 2048,
    num_workers: int = 1,
    *,
    features: Features = None,
) -> float:
    """pytorch-fid's call, with its protocol. `num_workers` has no part in the result and none in the speed here."""
    one, two = _pair("calculate_fid_given_paths", paths, dims)
    return fid(one, two, features=features, protocol="pytorch-fid", device=device, batch=batch_size)


def save_fid_stats(
    paths: Sequence[Images],
    batch_size: int = 50,
    device: Device = "cpu",
    dims: int = 2048,
    num_workers: int = 1,
    *,
    features: Features = None,
) -> None:
    """pytorch-fid's call: mu and sigma of the images at the first path into an .npz at the second, which is new."""
    images, out = _pair("save_fid_stats", paths, dims)
    path = _settings.path("save_fid_stats", "paths[1]", out)
    if os.path.exists(path):
        raise UsageError(f"save_fid_stats: {path} exists already; remove it or name another file")
    extractor = open_extractor(features, protocol="pytorch-fid", device=device)
    extractor.save_statistics(path, embed(images, extractor, batch=batch_size))


def calculate_frechet_distance(mu1: Any, sigma1: Any, mu2: Any, sigma2: Any, eps: float = 1e-6) -> float:
    """pytorch-fid's call: the Frechet distance of N(mu1 [D], sigma1 [D, D]) and N(mu2, sigma2). `eps` is not needed, as
    the root of a singular product is found here."""
    who = "calculate_frechet_distance"
    parts = [_settings.tensor(who, name, value).double() for name, value in
             (("mu1", mu1), ("sigma1", sigma1), ("mu2", mu2), ("sigma2", sigma2))]  # fmt: skip
    return frechet_distance(Gaussian(parts[0], parts[1]), Gaussian(parts[2], parts[3]))


def compute_fid(
    fdir1: Images,
    fdir2: Images,
    mode: str = "clean",
    batch_size: int = 32,
    device: Device = "cpu",
    *,
    features: Features = None,
    **others: Any,
) -> float:
    """clean-fid's call, in its modes "clean", "legacy_pytorch" and "legacy_tensorflow"."""
    one, two = _as_clean_fid("compute_fid", (fdir1, fdir2), mode, batch_size, device, features, others)
    return frechet_distance(one.gaussian, two.gaussian)


def compute_kid(
    fdir1: Images,
    fdir2: Images,
    mode: str = "clean",
    batch_size: int = 32,
    device: Device = "cpu",
    *,
    features: Features = None,
    seed: int = 0,
    **others: Any,
) -> float:
    """clean-fid's call, in the modes of compute_fid(): the mean of 100 subsets of at most 1000 images, which clean-fid
    draws anew at every call and this one from `seed`."""
    one, two = _as_clean_fid("compute_kid", (fdir1, fdir2), mode, batch_size, device, features, others)
    if one.features is None or two.features is None:
        raise UsageError("compute_kid: needs images, statistics have no features")
    size = min(1000, one.features.size(0), two.features.size(0))
    return kernel_distance(one.features, two.features, subsets=100, subset_size=size, seed=seed)[0]


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
    **others: Any,
) -> Dict[str, float]:
    """torch-fidelity's call, with its protocol and its names of the numbers. Of its other settings those that change no
    number are taken, and those that do only with their defaults."""
    _check_others("calculate_metrics", others, _TORCH_FIDELITY)
    _check_flags("calculate_metrics", isc=isc, fid=fid, kid=kid, prc=prc, cuda=cuda)
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
        if one.logits is None:
            raise UsageError("calculate_metrics: isc needs images, input1 has no logits")
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
