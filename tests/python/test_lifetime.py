"""Objects that were never made, and objects that refer to their owners."""

import gc
import inspect
import os
import subprocess
import sys
import weakref

import pytest
import torch

import sextant
from sextant import _core, guidance

X, Y = torch.linspace(-1, 1, 2 * 784).view(2, 1, 28, 28), torch.tensor([3, 1])


def compiled_classes(module=_core):
    for value in vars(module).values():
        if inspect.ismodule(value):
            yield from compiled_classes(value)
        elif inspect.isclass(value) and not issubclass(value, BaseException):
            yield value


# Reads every property of an empty instance, and calls every method with nothing, one, two and three arguments. In a
# process of its own, which may crash: the last line that it printed says where.
USE_THE_EMPTY = """
import sys
sys.path.insert(0, sys.argv[1])
from test_lifetime import compiled_classes
for owner in compiled_classes():
    class Derived(owner):
        pass
    for made in (owner, Derived):
        print(owner.__module__, made.__name__, flush=True)
        empty, said = made.__new__(made), 0
        for name in dir(made):
            if name.startswith("__") and name != "__call__":
                continue
            for arguments in ((), (0,), (0, 0), (0, 0, 0)):
                try:
                    got = getattr(empty, name)
                    got(*arguments) if callable(got) else None
                except (TypeError, RuntimeError) as problem:  # the second of what is no instance at all
                    said += "made by __new__ alone" in str(problem)
        assert said > 0
print("all of them")
"""


def test_an_instance_that_new_alone_made_is_refused_wherever_it_is_used():
    assert len(list(compiled_classes())) >= 19
    result = subprocess.run(
        [sys.executable, "-c", USE_THE_EMPTY, os.path.dirname(__file__)], capture_output=True, text=True, timeout=300
    )
    said = result.stdout.splitlines()
    assert result.returncode == 0 and said[-1] == "all of them", f"{said[-1:]} {result.stderr[-2000:]}"


def test_an_empty_instance_as_an_argument_is_refused():
    empty = sextant.Classifier.__new__(sextant.Classifier)
    with pytest.raises(TypeError, match="made by __new__ alone"):
        sextant.Guide(empty, "js")
    model = sextant.Denoiser(lambda x, t, y: x, sextant.Process(), [1, 28, 28])
    with pytest.raises(TypeError, match="made by __new__ alone"):
        sextant.samplers.ddim(model, [1], steps=2, noise=sextant.Noise.__new__(sextant.Noise))


class Owner:
    """As people write it: the guide is an attribute, and what it calls are methods."""

    def __init__(self, score):
        self.weights = torch.ones(784, 10)
        self.guide = sextant.Guide(self.logits, self.margin if score is None else score)

    def logits(self, x):
        return x.flatten(1) @ self.weights

    def margin(self, f, y):
        return f.gather(1, y[:, None])[:, 0] - f.mean(1)


@pytest.mark.parametrize("score", [None, "js", guidance.named_score("entropy")], ids=["own", "named", "object"])
def test_a_guide_that_refers_to_its_owner_is_collected(score):
    owner = Owner(score)
    assert owner.guide(X, Y).gradient.shape == X.shape
    gone = weakref.ref(owner)
    del owner
    gc.collect()
    assert gone() is None


class Drawn:
    """Likewise with a denoiser, and with a classifier made by hand."""

    def __init__(self, make):
        self.made = make(self.answer)

    def answer(self, x, *rest):
        return x


SHAPE = [1, 2, 2]
OWNED = {
    "denoiser": lambda f: sextant.Denoiser(f, sextant.Process(), SHAPE),
    "respaced": lambda f: sextant.Denoiser(f, sextant.Process(), SHAPE).respaced("10"),
    "both": lambda f: [d := sextant.Denoiser(f, sextant.Process(), SHAPE), d.respaced("10"), d.respaced("ddim5")],
    "noise levels": lambda f: sextant.Denoiser.in_noise_levels(f, SHAPE, sigma_max=80.0),
    "classifier": sextant.Classifier,
}


@pytest.mark.parametrize("make", OWNED.values(), ids=OWNED)
def test_a_denoiser_that_refers_to_its_owner_is_collected(make):
    owner = Drawn(make)
    gone = weakref.ref(owner)
    del owner
    gc.collect()
    assert gone() is None


def test_a_respaced_denoiser_keeps_the_function_alive():
    def made():
        weights = torch.ones(1, 2, 2)
        return sextant.Denoiser(lambda x, t, y: x * weights, sextant.Process(), SHAPE).respaced("10")

    denoiser = made()
    gc.collect()
    assert sextant.samplers.ddim(denoiser, [0], steps=5).shape == (1, 1, 2, 2)


def test_a_guide_keeps_its_functions_alive():
    def made():
        weights = torch.ones(784, 10)
        return sextant.Guide(lambda x: x.flatten(1) @ weights, lambda f, y: f.gather(1, y[:, None])[:, 0])

    first = made()
    second = sextant.Guide(first.classifier, "js")
    second_classifier = second.classifier
    gc.collect()
    assert first(X, Y).logits.shape == (2, 10)
    del first
    gc.collect()
    assert second(X, Y).logits.shape == (2, 10)
    second.classifier = None
    assert second(X, Y).logits.shape == (2, 10)
    del second
    gc.collect()
    assert second_classifier(X).shape == (2, 10)
