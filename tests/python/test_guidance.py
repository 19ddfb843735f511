"""Scores from Python are the reference's, as numbers and under torch.autograd."""

import threading
import time

import pytest
import torch
from conftest import Case, golden

import sextant
from sextant import calibration, guidance


def scores_of(config):
    divergence = {"alpha": config["alpha"], "epsilon": config["epsilon"]}
    plain = lambda f, y: guidance.log_prob(f, y, joint=config["tau1"], marginal=config["tau2"])  # noqa: E731
    add = lambda a, b: (a[0] + b[0], a[1] + b[1])  # noqa: E731
    return {
        "logp": plain,
        "entropy": lambda f, y: add(plain(f, y), guidance.entropy(f, config["lambda"])),
        "rkl": lambda f, y: add(plain(f, y), guidance.reverse_kl(f, y, **divergence)),
        "fkl": lambda f, y: add(plain(f, y), guidance.forward_kl(f, y, **divergence)),
        "js": lambda f, y: add(plain(f, y), guidance.jensen_shannon(f, y, **divergence)),
        "hellinger": lambda f, y: add(plain(f, y), guidance.hellinger(f, y, **divergence)),
    }


@pytest.mark.parametrize("path", golden("guidance"))
def test_every_score_is_the_references(path):
    case = Case(path)
    f, y = case["input/logits"], case["input/labels"]
    seen = 0
    for name, score in scores_of(case.config).items():
        if f"output/{name}/score" not in case:
            continue
        value, gradient = score(f, y)
        expected = case[f"output/{name}/score"]
        scale = max(1.0, float(f.abs().max()), float(expected.abs().max()))  # terms as large as the logits cancel
        assert value.dtype == torch.float64
        torch.testing.assert_close(value, expected, rtol=1e-10, atol=1e-10)
        torch.testing.assert_close(gradient, case[f"output/{name}/grad"], rtol=1e-9, atol=1e-10)
        narrow, narrow_gradient = score(f.float(), y)
        assert narrow.dtype == torch.float32
        torch.testing.assert_close(narrow.double() / scale, expected / scale, rtol=1e-6, atol=1e-6)
        if case.config["kind"] not in ("huge", "extreme"):
            # float32 logits differ from the reference's by their rounding, so the gradient is that of the rounded ones.
            rounded = score(f.float().double(), y)[1]
            torch.testing.assert_close(narrow_gradient.double(), rounded, rtol=1e-5, atol=1e-6)
        seen += 1
    assert seen


@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-6), (torch.float64, 1e-10)])
@pytest.mark.parametrize(
    "name", ["plain", "entropy", "rkl", "fkl", "js", "hellinger", "chi2", "alpha-div", "js+entropy"]
)
def test_the_gradient_through_as_loss_is_autograds_of_the_definition(name, dtype, tolerance):
    torch.manual_seed(1)
    f = torch.randn(5, 7, dtype=torch.float64).to(dtype).requires_grad_()
    y = torch.tensor([0, 3, 6, 2, 2])
    guidance.as_loss(name, reduction="sum")(f, y).backward()

    g = f.detach().clone().requires_grad_()
    log_p = torch.log_softmax(g, 1)
    p, log_q = log_p.exp(), torch.log(guidance.smoothed_target(y, g.detach(), 0.1))
    q = log_q.exp()
    log_m = torch.log((p + q) / 2)
    terms = {
        "plain": 0,
        "entropy": -0.2 * (p * log_p).sum(),
        "rkl": -0.1 * (q * (log_q - log_p)).sum(),
        "fkl": -0.1 * (p * (log_p - log_q)).sum(),
        "js": -0.1 * 0.5 * ((q * (log_q - log_m)).sum() + (p * (log_p - log_m)).sum()),
        "hellinger": -0.1 * ((q.sqrt() - p.sqrt()) ** 2).sum(),
        "chi2": -0.1 * ((p - q) ** 2 / q).sum(),
        "alpha-div": -0.1 * ((p.sqrt() * q.sqrt()).sum() - 5) / (0.5 * -0.5),
    }
    loss = -(log_p[torch.arange(5), y].sum() + sum(terms[term] for term in name.split("+")))
    loss.backward()
    torch.testing.assert_close(f.grad, g.grad, rtol=tolerance * 10, atol=tolerance)


def test_an_f_divergence_of_python_functions_is_the_kl_divergence_that_it_spells():
    f, y = torch.randn(4, 6, dtype=torch.float64), torch.tensor([0, 1, 2, 3])
    got = guidance.f_divergence(f, y, lambda t: t * t.log(), lambda t: t.log() + 1, alpha=0.3)
    expected = guidance.forward_kl(f, y, alpha=0.3)
    for a, b in zip(got, expected):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


def test_an_error_in_a_python_generator_arrives_as_itself():
    def generator(t):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        guidance.f_divergence(torch.zeros(2, 3), torch.tensor([0, 1]), generator, generator)


def test_tilt_weights_are_the_softmax_of_the_tilted_scores():
    s = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)
    torch.testing.assert_close(guidance.tilt_weights(s, -0.2), 3 * torch.softmax(-0.2 * s, 0))
    torch.testing.assert_close(guidance.tilt_weights(s, -0.2, form="sum"), torch.softmax(-0.2 * s, 0))
    torch.testing.assert_close(guidance.tilted_score(s, 0.3), (0.3 * s).exp().mean().log().reshape(1) / 0.3)


def test_the_entropy_weight_falls_linearly():
    weights = [guidance.entropy_weight(step, 5, max=0.2, min=0.04) for step in (4, 3, 2, 1, 0)]
    assert weights == pytest.approx([0.2, 0.16, 0.12, 0.08, 0.04])


