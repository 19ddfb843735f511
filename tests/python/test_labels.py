"""A label that a model or a classifier does not have is refused by its name, with the range, wherever it is given."""

import json

import pytest
import torch

import sextant
from sextant import calibration, guidance, metrics, run, samplers

X, T, F = torch.zeros(2, 1, 28, 28), torch.tensor([10, 10]), torch.zeros(2, 10)
WRONG = [[3, 11], [3, 99], [-1, 3]]
SCORES = ["log_prob", "reverse_kl", "forward_kl", "hellinger", "chi2", "jensen_shannon", "alpha_divergence"]
MEASURES = ["accuracy", "negative_log_likelihood", "brier_score", "fit_temperature", "expected_calibration_error",
            "classwise_calibration_error", "predict", "smooth_ece", "cross_entropy_with_smooth_ece",
            "fit_vector_scaling", "measure"]  # fmt: skip


@pytest.fixture(scope="module")
def model():
    from conftest import ROOT

    return sextant.open_denoiser(ROOT / "models/mnist-adm")


@pytest.fixture(scope="module")
def classifier():
    from conftest import ROOT

    return sextant.open_classifier(ROOT / "models/mnist-classifier")


def outsider(labels):
    return next(label for label in labels if not 0 <= label <= 10)


@pytest.mark.parametrize("labels", WRONG)
def test_a_denoiser_names_a_label_that_it_does_not_have(model, labels):
    y = torch.tensor(labels)
    for call in (
        lambda: model(X, T, y),
        lambda: model.predict(X, 3, y),
        lambda: model.respaced("10").predict(X, 3, y),
        lambda: samplers.ddim(model, labels, steps=2),
        lambda: samplers.dpm_solver(model, y, steps=2),
    ):
        with pytest.raises(sextant.UsageError) as caught:
            call()
        place = labels.index(outsider(labels))
        assert str(caught.value).startswith(f"labels: {outsider(labels)} of image {place} is no label of ")
        assert str(caught.value).endswith("mnist-adm, which has 0 to 10 (10 is no class); choose one of them")


def test_every_label_that_a_denoiser_has_is_taken_and_none_is_asked_for_where_none_is_read(model, models):
    assert torch.isfinite(model(X, T, torch.tensor([0, 10]))).all()
    for settings in (dict(unconditional=True), dict(denoiser_label=3)):
        told = sextant.open_denoiser(models / "mnist-adm", **settings)
        assert torch.equal(told(X, T, torch.tensor([99, -1])), told(X, T, torch.tensor([0, 1])))
    scaled = sextant.open_denoiser(models / "mnist-adm", cfg_scale=2)
    with pytest.raises(sextant.UsageError, match="labels: 99 of image 1 is no label"):
        scaled(X, T, torch.tensor([0, 99]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bool, torch.complex64, torch.float16])
def test_labels_that_are_no_whole_numbers_are_refused_with_what_is_expected(model, classifier, dtype):
    y = torch.tensor([1, 0]).to(dtype)
    for call in (lambda: model(X, T, y), lambda: model.predict(X, 3, y), lambda: samplers.ddim(model, y, steps=2)):
        with pytest.raises(sextant.ShapeError, match="expected (int64|labels) .*got"):
            call()
    for call in (
        lambda: sextant.Guide(classifier, "js")(X, y),
        lambda: guidance.log_prob(F, y),
        lambda: calibration.predict(F, y),
        lambda: metrics.class_accuracy(F, y),
        lambda: guidance.smoothed_target(y, F, 0.1),
    ):
        with pytest.raises(sextant.ShapeError, match="int64"):
            call()


@pytest.mark.parametrize("dtype", [torch.int32, torch.int16, torch.uint8])
def test_whole_numbers_of_any_width_condition_a_denoiser(model, dtype):
    y = torch.tensor([1, 0])
    assert torch.equal(model(X, T, y.to(dtype)), model(X, T, y))
    assert torch.equal(samplers.ddim(model, y.to(dtype), steps=2), samplers.ddim(model, y, steps=2))


