"""Metrics from Python are the reference's, from features, arrays, folders and files."""

import numpy as np
import pytest
import torch
from conftest import Case, golden

import sextant
from sextant import metrics


@pytest.mark.parametrize("path", golden("metrics"))
def test_numbers_from_features_are_the_references(path):
    case = Case(path)
    if case.name.endswith("rule_2048"):
        pytest.skip("features by a rule that the C++ tests have")
    if "output/fid" in case and "input/mu1" in case:
        pair = [metrics.Gaussian(case[f"input/mu{i}"], case[f"input/sigma{i}"]) for i in (1, 2)]
        got, expected = metrics.frechet_distance(*pair), case["output/fid"]
    elif "output/fid" in case:
        pair = [metrics.gaussian_of(case[f"input/features{i}"]) for i in (1, 2)]
        got, expected = metrics.frechet_distance(*pair), case["output/fid"]
    elif "output/precision" in case:
        got = metrics.precision_recall(case["input/reference"], case["input/sample"], neighbours=case.config["k"])
        expected = torch.cat([case["output/precision"], case["output/recall"]])
    else:
        pytest.skip("its numbers need indices that Python's users do not give")
    torch.testing.assert_close(
        torch.tensor(got, dtype=torch.float64).reshape(-1), expected.reshape(-1), rtol=1e-6, atol=1e-6
    )


def digits_of(seed, count=64):
    return np.random.RandomState(seed).randint(0, 256, (count, 28, 28, 1), dtype=np.uint8)


def test_fid_is_the_same_from_an_array_a_file_a_folder_and_statistics(models, tmp_path):
    a, b = digits_of(0), digits_of(1)
    np.savez(tmp_path / "a.npz", arr_0=a)
    (tmp_path / "folder").mkdir()
    for i, image in enumerate(a):
        sextant._core.report.write_png(tmp_path / "folder" / f"{i:03}.png", torch.from_numpy(image))
    extractor = metrics.open_extractor(models / "mnist-features")
    metrics.save_statistics(tmp_path / "statistics.npz", a, extractor)
    expected = metrics.fid(b, a, features=extractor)
    for reference in (torch.from_numpy(a), tmp_path / "a.npz", str(tmp_path / "folder"), tmp_path / "statistics.npz"):
        assert metrics.fid(b, reference, features=extractor) == pytest.approx(expected, rel=1e-9)

    features = [metrics.embed(images, extractor).features.double() for images in (a, b)]
    mu, sigma = zip(*[(f.mean(0), f.T.cov()) for f in features])
    root = torch.linalg.eigvals(sigma[0] @ sigma[1]).real.clamp(min=0).sqrt().sum()
    written_out = ((mu[0] - mu[1]) ** 2).sum() + sigma[0].trace() + sigma[1].trace() - 2 * root
    assert expected == pytest.approx(float(written_out), rel=1e-6)


def test_evaluate_gives_the_asked_numbers_by_name(models):
    numbers = metrics.evaluate(
        digits_of(2),
        digits_of(3),
        features=models / "mnist-features",
        metrics=["fid", "precision", "recall", "kid"],
        kid_subset_size=32,
        kid_subsets=5,
    )
    assert {"fid", "precision", "recall", "kid"} <= set(numbers)
    with pytest.raises(sextant.UsageError, match="'fit' is unknown"):
        metrics.evaluate(digits_of(2), digits_of(3), features=models / "mnist-features", metrics=["fit"])


def test_the_calls_of_other_tools_give_the_same_numbers(models, tmp_path):
    a, b = digits_of(4), digits_of(5)
    np.savez(tmp_path / "a.npz", arr_0=a)
    weights = models / "mnist-features"
    expected = metrics.fid(a, b, features=weights)
    assert metrics.calculate_fid_given_paths([tmp_path / "a.npz", b], 32, "cpu", features=weights) == pytest.approx(
        expected
    )
    assert metrics.compute_fid(a, b, mode="legacy_pytorch", features=weights) == pytest.approx(expected)
    numbers = metrics.calculate_metrics(
        input1=a,
        input2=b,
        fid=True,
        kid=True,
        prc=True,
        isc=True,
        kid_subset_size=32,
        kid_subsets=10,
        feature_extractor_weights_path=weights,
    )
    assert numbers["frechet_inception_distance"] == pytest.approx(expected)
    assert set(numbers) == {"inception_score_mean", "inception_score_std", "frechet_inception_distance",
                            "kernel_inception_distance_mean", "kernel_inception_distance_std", "precision", "recall",
                            "f_score"}  # fmt: skip
    with pytest.raises(sextant.UsageError, match="clean"):
        metrics.compute_fid(a, b, mode="clean", features=weights)


def test_missing_weights_are_told_with_the_place_they_belong_to(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(sextant.UsageError, match="Inception's weights are missing: put .* into"):
        metrics.fid(digits_of(0), digits_of(1))


@pytest.mark.parametrize(
    "images", [np.zeros((4, 28, 28), np.float32), np.zeros((0, 28, 28, 1), np.uint8), "missing", 5, None]
)
def test_what_is_no_set_of_images_is_refused(models, images):
    with pytest.raises(sextant.Error):
        metrics.fid(images, digits_of(0), features=models / "mnist-features")
