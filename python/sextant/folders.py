"""Folders of diffusers: UNet2DModel, DiTTransformer2DModel and AutoencoderKL open here, and ours are saved as such.

    model = sextant.open_denoiser("some-ddpm-pipeline")          # a pipeline's folder, or that of its network
    sextant.folders.to_diffusers("models/mnist-adm", "pipeline")  # DiffusionPipeline.from_pretrained("pipeline")

A folder of diffusers has a config.json with "_class_name", and weights in diffusion_pytorch_model.safetensors (or .bin,
which is read as data, not executed). What has no counterpart is refused by name. diffusers itself is not needed.
"""

import contextlib
import json
import os
import pathlib
import warnings
from typing import Any, Dict, Iterator, Tuple, Union

import torch

from . import _dit, _settings, _unet2d
from ._core import CheckpointError, Error
from ._core import checkpoint as _checkpoint

__all__ = ["from_diffusers", "is_diffusers", "to_diffusers"]

Path = Union[str, "os.PathLike[str]"]

_KINDS = {
    "UNet2DModel": "adm-unet",
    "DiTTransformer2DModel": "dit",
    "Transformer2DModel": "dit",
    "AutoencoderKL": "vae",
}
_PREDICTIONS = {"epsilon": "epsilon", "sample": "x0", "v_prediction": "v"}
# The schedulers of a diffusion of evenly many steps, and whether they clip x0 where their config is silent.
_CLIPS = {
    "DDPMScheduler": True, "DDPMParallelScheduler": True, "DDIMScheduler": True, "DDIMParallelScheduler": True,
    "PNDMScheduler": False, "LMSDiscreteScheduler": False, "EulerDiscreteScheduler": False,
    "EulerAncestralDiscreteScheduler": False, "DEISMultistepScheduler": False, "UniPCMultistepScheduler": False,
    "DPMSolverMultistepScheduler": False, "DPMSolverSinglestepScheduler": False,
}  # fmt: skip
_VARIANCES = ("fixed_small", "fixed_large", "learned", "learned_range")


def _json(path: pathlib.Path) -> Dict[str, Any]:
    try:
        made = json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise CheckpointError(f"cannot read {path}: {problem.strerror}") from None
    except ValueError as problem:
        raise CheckpointError(f"{path} is no JSON: {problem}") from None
    if not isinstance(made, dict):
        raise CheckpointError(f"{path}: expected a JSON object of settings, got {_settings.shown(made)}")
    return made


@contextlib.contextmanager
def _whole(place: pathlib.Path) -> Iterator[None]:
    """CheckpointError for what is missing in a config.json and its weights, and for what is of another kind."""
    try:
        yield
    except Error:
        raise
    except KeyError as missing:
        raise CheckpointError(f"{place}: its config.json or its weights lack {missing.args[0]}") from None
    except (AttributeError, IndexError, TypeError, ValueError, RuntimeError, ArithmeticError) as problem:
        why = " ".join(str(problem).split())
        raise CheckpointError(f"{place}: its config.json and its weights describe no network: {why}") from None


def _network_folder(folder: pathlib.Path) -> pathlib.Path:
    """The network's own folder, of a pipeline's."""
    if (folder / "model_index.json").exists():
        for name in ("unet", "transformer"):
            if (folder / name / "config.json").exists():
                return folder / name
    return folder


def is_diffusers(path: Path) -> bool:
    """Whether this is a folder of a network or a pipeline of diffusers."""
    config = _network_folder(pathlib.Path(_settings.path("is_diffusers", "path", path))) / "config.json"
    if not config.is_file():
        return False
    try:
        return "_class_name" in json.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return False


def _weights(folder: pathlib.Path) -> Dict[str, torch.Tensor]:
    for end in ("safetensors", "bin"):
        index = folder / f"diffusion_pytorch_model.{end}.index.json"
        if index.exists():
            files = sorted(set(_json(index)["weight_map"].values()))
            if any(pathlib.PurePath(name).name != name for name in files):
                raise CheckpointError(f"{index} names files outside of its folder")
            return {key: tensor for name in files for key, tensor in _checkpoint.load(folder / name).items()}
        file = folder / f"diffusion_pytorch_model.{end}"
        if file.exists():
            return dict(_checkpoint.load(file))
    raise CheckpointError(f"{folder} has no diffusion_pytorch_model.safetensors and no diffusion_pytorch_model.bin")


