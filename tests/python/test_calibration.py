"""Calibration from Python is the reference's; the loss trains."""

import pytest
import torch
from conftest import Case, golden

import sextant
from sextant import calibration


@pytest.mark.parametrize("path", golden("calibration"))
def test_measures_are_the_references(path):
    case = Case(path)
    compared = []

    def close(got, key):  # a case has the numbers that it is about
        if key in case:
            flat = torch.as_tensor(got, dtype=torch.float64).reshape(-1)
            torch.testing.assert_close(flat, case[key].double().reshape(-1), rtol=1e-9, atol=1e-11)
            compared.append(key)

    if "input/logits" not in case:
        count = case["output/count"].numel()
        made = calibration.equal_width_bins(case["input/confidence"], case["input/correct"].double(), bins=count)
        close(made.ece, "output/ece")
        close(made.count.double(), "output/count")
        assert compared
        return
    f, y = case["input/logits"], case["input/labels"]
    close(calibration.negative_log_likelihood(f, y), "output/nll")
    close(calibration.brier_score(f, y), "output/brier")
    close(calibration.accuracy(f, y), "output/accuracy")
    confidence, prediction, correct = calibration.predict(f, y)
    close(confidence, "output/confidence")
    for bins in (10, 15, 20):
        if f"output/bins{bins}/ece" in case:
            close(calibration.expected_calibration_error(f, y, bins=bins), f"output/bins{bins}/ece")
            close(calibration.equal_width_bins(confidence, correct, bins=bins).mce, f"output/bins{bins}/mce")
    for i in range(3):
        if f"output/smooth_ece_{i}/loss" in case:
            leaf = f.clone().requires_grad_()
            loss = calibration.SmoothECELoss(beta=case.config[f"beta_{i}"], cross_entropy=False)(leaf, y)
            loss.backward()
            close(loss.detach(), f"output/smooth_ece_{i}/loss")
            close(leaf.grad, f"output/smooth_ece_{i}/grad")
    for i in range(2):
        if f"output/combined_{i}/loss" in case:
            leaf = f.clone().requires_grad_()
            loss = calibration.SmoothECELoss(weight=case.config[f"lambda_{i}"])(leaf, y)
            loss.backward()
            close(loss.detach(), f"output/combined_{i}/loss")
            close(leaf.grad, f"output/combined_{i}/grad")
    assert compared


def overconfident():
    torch.manual_seed(0)
    f = torch.randn(2000, 5, dtype=torch.float64)
    y = torch.distributions.Categorical(logits=f).sample()
    return 3 * f, y


def test_temperature_scaling_finds_the_temperature_that_the_logits_were_sharpened_by():
    f, y = overconfident()
    scaling = calibration.TemperatureScaling(f, y)
    assert scaling.temperature == pytest.approx(3, rel=0.1)
    assert calibration.expected_calibration_error(scaling(f), y) < 0.3 * calibration.expected_calibration_error(f, y)


def test_vector_scaling_lowers_the_likelihood_loss_at_least_as_far():
    f, y = overconfident()
    vector, temperature = calibration.fit_vector_scaling(f, y), calibration.TemperatureScaling(f, y)
    nll = calibration.negative_log_likelihood
    assert nll(vector(f), y) <= nll(temperature(f), y) + 1e-4


def test_training_with_the_smooth_ece_loss_calibrates():
    f, y = overconfident()
    scale = torch.ones((), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([scale], lr=0.05)
    loss = calibration.SmoothECELoss(weight=1.0)
    for _ in range(100):
        optimiser.zero_grad()
        loss(f * scale, y).backward()
        optimiser.step()
    assert 0.2 < scale.item() < 0.6


def test_a_reliability_diagram_is_a_picture_and_a_file(tmp_path):
    f, y = overconfident()
    figure = calibration.reliability(f, y, title="logits sharpened by 3")
    assert figure._repr_png_()[:8] == b"\x89PNG\r\n\x1a\n"
    figure.save(tmp_path / "a.svg")
    assert "<svg" in (tmp_path / "a.svg").read_text()
    with pytest.raises(sextant.UsageError):
        figure.save(tmp_path / "a.jpeg")


def test_measure_gives_every_number_by_name():
    f, y = overconfident()
    numbers, bins = calibration.measure(f, y)
    assert numbers["ece"] == pytest.approx(calibration.expected_calibration_error(f, y))
    assert {"accuracy", "mce", "nll", "brier", "smooth_ece", "classwise_ece"} <= set(numbers)
    assert int(bins.count.sum()) == 2000


def test_vector_scaling_refuses_logits_of_other_classes():
    f, y = torch.randn(20, 3), torch.arange(20) % 3
    scaling = sextant.calibration.fit_vector_scaling(f, y)
    with pytest.raises(sextant.ShapeError, match=r"expected logits f \[N, 3\], as it was fitted to, got \[4, 2\]"):
        scaling(torch.zeros(4, 2))
