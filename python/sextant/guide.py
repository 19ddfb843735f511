"""The guide: a classifier and a score to climb."""

import os
from typing import Any, Callable, Dict, Sequence, Union

import numpy
import torch

from . import _settings, guidance
from ._core import UsageError
from ._core import guide as _guide
from ._core.guide import Classifier, Guidance, GuideInput

Score = Union[str, Callable[..., Any]]
Array = Union[torch.Tensor, "numpy.ndarray[Any, Any]"]
Targets = Union[Array, Sequence[int]]


def as_classifier(classifier: Any, classes: int = 0, uses_time: bool = False) -> Classifier:
    """A torch.nn.Module or any function from images [N, C, H, W] in [-1, 1] to logits [N, K] (with `uses_time`, of
    images and timesteps [N]) as what a guide reads. No TorchScript is needed."""
    if isinstance(classifier, Classifier):
        return classifier
    if not callable(classifier):
        hint = "; a file or folder is opened by open_classifier()" if isinstance(classifier, (str, os.PathLike)) else ""
        raise UsageError(f"classifier: expected a module or a function, got {type(classifier).__name__}{hint}")
    for name, module in classifier.named_modules() if isinstance(classifier, torch.nn.Module) else ():
        if getattr(module, "training", False):
            which = f"module's '{name}'" if name else "module"
            raise UsageError(
                f"classifier: the {which} is in training mode, its answers would depend on the batch: call eval()"
            )
    return Classifier(classifier, classes, uses_time)


def _recorded(value: Any) -> Any:
    """A tensor of inference mode as one that autograd takes."""
    return value.clone() if isinstance(value, torch.Tensor) and value.is_inference() else value


def _targets(y: Any) -> Any:
    """A list of classes as the tensor that it says; what is none is left to GuideInput, which tells."""
    if not isinstance(y, (list, tuple)):
        return _recorded(y)
    try:
        return torch.as_tensor(y)
    except (TypeError, ValueError, RuntimeError):
        return y


_STEP = ("step", "num_steps", "x", "t", "variance", "alpha_cumprod", "ids", "predict_x0")

# Settings of [guidance] that the command line's commands read and a guide does not, and what has their effect here.
_NOT_OF_A_GUIDE = {
    "guidance": "the score is the second argument: Guide(classifier, 'js')",
    "attributes": "a classifier of attributes is a function from images to the logits that are to be climbed",
    "attribute_weights": "a classifier of attributes is a function from images to the logits that are to be climbed",
    "guidance_space": "a classifier that reads latents is a function of them",
}


def _check_attributes(classifier: Classifier, score: Any) -> None:
    """UsageError for a score of classes of a classifier that judges attributes."""
    attributes = getattr(classifier, "attributes", None)
    if attributes is None or not isinstance(score, (str, guidance.NamedScore)):
        return
    which = f" for '{attributes[0]}'" if attributes else ""
    raise UsageError(
        f"Guide: '{score if isinstance(score, str) else score.name}' is a score of classes, of which one is true, and "
        "the classifier judges attributes, each by a logit of its own; give a function of them, "
        f"lambda f, y: torch.nn.functional.logsigmoid(f[:, 0]){which}"
    )


class Guide:
    """One vector-Jacobian product through the classifier per step, times a schedule.

    `classifier` is any torch.nn.Module or function of images in [-1, 1], or what open_classifier() opened; `score` is a
    name ("plain", "js", "js+entropy", ...) or a function of your own, see guidance.as_score().
    """

    def __init__(
        self, classifier: Any, score: Score = "plain", *, classes: int = 0, uses_time: bool = False, **settings: Any
    ) -> None:
        self.classifier = as_classifier(classifier, classes, uses_time)
        self._uses_time = self.classifier.uses_time
        self.score = score
        self.settings = dict(settings)
        _settings.refuse("Guide", settings, _NOT_OF_A_GUIDE)
        _check_attributes(self.classifier, score)
        if not isinstance(score, str):
            why = "it is of a score by name; give it to the score: named_score('js', alpha=0.3) for one"
            _settings.refuse("Guide", settings, dict.fromkeys(guidance._TERMS, why))
        self._guide = self._made()

    def _made(self) -> _guide.Guide:
        text = _settings.table("Guide", "guidance", self.settings)
        if isinstance(self.score, str):
            return _guide.Guide.by_name(self.classifier, self.score, text)
        own = self.score if isinstance(self.score, guidance.NamedScore) else guidance.as_score(self.score)
        return _guide.Guide.by_function(self.classifier, own, text)

    def __copy__(self) -> "Guide":
        """A guide of the same classifier and score, for a trajectory of its own."""
        made = object.__new__(type(self))
        vars(made).update(vars(self), settings=dict(self.settings))
        made._guide = made._made()
        return made

    def __deepcopy__(self, memo: Dict[int, Any]) -> "Guide":
        return self.__copy__()

    def __reduce__(self) -> Any:
        raise TypeError("Guide cannot be pickled: make it again of its classifier and score where it is needed")

    def __repr__(self) -> str:
        score = self.score if isinstance(self.score, str) else getattr(self.score, "__name__", type(self.score).__name__)
        told = [score, *(f"{name}={value!r}" for name, value in self.settings.items())]
        return f"Guide({', '.join(told)})"

    def _input(self, x0: Array, y: Targets, step: Dict[str, Any]) -> GuideInput:
        unknown = [name for name in step if name not in _STEP]
        if unknown:
            raise TypeError(f"Guide: unknown keyword '{unknown[0]}'; what a step knows is {', '.join(_STEP)}")
        if self._uses_time and step.get("t") is None:
            raise UsageError("Guide: this classifier reads noised images: give it t [N]")
        made = GuideInput(_recorded(x0), _targets(y), **{name: _recorded(value) for name, value in step.items()})
        if not 0 <= made.step < made.num_steps:
            raise UsageError(f"Guide: expected a step from 0 to num_steps - 1, got {made.step} of {made.num_steps}")
        return made

    def __call__(self, x0: Array, y: Targets, **step: Any) -> Guidance:
        """Gradient, score and logits at predicted clean images x0 [N, C, H, W] for target classes y [N], also a list.

        By keyword what a step knows beside: step, num_steps, x, t, variance, alpha_cumprod, ids, predict_x0.
        """
        with torch.inference_mode(False):  # the guide needs a gradient, wherever it is called
            return self._guide(self._input(x0, y, step))

    def backward(self, x0: Array, y: Targets, **step: Any) -> torch.Tensor:
        """Delta [N, C, H, W] of backward universal guidance, by steps of ascent on S at x0."""
        with torch.inference_mode(False):
            return self._guide.backward(self._input(x0, y, step))

    def gamma(self, x0: Array, y: Targets, **step: Any) -> torch.Tensor:
        """gamma_t, which the mean is shifted by times the gradient; once per step, active or not."""
        return self._guide.gamma(self._input(x0, y, step))

    def begin(self) -> None:
        """A new trajectory begins: forgets the running maximum of the last one."""
        self._guide.begin()

    def active(self, step: int, num_steps: int) -> bool:
        """False outside the interval."""
        return self._guide.active(step, num_steps)

    def score_factor(self, step: int, num_steps: int) -> float:
        """The factor of the score shift: 1 + gamma_factor sin(pi t/T)."""
        return self._guide.score_factor(step, num_steps)


Guide.__doc__ = _settings.documented(Guide.__doc__ or "", _guide.settings_doc(), _NOT_OF_A_GUIDE)