def _process(folder: pathlib.Path, learned: bool) -> Dict[str, Any]:
    """config.json's "diffusion", of the scheduler beside a network."""
    file = next((f for f in (folder.parent / "scheduler/scheduler_config.json", folder / "scheduler_config.json")
                 if f.exists()), None)  # fmt: skip
    if file is None:
        warnings.warn(
            f"{folder} has no scheduler: 1000 steps of the linear schedule and predicted noise are assumed",
            stacklevel=4,
        )
    scheduler = _json(file) if file else {}

    def refuse(why: str) -> None:
        raise CheckpointError(f"{file}: {why}")

    name = scheduler.get("_class_name", "DDPMScheduler")
    if name not in _CLIPS or scheduler.get("use_flow_sigmas"):
        refuse(f"the process of {name} is another than the DDPM's; {', '.join(_CLIPS)} follow that")
    clip = bool(scheduler.get("clip_sample", _CLIPS[name]))
    if clip and scheduler.get("clip_sample_range", 1.0) != 1:
        refuse(f"clip_sample_range is {scheduler['clip_sample_range']}; x0 is clipped to [-1, 1] here")
    if scheduler.get("thresholding"):
        refuse("thresholding is on, which no sampler here does")
    steps, schedule = scheduler.get("num_train_timesteps", 1000), scheduler.get("beta_schedule", "linear")
    if scheduler.get("trained_betas") is not None or scheduler.get("rescale_betas_zero_snr"):
        refuse("its betas are given one by one or rescaled, which no schedule here is")
    if schedule == "linear":
        ends = (scheduler.get("beta_start", 1e-4) * steps / 1000, scheduler.get("beta_end", 0.02) * steps / 1000)
        if max(abs(ends[0] - 1e-4), abs(ends[1] - 0.02)) > 1e-9:
            refuse(f"its betas rise from {ends[0]:g} to {ends[1]:g}; the linear schedule here from 0.0001 to 0.02")
    elif schedule != "squaredcos_cap_v2":
        refuse(f"beta_schedule '{schedule}' is not here; linear and squaredcos_cap_v2 are")
    prediction = scheduler.get("prediction_type", "epsilon")
    if prediction not in _PREDICTIONS:
        refuse(f"prediction_type '{prediction}' is not here; use {', '.join(_PREDICTIONS)}")
    variance = scheduler.get("variance_type", "learned_range" if learned else "fixed_small")
    if variance not in _VARIANCES:
        variance = "fixed_small"
    if variance.startswith("learned") != learned:
        refuse(f"variance_type '{variance}' does not fit a network that predicts {'a' if learned else 'no'} variance")
    return {
        "steps": steps,
        "noise_schedule": "cosine" if schedule == "squaredcos_cap_v2" else "linear",
        "predict": _PREDICTIONS[prediction],
        "learn_sigma": learned,
        "model_var_type": variance.upper(),
        "clip": clip,
    }


@contextlib.contextmanager
def _writing(out: pathlib.Path) -> Iterator[None]:
    """CheckpointError where a folder or a file cannot be written."""
    try:
        yield
    except OSError as problem:
        raise CheckpointError(f"cannot write {problem.filename or out}: {problem.strerror}") from None


def _write(
    folder: Path, config: Dict[str, Any], name: str, weights: Dict[str, torch.Tensor], file: str
) -> pathlib.Path:
    out = pathlib.Path(folder)
    _write_json(out / name, config)
    _checkpoint.save_safetensors(out / file, {key: tensor.contiguous() for key, tensor in weights.items()})
    return out


def _write_json(path: pathlib.Path, settings: Dict[str, Any]) -> None:
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def from_diffusers(folder: Path, out: Path) -> str:
    """Writes the network in a folder of diffusers, or of a pipeline of it, as a model folder `out`, which is returned.

    The process is that of the scheduler beside the network. A UNet2DModel is ADM's U-Net where their settings agree;
    CheckpointError names the one that does not.
    """
    place = _network_folder(pathlib.Path(_settings.path("from_diffusers", "folder", folder)))
    out = _settings.path("from_diffusers", "out", out)
    config = _json(place / "config.json")
    kind = _KINDS.get(config.get("_class_name", ""))
    if kind is None:
        raise CheckpointError(
            f"{place} holds a {config.get('_class_name', 'network without _class_name')}; {', '.join(_KINDS)} open here"
        )
    with _whole(place):
        weights = _weights(place)
    own = _json(place / "sextant.json") if (place / "sextant.json").exists() else {}
    with _whole(place):
        made, ours = _described(kind, config, weights, own, place)
    return os.fspath(_write(out, made, "config.json", ours, "model.safetensors"))


