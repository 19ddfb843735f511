"""Classifier guidance for diffusers: pipelines that predict epsilon, v or x0, in pixels or in the latents of their VAE.

    guidance = sextant.diffusers.ClassifierGuidance(classifier, "js", scale=2.0)
    with guidance.attached(pipeline, targets=[3, 1]):        # a classic pipeline
        images = pipeline(class_labels=[3, 1], guidance_scale=4.0).images

    pipeline.update_components(guider=guidance.for_targets(scheduler, [3, 1]))  # a modular one: it is a BaseGuidance

The guide shifts what the network predicts as samplers.ddim does: x0 + (1 - abar) (1 + gamma_factor sin(pi t/T)) g for
a gradient g at x0, times 1/sqrt(abar) for one at x_t. A pipeline's own classifier-free guidance comes first and stays as it
is. The pipeline's scheduler does the rest; where it clips, it clips the shifted x0.
"""

import contextlib
import functools
import math
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple, Union

import torch

from . import _settings
from . import guide as _guide
from ._core import ShapeError, UsageError
from ._core.guide import SampleIds
from .samplers import _as_labels

try:
    from diffusers.guiders.guider_utils import BaseGuidance, GuiderOutput
except ImportError as _missing:
    raise ImportError(
        "sextant.diffusers needs diffusers with its guiders, 0.36 or later: pip install -U diffusers"
    ) from (_missing)

__all__ = ["ClassifierGuidance", "alpha_cumprod"]

Labels = Union[torch.Tensor, Sequence[int]]


def alpha_cumprod(scheduler: Any, timestep: Any) -> Tuple[float, int, int]:
    """abar of a scheduler's timestep, the step's respaced index (num_steps - 1 first) and their number."""
    timesteps = scheduler.timesteps
    places = (timesteps == torch.as_tensor(timestep, device=timesteps.device)).nonzero()
    if places.numel() == 0:
        raise UsageError(f"diffusers: the scheduler makes no step at timestep {timestep}")
    place = int(places[0])
    count = timesteps.numel()
    sigmas = getattr(scheduler, "sigmas", None)
    if sigmas is not None and len(sigmas) in (count, count + 1):
        # Noise levels of their own may round to one timestep; the scheduler counts its steps.
        index = getattr(scheduler, "step_index", None)
        if places.numel() > 1 and index is not None and bool((places == index).any()):
            place = int(index)
        return 1 / (1 + float(sigmas[place]) ** 2), count - 1 - place, count
    if places.numel() > 1:
        raise UsageError(
            f"diffusers: {type(scheduler).__name__} calls the network {places.numel()} times at timestep {timestep}; "
            "use a scheduler that calls it once a step, DDIMScheduler.from_config(pipeline.scheduler.config) for one"
        )
    return float(scheduler.alphas_cumprod[int(timestep)]), count - 1 - place, count


def _check(scheduler: Any) -> str:
    """What the network predicts. UsageError for a scheduler that cannot be guided so."""
    name = type(scheduler).__name__
    if not callable(getattr(scheduler, "step", None)) or not hasattr(scheduler, "config"):
        raise UsageError(f"diffusers: expected a pipeline with a scheduler, or a scheduler, got {name}")
    if getattr(scheduler, "alphas_cumprod", None) is None:
        edm = getattr(scheduler.config, "sigma_data", None) is not None
        why = "its network is preconditioned as EDM's" if edm else "it follows a flow"
        raise UsageError(f"diffusers: {name} has no alphas_cumprod ({why}): only diffusion can be guided")
    if getattr(scheduler, "order", 1) != 1:
        raise UsageError(f"diffusers: {name} calls the network twice a step; use a scheduler that calls it once")
    kind = str(getattr(scheduler.config, "prediction_type", "epsilon"))
    if kind not in ("epsilon", "v_prediction", "sample"):
        raise UsageError(f"diffusers: prediction_type '{kind}' is unknown; epsilon, v_prediction and sample are guided")
    return kind


def _decoder(pipeline: Any) -> Optional[Callable[[torch.Tensor], torch.Tensor]]:
    """The pipeline's own VAE, called vqvae in LDM's, from its float32 latents to float32 images in [-1, 1]."""
    vae: Any = next((part for part in (getattr(pipeline, name, None) for name in ("vae", "vqvae")) if part is not None),
                    None)  # fmt: skip
    if vae is None:
        return None
    shift = getattr(vae.config, "shift_factor", None) or 0.0
    return lambda z: vae.decode((z / vae.config.scaling_factor + shift).to(vae.dtype)).sample.float()


