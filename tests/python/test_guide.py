"""Guides of Python modules and of our own classifiers climb what they are told to."""

import copy

import numpy as np
import pytest
import torch

import sextant
from sextant import guidance


def test_a_guide_of_a_module_gives_autograds_gradient(digits):
    x, y = torch.rand(3, 1, 28, 28) * 2 - 1, torch.tensor([1, 5, 9])
    got = sextant.Guide(digits, "plain", scale=2.5)(x, y, step=3, num_steps=10)
    leaf = x.clone().requires_grad_()
    S = torch.log_softmax(digits(leaf), 1)[torch.arange(3), y]
    (expected,) = torch.autograd.grad(S.sum(), leaf)
    torch.testing.assert_close(got.score, S.detach())
    torch.testing.assert_close(got.gradient, 2.5 * expected, rtol=1e-5, atol=1e-7)
    assert got.logits.shape == (3, 10)


@pytest.mark.parametrize("returns", ["S", "pair", "with step"])
def test_a_score_of_ones_own_is_climbed(digits, returns):
    def margin(f, y):
        S = f.gather(1, y[:, None])[:, 0] - f.mean(1)
        if returns == "pair":
            return S.detach(), torch.nn.functional.one_hot(y, f.size(1)) - torch.full_like(f, 1 / f.size(1))
        return S

    seen = []
    with_step = lambda f, y, step: seen.append((step.index, step.num_steps)) or margin(f, y)  # noqa: E731
    x, y = torch.rand(2, 1, 28, 28), torch.tensor([4, 0])
    score = with_step if returns == "with step" else margin
    got = sextant.Guide(digits, score)(x, y, step=7, num_steps=20)
    leaf = x.clone().requires_grad_()
    f = digits(leaf)
    (expected,) = torch.autograd.grad((f[torch.arange(2), y] - f.mean(1)).sum(), leaf)
    torch.testing.assert_close(got.gradient, expected, rtol=1e-5, atol=1e-7)
    assert returns != "with step" or seen == [(7, 20)]


def test_a_module_in_training_is_refused(digits):
    with pytest.raises(sextant.UsageError, match=r"training mode.*eval\(\)"):
        sextant.Guide(digits.train(), "plain")
    digits.eval()


def test_what_a_function_raises_or_returns_wrongly_is_told():
    x, y = torch.zeros(1, 1, 4, 4), torch.tensor([0])
    with pytest.raises(ZeroDivisionError):
        sextant.Guide(lambda x: 1 / 0, "plain")(x, y)
    with pytest.raises(sextant.UsageError, match="classifier: expected the function to return logits"):
        sextant.Guide(lambda x: "logits", "plain")(x, y)
    with pytest.raises(sextant.Error, match="autograd"):
        sextant.Guide(lambda x: torch.zeros(1, 3), "plain")(x, y)
    with pytest.raises(sextant.UsageError, match="score"):
        sextant.Guide(lambda x: x.flatten(1), lambda f, y: "high")(x, y)


def test_softplus_smooths_modules_and_functions_and_gives_the_relus_back(digits):
    x = torch.randn(2, 1, 28, 28)
    before = digits(x)
    soft = lambda v: torch.nn.functional.softplus(v, beta=3.0)  # noqa: E731
    expected = digits.last(soft(digits.second(soft(digits.first(x)))).mean((2, 3)))
    assert sextant.softplus_(digits, 3.0) is digits
    torch.testing.assert_close(digits(x), expected)
    sextant.softplus_(digits, 5.0)
    assert not torch.equal(digits(x), expected)
    sextant.softplus_(digits, None)
    assert torch.equal(digits(x), before)
    assert "forward" not in vars(digits)


