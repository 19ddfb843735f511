"""What a notebook does by accident: refused by name, or computed right; the interpreter stays."""

import copy
import pickle

import pytest
import torch

import sextant
from sextant import guidance, metrics, samplers


@pytest.fixture(scope="module")
def opened():
    from conftest import ROOT

    return (sextant.open_denoiser(ROOT / "models/mnist-adm"), sextant.open_classifier(ROOT / "models/mnist-classifier"))


X, T, Y = torch.linspace(-1, 1, 2 * 784).view(2, 1, 28, 28), torch.tensor([10, 20]), torch.tensor([3, 1])


def linear():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10)).eval()


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.bool, torch.complex64])
def test_images_that_are_not_of_floating_point_are_refused_by_whoever_reads_them(opened, dtype):
    model, classifier = opened
    x = X.to(dtype)
    process = sextant.Process()
    for call in (lambda: model(x, T, Y), lambda: model.predict(x, 3, Y), lambda: classifier(x),
                 lambda: sextant.Guide(classifier, "js")(x, Y), lambda: sextant.to_uint8(x),
                 lambda: process.q_sample(x, 3, X), lambda: process.q_sample(X, 3, x)):  # fmt: skip
        with pytest.raises(sextant.ShapeError, match="expected floating point, got") as caught:
            call()
        assert dtype != torch.uint8 or "x / 127.5 - 1" in str(caught.value)


def test_a_batch_of_none_and_images_without_their_batch_are_refused(opened):
    _, classifier = opened
    for call in (lambda: classifier(X[:0]), lambda: sextant.Guide(linear(), "js")(X[:0], Y[:0])):
        with pytest.raises(sextant.ShapeError, match="at least one image"):
            call()
    for call in (lambda: classifier(X[0]), lambda: sextant.Guide(linear(), "js")(X[0], Y[:1])):
        with pytest.raises(sextant.ShapeError, match=r"expected images \[N, C, H, W\], got \[1, 28, 28\]"):
            call()
    with pytest.raises(sextant.ShapeError, match="q_sample: expected noise"):
        sextant.Process().q_sample(X, 3, X[:1])


def test_float16_images_are_read_as_what_they_are(opened):
    _, classifier = opened
    half = X.half()
    torch.testing.assert_close(classifier(half), classifier(half.float()))
    gradient = sextant.Guide(classifier, "js")(half, Y).gradient
    expected = sextant.Guide(classifier, "js")(half.float(), Y).gradient
    assert gradient.dtype == torch.float16
    torch.testing.assert_close(gradient.float(), expected, rtol=2e-3, atol=1e-4)


def test_a_guide_works_in_inference_mode_and_under_autocast():
    net = linear()
    expected = sextant.Guide(net, "js")(X, Y).gradient
    denoiser = sextant.Denoiser(lambda x, t, y: 0.1 * x, sextant.Process(), [1, 28, 28])
    guide = sextant.Guide(net, lambda f, y: f.gather(1, y[:, None])[:, 0] - f.mean(1))
    drawn = samplers.ddim(denoiser, [3, 1], guide=guide, steps=2)
    with torch.inference_mode():
        x, y = X.clone(), Y.clone()
        assert torch.equal(sextant.Guide(net, "js")(x, y).gradient, expected)
        assert torch.equal(samplers.ddim(denoiser, torch.tensor([3, 1]), guide=guide, steps=2), drawn)
    assert x.is_inference() and torch.equal(sextant.Guide(net, "js")(x, y).gradient, expected)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = sextant.Guide(net, "js")(X, Y).gradient
    torch.testing.assert_close(got, expected, rtol=0.1, atol=2e-3)  # bfloat16 has 8 bits


def test_classes_that_the_logits_do_not_have_are_refused():
    with pytest.raises(sextant.ShapeError, match=r"logits of 5 classes, as it was said, got \[2, 10\]"):
        sextant.Guide(linear(), "js", classes=5)(X, Y)
    with pytest.raises(sextant.UsageError, match="classes of at least 0, got -1"):
        sextant.Guide(linear(), "js", classes=-1)