class ClassifierGuidance(BaseGuidance):  # type: ignore[misc]
    """A classifier and a score, as a guider of diffusers.

    `classifier`, `score` and the settings are those of sextant.Guide. `space` is what the classifier reads of a
    pipeline with a VAE: "pixels", decoded by it, or "latent". `guidance_scale` is classifier-free guidance in modular pipelines,
    uncond + guidance_scale (cond - uncond); 1 is off. A classic pipeline has its own.
    """

    _input_predictions = ["pred_cond", "pred_uncond"]

    def __init__(
        self,
        classifier: Any,
        score: Any = "plain",
        *,
        guidance_scale: float = 1.0,
        space: str = "pixels",
        classes: int = 0,
        uses_time: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__()
        if space not in ("pixels", "latent"):
            raise UsageError(f"ClassifierGuidance: space is pixels or latent, got {space!r}")
        settings = {name.replace("-", "_"): value for name, value in settings.items() if value is not None}
        if settings.get("guidance_input") == "jacobian":
            raise UsageError("ClassifierGuidance: diffusers hides the network, so no gradient through it; use x0 or xt")
        self.guidance_scale = _settings.number("ClassifierGuidance", "guidance_scale", guidance_scale)
        # What diffusers shows of a guider and keeps in a pipeline's folder, which has no place for modules and functions.
        kept = _settings.plain("ClassifierGuidance", "settings", settings)
        named = {"score": score} if isinstance(score, str) else {}
        self.register_to_config(guidance_scale=self.guidance_scale, space=space, **named, **kept)
        self.classifier = _guide.as_classifier(classifier, classes, uses_time)
        self.score = score
        self.settings = settings
        self.space = space
        self.guide = _guide.Guide(self.classifier, score, **settings)
        self._scheduler: Any = None
        self._targets: Optional[torch.Tensor] = None
        self._seen: Optional[torch.Tensor] = None
        self._hook: Any = None
        self._attached = False
        self._decode: Optional[Callable[[torch.Tensor], torch.Tensor]] = None

    def new(self, **changes: Any) -> "ClassifierGuidance":
        """A copy with some settings changed."""
        given: Dict[str, Any] = {"guidance_scale": self.guidance_scale, "space": self.space, **self.settings, **changes}
        return ClassifierGuidance(given.pop("classifier", self.classifier), given.pop("score", self.score), **given)

    # ---- the shift of a prediction -----------------------------------------------------------------------------------

    def _prepare(
        self, scheduler: Any, targets: Labels, decode: Optional[Callable[[torch.Tensor], torch.Tensor]]
    ) -> None:
        self._kind = _check(scheduler)
        self._scheduler = scheduler
        self._targets = _as_labels("targets", targets)
        self._decode = decode if self.space == "pixels" else None
        classifier = self.classifier
        if self._decode is not None:
            if classifier.uses_time:
                raise UsageError("ClassifierGuidance: a noise-aware classifier reads latents; use space='latent'")
            classifier = _guide.as_classifier(lambda z: self.classifier(self._decode(z)), classifier.classes)
        self.guide = _guide.Guide(classifier, self.score, **self.settings)
        self.guide.begin()

    def shifted(self, output: torch.Tensor, timestep: Any, x: torch.Tensor) -> torch.Tensor:
        """The network's prediction, guided. x [N, C, H, W] = sqrt(abar) x0 + sqrt(1 - abar) noise."""
        if self._targets is None:
            raise UsageError("ClassifierGuidance: no targets; use attached() or for_targets()")
        abar, step, count = alpha_cumprod(self._scheduler, timestep)
        if not self._enabled or not self.guide.active(step, count):
            return output
        targets = self._targets.to(x.device)
        rows = targets.numel()
        # A pipeline with classifier-free guidance may carry every sample twice.
        copies = x.size(0) // rows
        if copies * rows != x.size(0) or copies not in (1, 2):
            raise ShapeError(f"ClassifierGuidance: {rows} targets for {x.size(0)} samples")
        channels = x.size(1)
        noisy, predicted = x[:rows].float(), output[:rows, :channels].float()
        signal, noise = math.sqrt(abar), math.sqrt(1 - abar)
        at_noisy = self.settings.get("guidance_input") == "xt"
        if signal == 0 and (at_noisy or self._kind == "epsilon"):
            needs = "guidance_input='xt'" if at_noisy else "a network that predicts epsilon"
            raise UsageError(
                f"ClassifierGuidance: at timestep {timestep} x_t is noise alone (rescale_betas_zero_snr), where {needs} "
                "cannot be guided; leave the step out by guidance_interval"
            )
        if self._kind == "epsilon":
            x0 = (noisy - noise * predicted) / signal
        elif self._kind == "v_prediction":
            x0 = signal * noisy - noise * predicted
        else:
            x0 = predicted
        if getattr(self._scheduler.config, "clip_sample", False):
            limit = float(getattr(self._scheduler.config, "clip_sample_range", 1.0))
            x0 = x0.clamp(-limit, limit)
        time = torch.full((rows,), float(timestep), device=x.device)
        at = dict(
            step=step,
            num_steps=count,
            x=noisy,
            t=time,
            variance=torch.full((1, 1, 1, 1), 1 - abar, device=x.device),
            alpha_cumprod=abar,
            ids=SampleIds(0, list(range(rows))),
        )
        gradient = self.guide(x0, targets, **at).gradient
        shift = (1 - abar) * (1 / signal if at_noisy else 1.0) * self.guide.score_factor(step, count) * gradient
        if int(self.settings.get("backward_steps", 0)) > 0:
            shift = shift + self.guide.backward(x0, targets, **at)
        change = {"epsilon": -signal / noise, "v_prediction": -1 / noise, "sample": 1.0}[self._kind] * shift
        change = torch.cat([change] * copies).to(output.dtype)
        return torch.cat([output[:, :channels] + change, output[:, channels:]], 1)

    # ---- classic pipelines -------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def attached(self, pipeline: Any, targets: Labels) -> Iterator[Any]:
        """Within it the pipeline's scheduler receives guided predictions, steered to `targets`, one per sample.

        Several may be attached at once, one within the other: their shifts add up.
        """
        if self._attached:
            raise UsageError("ClassifierGuidance: it is attached already; attach another, made by new()")
        scheduler = getattr(pipeline, "scheduler", pipeline)
        self._prepare(scheduler, targets, _decoder(pipeline))
        original = scheduler.step
        before = vars(scheduler).get("step")
        scaled = float(getattr(scheduler, "init_noise_sigma", 1.0)) != 1.0

        @functools.wraps(original)
        def step(model_output: torch.Tensor, timestep: Any, sample: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
            if alpha_cumprod(scheduler, timestep)[1] == scheduler.timesteps.numel() - 1:
                self.guide.begin()
            # Schedulers over noise levels keep x0 + sigma noise.
            abar = alpha_cumprod(scheduler, timestep)[0]
            x = sample * math.sqrt(abar) if scaled else sample
            guided = self.shifted(model_output, timestep, x)
            return original(guided, timestep, sample, *args, **kwargs)

        scheduler.step = step
        self._attached = True
        try:
            yield pipeline
        finally:
            self._attached = False
            if before is None:
                vars(scheduler).pop("step", None)
            else:
                scheduler.step = before

    # ---- modular pipelines -------------------------------------------------------------------------------------------

    def for_targets(self, scheduler: Any, targets: Labels, vae: Any = None) -> "ClassifierGuidance":
        """This guider, set up for a pipeline's scheduler (and its VAE, where the classifier reads pixels)."""
        self._prepare(scheduler, targets, _decoder(type("Parts", (), {"vae": vae})()))
        return self

    def prepare_models(self, denoiser: torch.nn.Module) -> None:
        """Called by the pipeline before its network: from now on what the network is given is seen."""
        super().prepare_models(denoiser)

        def see(module: torch.nn.Module, args: Tuple[Any, ...], kwargs: Any) -> None:
            # Schedulers over noise levels scale the network's input to sqrt(abar) x0 + sqrt(1 - abar) noise.
            self._seen = args[0] if args else kwargs.get("sample", kwargs.get("hidden_states"))

        self._hook = denoiser.register_forward_pre_hook(see, with_kwargs=True)

    def cleanup_models(self, denoiser: torch.nn.Module) -> None:
        """Called by the pipeline after its network: nothing is seen any more."""
        if self._hook is not None:
            self._hook.remove()
        self._hook = None

    def prepare_inputs(self, data: Any) -> List[Any]:
        """The network's inputs, a batch for each prediction that forward() wants."""
        names = self._input_predictions[: self.num_conditions]
        return [self._prepare_batch(data, place, name) for place, name in enumerate(names)]

    def prepare_inputs_from_block_state(self, data: Any, input_fields: Any) -> List[Any]:
        """The same of a modular pipeline's block."""
        names = self._input_predictions[: self.num_conditions]
        return [self._prepare_batch_from_block_state(input_fields, data, i, name) for i, name in enumerate(names)]

    def forward(self, pred_cond: torch.Tensor, pred_uncond: Optional[torch.Tensor] = None) -> Any:
        """The prediction that the scheduler gets: pred_uncond + guidance_scale (pred_cond - pred_uncond), shifted."""
        mixed = pred_cond
        if pred_uncond is not None:
            mixed = pred_uncond + self.guidance_scale * (pred_cond - pred_uncond)
        if self._seen is None:
            raise UsageError("ClassifierGuidance: the pipeline called no network between prepare_models and forward")
        guided = self.shifted(mixed, self._timestep, self._seen[: mixed.size(0)])
        return GuiderOutput(pred=guided, pred_cond=pred_cond, pred_uncond=pred_uncond)

    @property
    def is_conditional(self) -> bool:
        """Whether the batch that is prepared is the conditional one."""
        return bool(self._count_prepared == 1)

    @property
    def num_conditions(self) -> int:
        """2 with classifier-free guidance, else 1."""
        return 2 if self._enabled and not math.isclose(self.guidance_scale, 1.0) else 1