@pytest.mark.parametrize("labels", [[3, 10], [-1, 3]])
def test_what_reads_logits_names_a_class_that_they_do_not_have(model, classifier, labels):
    y = torch.tensor(labels)
    guide = sextant.Guide(classifier, "js", backward_steps=1)
    own = sextant.Guide(classifier, lambda f, y: f.gather(1, y[:, None])[:, 0])
    calls = [lambda: guide(X, y), lambda: own(X, y), lambda: guide.backward(X, y),
             lambda: samplers.ddim(model, [1, 2], targets=labels, guide=guide, steps=2),
             lambda: guidance.as_loss("js+entropy")(F, y), lambda: guidance.smoothed_target(y, F, 0.1)]  # fmt: skip
    calls += [lambda name=name: getattr(guidance, name)(F, y) for name in SCORES]
    for call in calls:
        with pytest.raises(sextant.Error, match=rf"label {10 if 10 in labels else -1} of sample .*\(0 to 9\)"):
            call()
    for name in MEASURES:
        with pytest.raises(sextant.Error, match=rf"labels in \[0, 10\), got {min(labels)} to {max(labels)}"):
            getattr(calibration, name)(F, y)
    for call in (lambda: calibration.SmoothECELoss()(F, y), lambda: calibration.reliability(F, y),
                 lambda: metrics.class_accuracy(F, y)):  # fmt: skip
        with pytest.raises(sextant.Error, match=r"labels in \[0, 10\), got"):
            call()


def test_an_exact_mixture_names_a_component_that_it_does_not_have():
    mixture = sextant.Mixture(torch.ones(2) / 2, torch.zeros(2, 2), torch.eye(2).repeat(2, 1, 1))
    with pytest.raises(sextant.Error, match="label 5 of sample 1 is not one of 0 to 1"):
        mixture.class_score(torch.zeros(2, 2), torch.tensor([0, 5]))
    denoiser = mixture.denoiser(sextant.Process(), conditional=True)
    with pytest.raises(sextant.Error, match="label -1 of sample 1 is not one of 0 to 2"):
        samplers.ddim(denoiser, [0, -1], steps=2)


def test_a_torchscript_denoiser_of_noise_levels_names_a_label_that_it_does_not_have(tmp_path):
    class Denoised(torch.nn.Module):
        def forward(self, x, sigma, labels):
            return 0.5 * x + labels.sum(1).view(-1, 1, 1, 1)

    traced = torch.jit.trace(Denoised().eval(), (torch.zeros(2, 1, 4, 4), torch.ones(2), torch.zeros(2, 3)))
    traced.save(str(tmp_path / "model.ts"))
    model = {"predicts": "denoised", "in_channels": 1, "image_size": 4, "classes": 3}
    config = {"type": "torchscript", "weights": "model.ts", "model": model}
    (tmp_path / "config.json").write_text(json.dumps(config))
    opened = sextant.open_denoiser(tmp_path)
    x = torch.zeros(2, 1, 4, 4)
    assert opened.denoise(x, 1.0, torch.tensor([0, 2])).shape == x.shape
    for wrong in (3, -1):
        with pytest.raises(sextant.UsageError, match=f"labels: {wrong} of image 1 .* which has 0 to 2; choose"):
            opened.denoise(x, 1.0, torch.tensor([0, wrong]))


@pytest.mark.parametrize("labels", ["0,10", "0-20", "99"])
def test_runs_refuse_labels_that_the_model_does_not_have(models, tmp_path, labels):
    given = dict(model=models / "mnist-adm", steps=2, count=2, threads=1, progress=False)
    with pytest.raises(sextant.UsageError, match="labels: class .* is not one of the model's classes, 0-9"):
        run.sample(labels=labels, out=tmp_path / "sample", **given)
    with pytest.raises(sextant.UsageError, match="labels: class .* is not one of the classifier's classes, 0-9"):
        run.trace(labels=labels, classifier=models / "mnist-classifier", out=tmp_path / "trace", **given)
    recipe = {"sample": {"count": 2, "labels": labels}, "model": {"model": str(models / "mnist-adm")},
              "sampler": {"steps": 2}, "rows": [{"name": "row"}]}  # fmt: skip
    with pytest.raises(sextant.Error, match="1 of 1 runs failed, the first: row: .*labels: class .*0-9") as caught:
        run.sweep(recipe, out=tmp_path / "sweep", threads=1, progress=False)
    assert caught.value.result.numbers["finished"] == 0 and not caught.value.result.complete
    with pytest.raises(sextant.UsageError, match="denoiser-label 11: .* has labels 0-10"):
        run.sample(denoiser_label=11, labels="0", classifier=models / "mnist-classifier", out=tmp_path / "l", **given)


def test_targets_without_a_guide_are_told_to_do_nothing(model):
    with pytest.warns(UserWarning, match="targets .* there is no guide"):
        samplers.ddim(model, [1, 2], targets=[3, 4], steps=2)
