"""Wrong arguments raise; nothing ends the interpreter."""

import inspect
import itertools
import random
import re

import numpy as np
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
# PyTorch's own, of quantized, sparse and meta tensors, and Python's, of numbers that no int64 holds.
RAISED = (sextant.Error, TypeError, RuntimeError, NotImplementedError, IndexError, OverflowError)


MODULES = (sextant, guidance, calibration, metrics, samplers, pictures, folders, run)
# What takes no arguments at all, or any.
EXEMPT = {
    "sextant.calibration.Bins": "only C++ makes one",
    **{f"sextant.run.{kind}": "only a run makes one" for kind in ("Calibration", "Evaluation", "Samples", "Sweep",
                                                                 "Trace", "Training")},
    "sextant.metrics.find_inception": "takes nothing",
    "sextant.metrics.metric_names": "takes nothing",
    "sextant.metrics.numpy_permutation": "any number has an answer",
    "sextant.samplers.words": "takes nothing",
    "sextant.guidance.score_words": "takes nothing",
}  # fmt: skip


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


def takes(function, count):
    """Whether so many arguments by position may be right, of a compiled function, as its docstring tells."""
    made = function.__init__ if isinstance(function, type) else function
    signature = re.search(r"\((?:self: [^,)]*(?:, )?)?(.*)\) ->", (made.__doc__ or "").split("\n")[0])
    positional = re.split(r", (?=\w+: |\*)", signature.group(1).split(", *,")[0].split("*,")[0]) if signature else []
    required = [p for p in positional if p and " = " not in p]
    return len(required) <= count <= len([p for p in positional if p])


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
            # pybind11's own message of several lines is left where the number of arguments is wrong.
            elif "incompatible function arguments" in str(error):
                assert not takes(function, len(arguments)), str(error)
    assert refused, "nothing was refused"


F, Y = np.random.RandomState(0).randn(4, 3), np.array([0, 1, 2, 0])
SHAPE = [1, 2, 2]


def test_an_array_of_numpy_stands_wherever_a_tensor_does():
    f, y = torch.from_numpy(F), torch.from_numpy(Y)
    for got, expected in zip(guidance.log_prob(F, Y), guidance.log_prob(f, y)):
        assert torch.equal(got, expected)
    target = np.full((4, 3), 1 / 3)
    assert torch.equal(
        guidance.reverse_kl(F, Y, target=target)[0], guidance.reverse_kl(f, y, target=torch.from_numpy(target))[0]
    )
    assert calibration.accuracy(F, Y) == calibration.accuracy(f, y)
    assert metrics.gaussian_of(F).count == 4

    images = np.random.RandomState(1).rand(4, 1, 2, 2).astype(np.float32)
    read = lambda x: x.flatten(1)  # noqa: E731
    assert torch.equal(sextant.Classifier(read)(images), torch.from_numpy(images).flatten(1))
    guide, tensors = sextant.Guide(read, "js"), (torch.from_numpy(images), y)
    assert torch.equal(guide(images, Y).gradient, guide(*tensors).gradient)
    denoiser = sextant.Denoiser(lambda x, t, y: x, sextant.Process(), SHAPE)
    assert torch.equal(denoiser(images, np.zeros(4, np.int64)), tensors[0])
    # What PyTorch has no view of is copied.
    read_only = images.copy()
    read_only.setflags(write=False)
    for view in (read_only, images[::-1][::-1], np.asfortranarray(images)):
        assert torch.equal(sextant.to_uint8(view), sextant.to_uint8(tensors[0]))


def test_a_device_may_be_torchs():
    drawn = sextant.Noise(3, [5, 7], SHAPE, device=torch.device("cpu")).initial()
    assert torch.equal(drawn, sextant.Noise(3, [5, 7], SHAPE, device="cpu").initial())


def test_numbers_of_noise_may_be_numpys_and_torchs():
    plain = sextant.Noise(3, [5, 7], SHAPE).initial()
    for seed in (np.int64(3), np.uint8(3), torch.tensor(3)):
        for samples in (np.array([5, 7]), np.array([5, 7], np.uint8), torch.tensor([5, 7]), (5, 7)):
            assert torch.equal(sextant.Noise(seed, samples, torch.Size(SHAPE)).initial(), plain)
    drawn = sextant.uniform_labels(np.int32(1), torch.arange(4), 10)
    assert torch.equal(drawn, sextant.uniform_labels(1, [0, 1, 2, 3], 10))