def test_a_classifier_of_attributes_is_climbed_by_a_function_and_by_no_score_of_classes(models):
    judge = sextant.open_classifier(models / "mnist-attributes")
    assert judge.attributes == ["loop", "thick", "right"] and judge.classes == 3
    assert sextant.open_classifier(models / "mnist-classifier").attributes is None
    for score in ("js", sextant.guidance.named_score("js")):
        with pytest.raises(sextant.UsageError, match="Guide: 'js' is a score of classes.*logsigmoid") as caught:
            sextant.Guide(judge, score)
        assert "\n" not in str(caught.value) and "'loop'" in str(caught.value)
    x = torch.linspace(-1, 1, 784).view(1, 1, 28, 28).requires_grad_()
    guide = sextant.Guide(judge, lambda f, y: torch.nn.functional.logsigmoid(f[:, 0]))
    (expected,) = torch.autograd.grad(torch.nn.functional.logsigmoid(judge(x)[:, 0]).sum(), x)
    torch.testing.assert_close(guide(x.detach(), [0]).gradient, expected, rtol=1e-5, atol=1e-7)
    with pytest.raises(sextant.UsageError, match="several classifiers are averaged as classes are"):
        sextant.open_classifier(f"{models / 'mnist-attributes'},{models / 'mnist-attributes'}")


def test_an_opened_classifier_is_called_like_a_module(models):
    classifier = sextant.open_classifier(models / "mnist-classifier")
    assert classifier.classes == 10 and not classifier.uses_time
    x = torch.zeros(2, 1, 28, 28, requires_grad=True)
    logits = classifier(x)
    (gradient,) = torch.autograd.grad(logits[:, 3].sum(), x)
    assert logits.shape == (2, 10) and gradient.abs().max() > 0
    softer = sextant.open_classifier(models / "mnist-classifier", softplus_beta=3)
    assert not torch.equal(softer(x), logits)
    noisy = sextant.open_classifier(models / "mnist-noisy-classifier")
    with pytest.raises(sextant.UsageError, match="give it t"):
        noisy(x)
    assert noisy(x, torch.tensor([10, 10])).shape == (2, 10)


def test_a_named_score_is_a_function_of_its_own(digits):
    f, y = torch.randn(3, 5), torch.tensor([0, 1, 2])
    score = guidance.named_score("js", alpha=0.3)
    value, gradient = score(f, y)
    plain, js = guidance.log_prob(f, y), guidance.jensen_shannon(f, y, alpha=0.3)
    torch.testing.assert_close(value, plain[0] + js[0])
    torch.testing.assert_close(gradient, plain[1] + js[1])


def test_torchs_devices_and_dtypes_are_taken_for_the_words_that_they_are(models):
    x = torch.zeros(2, 1, 28, 28)
    by_object = sextant.open_classifier(
        models / "mnist-classifier", device=torch.device("cpu"), precision=torch.bfloat16
    )
    by_word = sextant.open_classifier(models / "mnist-classifier", device="cpu", precision="bf16")
    full = sextant.open_classifier(models / "mnist-classifier", precision=torch.float32)
    assert torch.equal(by_object(x), by_word(x)) and not torch.equal(by_object(x), full(x))
    with pytest.raises(sextant.UsageError, match="precision cannot be a dtype"):
        sextant.open_classifier(models / "mnist-classifier", precision=torch.int64)


def test_targets_may_be_a_list(digits):
    guide = sextant.Guide(digits, "js")
    x0 = torch.rand(2, 1, 28, 28) * 2 - 1
    assert torch.equal(guide(x0, [3, 7]).gradient, guide(x0, torch.tensor([3, 7])).gradient)
    with pytest.raises(sextant.Error):
        guide(x0, ["three", "seven"])


def test_a_guide_says_what_it_is_and_how_files_are_opened(models):
    net = torch.nn.Linear(4, 3).eval()

    def margin(f, y):
        return f.gather(1, y[:, None])[:, 0]

    assert repr(sextant.Guide(net, "js", scale=2)) == "Guide(js, scale=2)"
    assert repr(sextant.Guide(net, margin)) == "Guide(margin)"
    assert repr(sextant.Guide(net, guidance.named_score("js"))) == "Guide(NamedScore)"
    with pytest.raises(sextant.UsageError, match="expected a module or a function, got str; .*open_classifier"):
        sextant.Guide(str(models / "mnist-classifier"))