def _described(
    kind: str, config: Dict[str, Any], weights: Dict[str, torch.Tensor], own: Dict[str, Any], place: pathlib.Path
) -> Tuple[Dict[str, Any], Dict[str, torch.Tensor]]:
    if kind == "vae":
        return {"type": "vae", "model": config}, weights
    if kind == "adm-unet":
        model = _unet2d.model_of(config)
        classes = model.get("num_classes", 0)
        # "sextant.json" is ours, of what a config.json of diffusers has no key for.
        made: Dict[str, Any] = {"type": kind, "model": model, "classes": own.get("classes", classes)}
        if "null_label" in own:
            made["null_label"] = own["null_label"]
        learned = model["out_channels"] == 2 * model["in_channels"]
        made["diffusion"] = own.get("diffusion") or _process(place, learned)
        return made, _unet2d.weights_of(model, weights)
    model = _dit.model_of(config, weights)
    process = own.get("diffusion") or {**_process(place, model["learn_sigma"]), "clip": False}
    made = {"type": kind, "model": model, "null_label": model["num_classes"], "diffusion": process}
    return made, _dit.weights_of(model, weights)


def _scheduler(diffusion: Dict[str, Any]) -> Dict[str, Any]:
    """A DDPMScheduler's config.json of a config.json's "diffusion"."""
    if diffusion.get("rescale_timesteps"):
        raise CheckpointError("the network counts rescaled timesteps, which diffusers does not")
    back = {ours: theirs for theirs, ours in _PREDICTIONS.items()}
    predict = diffusion.get("predict", "epsilon")
    if predict not in back:
        raise CheckpointError(f"the network predicts '{predict}', which no scheduler of diffusers takes")
    steps = diffusion.get("steps", 1000)
    learned = bool(diffusion.get("learn_sigma"))
    return {
        "_class_name": "DDPMScheduler",
        "num_train_timesteps": steps,
        "beta_schedule": "squaredcos_cap_v2" if diffusion.get("noise_schedule") == "cosine" else "linear",
        "beta_start": 1e-4 * 1000 / steps,
        "beta_end": 0.02 * 1000 / steps,
        "prediction_type": back[predict],
        "variance_type": str(diffusion.get("model_var_type", "LEARNED_RANGE" if learned else "FIXED_LARGE")).lower(),
        "clip_sample": bool(diffusion.get("clip", True)),
    }


def to_diffusers(folder: Path, out: Path) -> str:
    """Saves a model folder of ours (ADM's U-Net, DiT or the VAE) as diffusers does, and returns `out`.

    A VAE becomes a folder of AutoencoderKL. A diffusion model becomes `out`/unet or `out`/transformer with a
    DDPMScheduler in `out`/scheduler; of a U-Net also a model_index.json, so that
    DDPMPipeline.from_pretrained(out) works where it has no classes and predicts no variance. CheckpointError says what
    diffusers has no counterpart for.
    """
    source = pathlib.Path(_settings.path("to_diffusers", "folder", folder))
    out = _settings.path("to_diffusers", "out", out)
    config = _json(source / "config.json")
    file = source / str(config.get("weights", "model.safetensors"))
    if not file.exists():
        raise CheckpointError(f"{source} has no {file.name}")
    with _whole(source):
        kind, model, ours = config.get("type"), dict(config.get("model", {})), dict(_checkpoint.load(file))
    target = pathlib.Path(out)
    weights_file = "diffusion_pytorch_model.safetensors"
    if kind == "vae":
        if any(name.startswith("decoder.mid.") for name in ours):
            raise CheckpointError(f"{file} has CompVis' names; the weights of AutoencoderKL are needed")
        _write(target, {"_class_name": "AutoencoderKL", **model}, "config.json", ours, weights_file)
        return os.fspath(target)
    if kind not in ("adm-unet", "dit"):
        raise CheckpointError(f"diffusers has no network of type '{kind}'; adm-unet, dit and vae can be saved")
    names: Any = _unet2d if kind == "adm-unet" else _dit
    part = "unet" if kind == "adm-unet" else "transformer"
    with _whole(source):
        scheduler = _scheduler(config.get("diffusion", {}))
        settings, theirs = names.config_of(model), names.weights_from(model, ours)
    if kind == "dit" and model.get("frequency_shift", 0) == 0:
        warnings.warn(
            "diffusers embeds timesteps with w = 10000^(-k/127) where DiT has 10000^(-k/128): its outputs differ",
            stacklevel=2,
        )
    _write(target / part, settings, "config.json", theirs, weights_file)
    own: Dict[str, Any] = {key: config[key] for key in ("classes", "null_label", "diffusion") if key in config}
    _write_json(target / part / "sextant.json", own)
    _write_json(target / "scheduler/scheduler_config.json", scheduler)
    if kind == "adm-unet":
        index = {"_class_name": "DDPMPipeline", "unet": ["diffusers", "UNet2DModel"],
                 "scheduler": ["diffusers", "DDPMScheduler"]}  # fmt: skip
        _write_json(target / "model_index.json", index)
    return os.fspath(target)