def test_errors_arrive_with_the_librarys_own_line():
    with pytest.raises(sextant.ShapeError, match="labels") as caught:
        guidance.log_prob(torch.zeros(2, 3), torch.zeros(2))
    assert isinstance(caught.value, sextant.Error) and "\n" not in str(caught.value)
    assert caught.value.exit_code == 1
    with pytest.raises(sextant.UsageError) as usage:
        guidance.reverse_kl(torch.zeros(2, 3), torch.tensor([0, 1]), alpha=-1.0)
    assert usage.value.exit_code == 2 and "alpha" in str(usage.value)
    with pytest.raises(sextant.UsageError, match="hellinger"):
        guidance.named_score("helinger")
    with pytest.raises(sextant.UsageError, match="lambda_max must be a number from 0 to 100, got"):
        guidance.named_score("entropy", lambda_max=-3.0)
    with pytest.raises(sextant.UsageError, match="js-form"):
        guidance.named_score("js", js_from="paper")


def test_tensors_pass_without_a_copy():
    noise = sextant.Noise(0, [0], [1, 64, 64])
    process = sextant.Process("linear", mean="x0")
    x = noise.initial()
    seen = []
    denoiser = sextant.Denoiser(lambda x, t, y: seen.append(x.data_ptr()) or x, process, [1, 64, 64])
    same = denoiser(x, torch.tensor([3]), torch.tensor([0]))
    assert same.data_ptr() == x.data_ptr() == seen[0]


def test_the_interpreter_runs_while_a_score_is_computed():
    f, y = torch.randn(4000, 2000), torch.zeros(4000, dtype=torch.int64)
    guidance.jensen_shannon(f, y)
    beats, done = [], threading.Event()

    def beat():
        while not done.is_set():
            beats.append(time.monotonic())
            time.sleep(0.0005)

    thread = threading.Thread(target=beat)
    thread.start()
    begin = time.monotonic()
    guidance.jensen_shannon(f, y)
    end = time.monotonic()
    done.set()
    thread.join()
    assert end - begin > 0.005
    assert sum(begin < beat < end for beat in beats) >= 2


def margin(f, y):
    return f.gather(1, y[:, None])[:, 0] - f.logsumexp(1)


class Margin(torch.nn.Module):
    def forward(self, f, y):
        return margin(f, y)


@pytest.mark.parametrize("count", [2, 4])
@pytest.mark.parametrize("score", [margin, Margin(), guidance.log_prob])
def test_a_score_of_ones_own_is_a_loss(score, count):
    f, y = torch.randn(count, 5, requires_grad=True), torch.arange(count)
    loss = guidance.as_loss(score)(f, y)
    (got,) = torch.autograd.grad(loss, f)
    (expected,) = torch.autograd.grad(torch.nn.functional.cross_entropy(f, y), f)
    torch.testing.assert_close(loss, torch.nn.functional.cross_entropy(f, y))
    torch.testing.assert_close(got, expected)


@pytest.mark.parametrize("wrong", [lambda f, y: f.sum(), lambda f, y: f[:, :1], lambda f, y: (f[:, 0], f[:, 1:])])
def test_a_score_of_the_wrong_shape_is_refused(wrong):
    f, y = torch.randn(4, 5, requires_grad=True), torch.tensor([0, 1, 2, 3])
    with pytest.raises(sextant.ShapeError, match=r"score: expected S \[4\] and dS/df \[4, 5\] of logits"):
        guidance.as_loss(wrong)(f, y)


def test_a_module_is_a_score_and_may_take_the_step():
    class WithStep(torch.nn.Module):
        def forward(self, f, y, step):
            return margin(f, y) * step.num_steps

    read = lambda x: x.flatten(1)  # noqa: E731
    x, y = torch.randn(2, 1, 2, 2), [3, 1]
    plain = sextant.Guide(read, Margin())(x, y, num_steps=3).gradient
    torch.testing.assert_close(sextant.Guide(read, WithStep())(x, y, num_steps=3).gradient, 3 * plain)
    smooth = sextant.softplus_(WithStep(), 3)
    torch.testing.assert_close(sextant.Guide(read, smooth)(x, y, num_steps=3).gradient, 3 * plain)


@pytest.mark.parametrize("loss", [guidance.as_loss("js"), calibration.SmoothECELoss()])
def test_a_penalty_on_the_gradient_of_a_closed_form_is_refused(loss):
    f, y = torch.randn(4, 5, requires_grad=True), torch.tensor([0, 1, 2, 3])
    (gradient,) = torch.autograd.grad(loss(f, y), f, create_graph=True)
    torch.testing.assert_close(gradient, torch.autograd.grad(loss(f, y), f)[0])
    with pytest.raises(sextant.UsageError, match="closed form, which has no gradient of its own"):
        (loss(f, y) + (gradient**2).sum()).backward()
    with pytest.raises(sextant.UsageError, match="closed form, which has no gradient of its own"):
        torch.autograd.grad(torch.autograd.grad(loss(f, y), f, create_graph=True)[0].sum(), f)


@pytest.mark.parametrize("loss", [guidance.as_loss("js"), calibration.SmoothECELoss()])
def test_losses_take_arrays_of_numpy(loss):
    f, y = torch.randn(4, 5), torch.tensor([0, 1, 2, 3])
    assert torch.equal(loss(f.numpy(), y.numpy()), loss(f, y))
    with pytest.raises(sextant.UsageError, match="f: expected a tensor or an array of numpy, got"):
        loss([[1.0, 2.0]], y)