def test_a_gradient_of_an_opened_networks_gradient_is_refused_and_not_zero(opened):
    model, _ = opened
    x = X.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(model(x, T, Y).pow(2).sum(), x, create_graph=True)
    (plain,) = torch.autograd.grad(model(x, T, Y).pow(2).sum(), x)
    torch.testing.assert_close(gradient.detach(), plain)
    with pytest.raises(RuntimeError, match="has no gradient of its own"):
        torch.autograd.grad(gradient.sum(), x)


@pytest.mark.parametrize("loss", [lambda f: f[:, 1].sum(), lambda f: f.pow(2).sum()])
def test_a_penalty_on_the_gradient_of_an_opened_classifier_is_refused(models, loss):
    classifier = sextant.open_classifier(models / "mnist-classifier")
    x = torch.zeros(2, 1, 28, 28, requires_grad=True)
    (gradient,) = torch.autograd.grad(loss(classifier(x)), x, create_graph=True)
    assert torch.equal(gradient.detach(), torch.autograd.grad(loss(classifier(x)), x)[0])
    with pytest.raises(RuntimeError, match="has no gradient of its own"):
        (loss(classifier(x)) + gradient.pow(2).sum()).backward()


@pytest.mark.parametrize("name", ["initial", "at_step"])
@pytest.mark.parametrize("answer", ["text", None, torch.zeros(5, 1, 2, 2), torch.zeros(1, 1, 1, 1),
                                    torch.zeros(2, 1, 2, 2, dtype=torch.int64)])  # fmt: skip
def test_noise_of_ones_own_that_is_none_is_refused(name, answer):
    made = type("Own", (sextant.Noise,), {name: lambda self, *step: answer})(0, [0, 1], [1, 2, 2])
    denoiser = sextant.Denoiser(lambda x, t, y: x, sextant.Process(), [1, 2, 2])
    with pytest.raises(sextant.Error, match=rf"Noise\.{name}: expected"):
        samplers.ddpm(denoiser, [0, 1], noise=made, steps=3)


def test_what_an_observer_changes_is_its_own():
    denoiser = sextant.Denoiser(lambda x, t, y: torch.tanh(x), sextant.Process(), [1, 2, 2])

    def spoil(step):
        step.x.zero_()
        step.x0.zero_()

    assert torch.equal(samplers.ddpm(denoiser, [0], steps=4, observe=spoil), samplers.ddpm(denoiser, [0], steps=4))


def test_numbers_without_an_answer_are_refused():
    logits = torch.zeros(4, 3)
    for order in ([0, 1, 2, 9], [0, 0, 1, 2], [-1, 0, 1, 2], [0.0, 1.0, 2.0, 3.0]):
        with pytest.raises(sextant.UsageError, match="every number from 0 to N - 1 once"):
            metrics.inception_score_splits(logits, splits=2, permutation=torch.tensor(order))
    with pytest.raises(sextant.UsageError, match="count of at least 0"):
        metrics.numpy_permutation(-1, 0)
    for bound in (0, -3):
        with pytest.raises(sextant.UsageError, match="bound of at least 1"):
            sextant.uniform_labels(0, [0, 1], bound)
    with pytest.raises(sextant.UsageError, match="step of at least 0"):
        sextant.Noise(0, [0], [1, 2, 2]).at_step(-1)


def test_what_never_changes_is_its_own_copy_and_errors_are_pickled(opened):
    model, classifier = opened
    process = sextant.Process()
    for thing in (model, classifier, process, guidance.named_score("js")):
        assert copy.copy(thing) is thing and copy.deepcopy(thing) is thing
    module = torch.nn.Linear(2, 2)
    module.classifier = classifier
    assert copy.deepcopy(module).classifier is classifier
    error = pickle.loads(pickle.dumps(sextant.UsageError("one line")))
    assert isinstance(error, sextant.UsageError) and str(error) == "one line"
