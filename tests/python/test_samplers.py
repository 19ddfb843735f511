"""Samplers driven from Python draw what the command line draws."""

import signal
import threading
import time

import numpy as np
import pytest
import torch

import sextant
from sextant import samplers


WEIGHTS = torch.full((3,), 1 / 3, dtype=torch.float64)
COVARIANCES = 0.05 * torch.eye(2, dtype=torch.float64).repeat(3, 1, 1)


def means():
    torch.manual_seed(0)
    return torch.randn(3, 2, dtype=torch.float64)


def mixture():
    return sextant.Mixture(WEIGHTS, means(), COVARIANCES)


def test_every_word_of_the_table_has_its_function_and_no_other_is_there():
    functions = [getattr(samplers, name) for name in samplers.__all__ if name not in ("Step", "draw", "words")]
    assert sorted(f.__name__ for f in functions) == sorted(word.replace("-", "_") for word in samplers.words())
    assert all(f.__doc__ and callable(f) for f in functions)


def test_ddim_in_the_library_is_ddim_written_out():
    process = sextant.Process("linear", mean="epsilon", clip=False)
    network = lambda x, t, y: torch.tanh(x + t.view(-1, 1, 1, 1) / 1000 + y.view(-1, 1, 1, 1))  # noqa: E731
    denoiser = sextant.Denoiser(network, process, [1, 3, 3])
    noise = sextant.Noise(5, [0, 1], [1, 3, 3])
    labels = torch.tensor([0, 1])
    got = samplers.ddim(denoiser, labels, noise=noise, steps=10)

    kept = process.respaced("10")
    x = noise.initial()
    for step in reversed(range(10)):
        t = torch.full((2,), kept.timestep(step))
        eps = network(x, t, labels)
        abar, before = kept.abar(step), kept.abar(step - 1) if step else 1.0
        x0 = (x - (1 - abar) ** 0.5 * eps) / abar**0.5
        x = before**0.5 * x0 + (1 - before) ** 0.5 * eps
    torch.testing.assert_close(got, x, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("sampler", ["ddpm", "ddim", "dpm_solver", "dpm_solver_sde", "unipc"])
def test_every_sampler_is_steered_to_the_class_it_is_told(sampler):
    made = mixture()
    process = sextant.Process("linear", variance="fixed_small", clip=False)
    denoiser, classifier = made.denoiser(process), made.classifier()
    y = torch.arange(3).repeat(40)
    x = getattr(samplers, sampler)(denoiser, y, guide=sextant.Guide(classifier, "plain", scale=4.0), steps=60)
    seen = made.posterior(x.flatten(1).double()).argmax(1)
    assert x.shape == (120, 2, 1, 1) and (seen == y).double().mean() > 0.9


@pytest.mark.parametrize("sampler", ["edm_heun", "edm_euler"])
def test_samplers_over_noise_levels_draw_the_mixture(sampler):
    made = mixture()
    y = torch.arange(3).repeat(40)
    x = getattr(samplers, sampler)(made.denoiser(conditional=True), y, steps=30)
    assert (made.posterior(x.flatten(1).double()).argmax(1) == y).double().mean() > 0.85


def test_a_mixtures_classifier_over_noise_levels_is_of_the_noised_mixture():
    made = mixture()
    classifier = made.classifier(noise_levels=True)
    assert classifier.uses_time
    torch.manual_seed(3)
    x = 2 * torch.randn(4, 2, 1, 1, dtype=torch.float64)
    sigma = torch.tensor([0.0, 0.3, 2.0, 40.0], dtype=torch.float64)
    logits = classifier(x, sigma)
    for image, level, got in zip(x.flatten(1), sigma, logits):
        noised = COVARIANCES + level**2 * torch.eye(2, dtype=torch.float64)
        wanted = torch.distributions.MultivariateNormal(means(), noised).log_prob(image) + WEIGHTS.log()
        torch.testing.assert_close(got.log_softmax(0), wanted.log_softmax(0), rtol=1e-9, atol=1e-9)
    guide = sextant.Guide(classifier, "plain", scale=4.0, guidance_input="xt")
    y = torch.arange(3).repeat(40)
    drawn = samplers.edm_heun(made.denoiser(), y, guide=guide, steps=30)
    assert (made.posterior(drawn.flatten(1).double()).argmax(1) == y).double().mean() > 0.9
    with pytest.raises(sextant.UsageError, match="a process counts timesteps"):
        made.classifier(sextant.Process("linear"), noise_levels=True)


def test_an_observer_hears_every_step_and_its_error_ends_the_run():
    made = mixture()
    denoiser = made.denoiser(sextant.Process("linear", clip=False))
    guide = sextant.Guide(made.classifier(), "js", guidance_interval=(0.0, 0.5))
    steps = []
    x = samplers.ddpm(denoiser, [0, 1], guide=guide, steps=10, observe=steps.append)
    assert [s.step for s in steps] == list(range(9, -1, -1)) and steps[0].num_steps == 10
    assert torch.equal(steps[-1].x, x)
    assert steps[0].guidance is None and steps[-1].guidance.gradient.shape == x.shape

    def stop(step):
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        samplers.ddpm(denoiser, [0, 1], steps=10, observe=stop)


def test_noise_may_be_ones_own():
    class Zero(sextant.Noise):
        def initial(self):
            return torch.zeros(1, 2, 1, 1)

        def at_step(self, step):
            return torch.zeros(1, 2, 1, 1)

    denoiser = mixture().denoiser(sextant.Process("linear", clip=False))
    kept = []
    samplers.ddpm(denoiser, [0], noise=Zero(0, [0], [2, 1, 1]), steps=5, observe=kept.append)
    again = samplers.ddpm(denoiser, [0], noise=Zero(9, [4], [2, 1, 1]), steps=5)
    assert torch.equal(kept[-1].x, again)


def test_noise_has_the_models_shape():
    told = r"ddim: expected noise \[1, 1, 28, 28\], one sample of the model's shape per label, got \[1, 1, 32, 32\]"
    convolution = sextant.Denoiser(lambda x, t, y: x, sextant.Process("linear"), [1, 28, 28])
    with pytest.raises(sextant.UsageError, match=told):
        samplers.ddim(convolution, [0], noise=sextant.Noise(0, [0], [1, 32, 32]), steps=2)


@pytest.mark.parametrize("shape", [[], [4, 4], [3, -4, 4], [0, 2, 2], [1, 1, 2, 2]])
def test_a_denoiser_draws_images_of_three_positive_sides(shape):
    for make in (
        lambda: sextant.Denoiser(lambda x, t, y: x, sextant.Process("linear"), shape),
        lambda: sextant.Denoiser.in_noise_levels(lambda x, sigma, y: x, shape),
    ):
        with pytest.raises(sextant.UsageError, match=r"Denoiser: expected sample_shape \[C, H, W\] of positive numbers"):
            make()


def test_a_denoiser_answers_in_floating_point():
    denoiser = sextant.Denoiser(lambda x, t, y: x.long(), sextant.Process("linear"), [1, 2, 2])
    with pytest.raises(sextant.ShapeError, match=r"denoiser: expected floating point, got Long \[1, 1, 2, 2\]"):
        samplers.ddim(denoiser, [0], steps=2)


def test_noise_is_no_tensor():
    denoiser = mixture().denoiser(sextant.Process("linear", clip=False))
    with pytest.raises(sextant.UsageError, match="expected noise as a Noise, got Tensor; derive a class"):
        samplers.ddim(denoiser, [0], noise=torch.zeros(1, 2, 1, 1), steps=2)


@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.uint16, np.uint32])
def test_labels_are_whole_numbers_of_any_width(kind):
    denoiser = mixture().denoiser(sextant.Process("linear", clip=False))
    asked = samplers.ddim(denoiser, np.array([2, 0], dtype=kind), steps=2)
    assert torch.equal(asked, samplers.ddim(denoiser, [2, 0], steps=2))