ONE_LINE = {
    "Noise: seed: expected a whole number, got 1.5": lambda: sextant.Noise(1.5, [0], SHAPE),
    "Noise: seed: expected a whole number, got Tensor": lambda: sextant.Noise(torch.tensor(1.5), [0], SHAPE),
    "Noise: seed: expected a whole number, got float32": lambda: sextant.Noise(np.float32(1.5), [0], SHAPE),
    "Noise: seed: expected a whole number, got None": lambda: sextant.Noise(None, [0], SHAPE),
    "Noise: one of these is out of range or of the wrong kind: seed = -1, samples = list, shape = list": (
        lambda: sextant.Noise(-1, [0], SHAPE)
    ),
    "Noise: samples: expected whole numbers, got Tensor": lambda: sextant.Noise(0, torch.rand(2), SHAPE),
    "Noise: samples: expected whole numbers, got 3": lambda: sextant.Noise(0, 3, SHAPE),
    "Noise: shape: expected whole numbers, got list": lambda: sextant.Noise(0, [0], [1, 2.5]),
    "Noise: device: expected a text, got 3": lambda: sextant.Noise(0, [0], SHAPE, device=3),
    "uniform_labels: bound: expected a whole number, got '3'": lambda: sextant.uniform_labels(0, [0], "3"),
    "log_prob: f: expected a tensor or an array of numpy, got list": lambda: guidance.log_prob([[0.5]], Y),
    "log_prob: joint: expected a number, got 'much'": lambda: guidance.log_prob(F, Y, joint="much"),
    "entropy: PyTorch has no numbers of numpy's type object": lambda: guidance.entropy(F.astype(object)),
    "entropy: PyTorch has no numbers of numpy's type >f8": lambda: guidance.entropy(F.astype(">f8")),
    "Classifier: x: expected a tensor or an array of numpy, got 'cat.png'": lambda: sextant.Classifier(len)("cat.png"),
    "Classifier: logits: expected a function, got Tensor": lambda: sextant.Classifier(torch.zeros(2)),
    "Denoiser: process: expected a Process, got 'linear'": lambda: sextant.Denoiser(len, "linear", SHAPE),
    "Process.abar: expected a Process, got 3": lambda: sextant.Process.abar(3, 4),
    "shape 'wavy' is unknown; use linear, cosine or 1-abar.": lambda: guidance.entropy_weight(0, 3, shape="wavy"),
    "form 'x' is unknown; use mean or sum.": lambda: guidance.tilt_weights(torch.zeros(3), 1.0, form="x"),
    "entropy_weight: expected finite weights, got max = nan, min = 0.05": (
        lambda: guidance.entropy_weight(0, 3, max=float("nan"))
    ),
    "open_denoiser: path: expected a path, got 3": lambda: sextant.open_denoiser(3),
    "open_classifier: path: expected a path, got None": lambda: sextant.open_classifier(None),
    "inspect: path: expected a path, got 3": lambda: sextant.inspect(3),
    "Picture.save: path: expected a path, got 3": (
        lambda: pictures.Picture(torch.zeros(2, 2, 3, dtype=torch.uint8)).save(3)
    ),
    "log_prob: f: expected a dense tensor, got one on the meta device, which has no numbers": (
        lambda: guidance.log_prob(torch.zeros(4, 3, device="meta"), torch.from_numpy(Y))
    ),
    "measure: f: expected a dense tensor, got a sparse one; to_dense() it": (
        lambda: calibration.measure(torch.zeros(4, 3).to_sparse(), torch.from_numpy(Y))
    ),
    "gaussian_of: features: expected a dense tensor, got a quantized one; dequantize() it": (
        lambda: metrics.gaussian_of(torch.quantize_per_tensor(torch.zeros(4, 3), 0.1, 0, torch.quint8))
    ),
    "as_loss: f: expected a dense tensor, got one that is sparse": (
        lambda: guidance.as_loss("js")(torch.zeros(4, 3).to_sparse(), Y)
    ),
    "softplus_: beta: expected a number of at least 0, got -1": lambda: sextant.softplus_(torch.nn.ReLU(), -1),
    "f_divergence: generator: expected a function, got 'x'": lambda: guidance.f_divergence(F, Y, "x", len),
}


@pytest.mark.parametrize("said", ONE_LINE)
def test_arguments_of_the_wrong_kind_are_refused_in_one_line(said):
    with pytest.raises(sextant.UsageError) as caught:
        ONE_LINE[said]()
    assert str(caught.value) == said


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