def test_a_copy_of_a_smoothed_network_is_a_smoothed_network_of_its_own(digits):
    net = sextant.softplus_(copy.deepcopy(digits), 3.0)
    x = torch.randn(2, 1, 28, 28)
    expected = net(x)
    for other in (copy.deepcopy(net), copy.copy(net)):
        assert type(other) is type(net) and torch.equal(other(x), expected)
    other = copy.deepcopy(net)
    other(x).sum().backward()
    assert all(p.grad is None for p in net.parameters()) and all(p.grad is not None for p in other.parameters())
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.zero_()
    assert not other(x).any() and torch.equal(net(x), expected)
    assert torch.equal(sextant.softplus_(copy.deepcopy(net), None)(x), digits(x))


def test_a_smoothed_network_is_saved_and_traced_and_keeps_its_own_forward(tmp_path):
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3)).eval()
    x = torch.randn(5, 4)
    plain = net(x)
    own = lambda given: torch.nn.Sequential.forward(net, given) + 1  # noqa: E731
    net.forward = own  # as libraries hook a module
    sextant.softplus_(net, torch.tensor(2.0))
    soft = torch.nn.functional.softplus(net[0](x), beta=2.0)
    torch.testing.assert_close(net(x), net[2](soft) + 1)
    assert repr(net).startswith("Sequential(") and isinstance(net, torch.nn.Sequential)
    sextant.softplus_(net, np.float32(0))
    assert net.forward is own and torch.equal(net(x), plain + 1)

    del net.forward
    sextant.softplus_(net, 2)
    torch.save(net, tmp_path / "net.pt")
    told = {} if torch.__version__.startswith("1.") else {"weights_only": False}
    for other in (torch.load(tmp_path / "net.pt", **told), torch.jit.trace(net, x)):
        torch.testing.assert_close(other(x), net(x))
    assert not torch.equal(net(x), plain)


def test_what_does_nothing_to_a_guide_is_refused(digits):
    for name, why in (("guidance", "second argument"), ("attributes", "a function"), ("guidance_space", "latents")):
        with pytest.raises(sextant.UsageError, match=f"Guide: {name} has no effect here: .*{why}"):
            sextant.Guide(digits, **{name: "js"})
        assert f"    {name} = " not in sextant.Guide.__doc__
    assert "    guidance_interval = " in sextant.Guide.__doc__
    with pytest.raises(sextant.UsageError, match="alpha has no effect here: .*named_score"):
        sextant.Guide(digits, guidance.named_score("js"), alpha=3)
    with pytest.raises(sextant.UsageError, match="scale has no effect here: a score takes alpha, .*Guide's"):
        guidance.named_score("js", scale=3)
    with pytest.raises(sextant.UsageError, match="ddim: sampler has no effect here"):
        sextant.samplers.ddim(None, [0], sampler="ddpm")


def test_a_step_is_checked(digits):
    x, y = torch.zeros(1, 1, 28, 28), [3]
    guide = sextant.Guide(digits)
    with pytest.raises(TypeError, match="unknown keyword 'foo'; what a step knows is step, num_steps, x, t"):
        guide(x, y, foo=1)
    for step in ({"step": 5, "num_steps": 3}, {"step": -1}):
        with pytest.raises(sextant.UsageError, match="expected a step from 0 to num_steps - 1, got"):
            guide(x, y, **step)
    noisy = sextant.Guide(lambda x, t: x.flatten(1) * t[:, None, None], uses_time=True)
    with pytest.raises(sextant.UsageError, match=r"give it t \[N\]"):
        noisy(x, y)
