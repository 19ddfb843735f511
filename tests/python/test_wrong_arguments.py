"""Wrong arguments raise; nothing ends the interpreter."""

import inspect
import itertools
import random

import pytest
import torch

import sextant
from sextant import calibration, folders, guidance, metrics, pictures, run, samplers

GARBAGE = [
    None, 3, -1.5, "text", [], {}, object(), b"x", float("nan"), True, (1, 2), lambda *a: None, lambda *a: torch.zeros(1),
    torch.zeros(()), torch.zeros(0), torch.zeros(3), torch.zeros(2, 3), torch.zeros(2, 3).double(), torch.zeros(0, 3),
    torch.zeros(2, 0), torch.zeros(2, 3, 4, 4), torch.zeros(2, 3).half(), torch.zeros(2, 3).to(torch.bfloat16),
    torch.zeros(2, 3, dtype=torch.complex64), torch.tensor([0, 1]), torch.tensor([-1, 99]), torch.tensor([True, False]),
    torch.full((2, 3), float("nan")), torch.full((2, 3), float("inf")), torch.zeros(2, 3).to_sparse(),
    torch.zeros(2, 3, device="meta"), torch.zeros(2, dtype=torch.int64, device="meta"), torch.zeros(3, 2).t(),
    torch.quantize_per_tensor(torch.zeros(2, 3), 0.1, 0, torch.quint8), torch.zeros(2, 3, requires_grad=True),
    torch.zeros(2, 2, 1, 3, dtype=torch.uint8),
]  # fmt: skip
RAISED = (sextant.Error, TypeError, ValueError, OverflowError, RuntimeError, NotImplementedError, AttributeError,
          IndexError, KeyError)  # fmt: skip


MODULES = (sextant, guidance, calibration, metrics, samplers, pictures, folders, run)
# What takes no arguments at all, or any.
EXEMPT = {
    "sextant.calibration.Bins": "only C++ makes one",
    "sextant.metrics.find_inception": "takes nothing",
    "sextant.metrics.metric_names": "takes nothing",
    "sextant.metrics.numpy_permutation": "any number has an answer",
    "sextant.samplers.words": "takes nothing",
    "sextant.guidance.score_words": "takes nothing",
}


def public(module):
    for name in module.__all__:
        thing = getattr(module, name)
        error = isinstance(thing, type) and issubclass(thing, BaseException)
        if callable(thing) and not error and f"{module.__name__}.{name}" not in EXEMPT:
            yield pytest.param(thing, id=f"{module.__name__}.{name}")


def objects():
    """One of each class that has methods, by its own name."""
    process = sextant.Process()
    logits = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 3)).eval()
    f, y = torch.randn(20, 3, generator=torch.Generator().manual_seed(0)), torch.arange(20) % 3
    yield process
    yield sextant.Mixture(torch.tensor([0.5, 0.5]), torch.zeros(2, 2), torch.eye(2).repeat(2, 1, 1))
    yield sextant.Denoiser(lambda x, t, y: x, process, [1, 2, 2])
    yield sextant.Noise(0, [0, 1], [1, 2, 2])
    yield sextant.Classifier(logits, 3)
    yield sextant.Guide(logits, "js")
    yield guidance.named_score("js")
    yield calibration.SmoothECELoss()
    yield calibration.TemperatureScaling(f, y)
    yield calibration.fit_vector_scaling(f, y)
    yield calibration.reliability(f, y)
    yield pictures.Picture(torch.zeros(2, 2, 3, dtype=torch.uint8))


def methods():
    for thing in objects():
        if isinstance(thing, torch.nn.Module):  # its other methods are PyTorch's
            yield pytest.param(thing.__call__, id=type(thing).__name__)
            continue
        for name, member in inspect.getmembers(type(thing)):
            if callable(member) and (not name.startswith("_") or name == "__call__") and name not in QUIET:
                yield pytest.param(getattr(thing, name), id=f"{type(thing).__name__}.{name}")


QUIET = ("begin", "initial", "show")  # methods without arguments
CALLED = [thing for module in MODULES for thing in public(module)] + list(methods())


def test_every_class_with_methods_is_called():
    classes = {type(thing).__name__ for thing in objects()}
    for module in MODULES:
        for name in module.__all__:
            thing = getattr(module, name)
            own = isinstance(thing, type) and thing.__module__.startswith("sextant")
            if own and not issubclass(thing, BaseException) and "__call__" in vars(thing):
                assert name in classes, name


@pytest.mark.parametrize("function", CALLED)
def test_garbage_raises_or_is_answered(function, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a text may be taken for a folder to write
    chosen = random.Random(function.__name__ if hasattr(function, "__name__") else "x")
    calls = [(a,) for a in GARBAGE] + chosen.sample(list(itertools.product(GARBAGE, GARBAGE)), 250)
    calls += [tuple(chosen.choices(GARBAGE, k=k)) for k in (3, 4, 5, 6) for _ in range(20)]
    refused = 0
    for arguments in calls:
        try:
            function(*arguments)
        except RAISED as error:
            refused += 1
            if isinstance(error, sextant.Error):
                assert str(error) and "\n" not in str(error), str(error)
    assert refused, "nothing was refused"


@pytest.mark.parametrize("value", [None, "x", [], object(), -5, float("nan"), 1e99, (1, 2, 3)])
def test_a_wrong_setting_is_refused_by_name(value):
    with pytest.raises((sextant.UsageError, TypeError)) as caught:
        sextant.Guide(lambda x: x, "plain", scale=value, tilt="much")
    assert "scale" in str(caught.value) or "tilt" in str(caught.value)


def test_a_misspelt_setting_names_the_nearest():
    with pytest.raises(sextant.UsageError, match="Did you mean 'gamma-factor'"):
        sextant.Guide(lambda x: x, "plain", gama_factor=0.1)


def test_what_is_no_checkpoint_is_refused_in_one_line(tmp_path):
    (tmp_path / "a.pt").write_bytes(b"nonsense")
    for path in (tmp_path / "a.pt", tmp_path / "missing", tmp_path, 3, None):
        with pytest.raises((sextant.Error, TypeError)) as caught:
            sextant.open_denoiser(path)
        assert "\n" not in str(caught.value)