def test_an_image_does_not_depend_on_its_batch():
    denoiser = mixture().denoiser(sextant.Process("linear", clip=False))
    two = samplers.ddim(denoiser, [0, 0], noise=sextant.Noise(1, [7, 8], [2, 1, 1]), steps=8)
    one = samplers.ddim(denoiser, [0], noise=sextant.Noise(1, [8], [2, 1, 1]), steps=8)
    torch.testing.assert_close(two[1:], one)


def test_ctrl_c_ends_a_run_between_two_steps():
    denoiser = sextant.Denoiser(lambda x, t, y: time.sleep(0.01) or x, sextant.Process("linear"), [1, 2, 2])
    threading.Timer(0.3, signal.raise_signal, [signal.SIGINT]).start()
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        samplers.ddpm(denoiser, [0], steps=1000)
    assert time.monotonic() - begin < 5


def test_the_bundled_model_draws_from_python_what_the_command_draws(models, tmp_path):
    settings = dict(sampler="ddim", steps=8)
    command = sextant.run.sample(
        model=models / "mnist-adm",
        classifier=models / "mnist-classifier",
        guidance="js",
        labels="3,1",
        count=2,
        batch=2,
        out=tmp_path / "out",
        threads=1,
        progress=False,
        **settings,
    )
    guide = sextant.Guide(sextant.open_classifier(models / "mnist-classifier"), "js")
    model = sextant.open_denoiser(models / "mnist-adm")
    assert model.classes == 10 and model.sample_shape == [1, 28, 28]
    x = samplers.draw(model, [3, 1], guide=guide, seed=0, **settings)
    images = sextant.to_uint8(x).permute(0, 2, 3, 1).numpy()
    assert command.labels.tolist() == [3, 1]
    assert np.abs(images.astype(int) - command.images.astype(int)).max() <= 1


def test_a_seed_is_a_whole_number_of_64_bits():
    denoiser = mixture().denoiser(sextant.Process())
    same = [samplers.ddim(denoiser, [1], seed=seed, steps=2) for seed in (3, np.int64(3), torch.tensor(3))]
    assert torch.equal(same[0], same[1]) and torch.equal(same[0], same[2])
    samplers.ddim(denoiser, [1], seed=2**64 - 1, steps=2)
    for seed in (-1, 2**64, None, 1.5, "0"):
        with pytest.raises(sextant.UsageError, match="seed must be a whole number from 0 to 2"):
            samplers.ddim(denoiser, [1], seed=seed, steps=2)
