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


def test_evaluate_judges_labelled_samples_by_the_network_of_the_features(models, tmp_path):
    images = digits_of(8)
    features = metrics.open_extractor(models / "mnist-features")
    logits = metrics.embed(images, features).logits
    labels = logits.argmax(1)
    labels[:16] = (labels[:16] + 1) % 10
    settings = dict(features=features, metrics=["accuracy", "ece"])
    numbers = metrics.evaluate(images, digits_of(9), labels=labels, **settings)
    assert numbers["accuracy"] == 48 / 64
    assert numbers["ece"] == pytest.approx(sextant.calibration.expected_calibration_error(logits, labels), abs=1e-9)
    np.savez(tmp_path / "a.npz", arr_0=images, arr_1=labels)
    assert metrics.evaluate(tmp_path / "a.npz", digits_of(9), **settings) == numbers
    with pytest.raises(sextant.UsageError, match="accuracy cannot be computed: needs labelled samples"):
        metrics.evaluate(images, digits_of(9), **settings)
    with pytest.raises(sextant.UsageError, match="accuracy cannot be computed: needs labelled samples"):
        metrics.evaluate(images, digits_of(9), labels=labels + 10, **settings)
    with pytest.raises(sextant.UsageError, match="labels go with an array of images"):
        metrics.evaluate(tmp_path / "a.npz", digits_of(9), labels=labels, **settings)


def test_a_path_gives_every_number_that_its_array_gives(models, tmp_path):
    a, b, labels = digits_of(6), digits_of(7), np.arange(64) % 10
    np.savez(tmp_path / "a.npz", arr_0=a, arr_1=labels)
    np.savez(tmp_path / "b.npz", arr_0=b)
    settings = dict(metrics=["fid", "kid", "precision", "is"], kid_subset_size=32, kid_subsets=5)
    extractor = metrics.open_extractor(models / "mnist-features")
    expected = metrics.evaluate(metrics.embed(a, extractor, labels=labels), b, features=extractor, **settings)
    numbers = metrics.evaluate(tmp_path / "a.npz", tmp_path / "b.npz", features=extractor, **settings)
    assert {"fid", "kid", "precision", "is"} <= set(numbers)
    names = [name for name, value in expected.items() if isinstance(value, (int, float))]
    assert {name: numbers[name] for name in names} == {name: expected[name] for name in names}


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
    with pytest.raises(sextant.UsageError, match="mode 'cleanest' is unknown; use clean, legacy_pytorch, legacy_tens"):
        metrics.compute_fid(a, b, mode="cleanest", features=weights)


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


def test_settings_of_other_tools_are_taken_where_they_change_no_number(models, tmp_path):
    a, b = digits_of(6), digits_of(7)
    weights = metrics.open_extractor(models / "mnist-features", protocol="pytorch-fid", device=torch.device("cpu"))
    expected = metrics.compute_fid(a, b, features=weights)
    assert metrics.compute_fid(a, b, mode="legacy_pytorch", device=None, features=weights, num_workers=0, gen=None,
                               model_name="inception_v3", verbose=False) == expected  # fmt: skip
    with pytest.raises(sextant.UsageError, match="compute_fid: model_name = clip_vit_b_32 would change the number"):
        metrics.compute_fid(a, b, features=weights, model_name="clip_vit_b_32")
    with pytest.raises(TypeError, match="unexpected keyword argument 'bath_size'"):
        metrics.compute_fid(a, b, features=weights, bath_size=3)

    wanted = dict(input1=a, input2=b, fid=True, feature_extractor_weights_path=weights)
    assert metrics.calculate_metrics(**wanted, samples_find_deep=False, verbose=False, cache=True, kid_degree=3)
    with pytest.raises(sextant.UsageError, match="samples_find_deep = True would change the number"):
        metrics.calculate_metrics(**wanted, samples_find_deep=True)

    metrics.save_fid_stats([a, tmp_path / "a.npz"], features=weights)
    assert metrics.calculate_fid_given_paths([tmp_path / "a.npz", b], features=weights) == pytest.approx(expected)
    with pytest.raises(sextant.UsageError, match="a.npz exists already"):
        metrics.save_fid_stats([a, str(tmp_path / "a.npz")], features=weights)
    with pytest.raises(sextant.UsageError, match="isc needs images, input1 has no logits"):
        metrics.calculate_metrics(input1=tmp_path / "a.npz", isc=True, feature_extractor_weights_path=weights)
    with np.load(tmp_path / "a.npz") as one:
        mu, sigma = one["mu"], one["sigma"]
    two = metrics.embed(b, weights).gaussian
    got = metrics.calculate_frechet_distance(mu, sigma, two.mean, two.covariance)
    assert got == pytest.approx(expected)


def test_kid_of_clean_fids_call_is_the_mean_over_subsets_of_all_images(models):
    a, b = digits_of(6, 40), digits_of(7, 50)
    weights = metrics.open_extractor(models / "mnist-features")
    got = metrics.compute_kid(a, b, mode="legacy_pytorch", num_workers=2, features=weights)
    x, y = (metrics.embed(images, weights).features.double() for images in (a, b))
    kernel = lambda u, v: (u @ v.T / u.shape[1] + 1) ** 3  # noqa: E731
    off = lambda k: (k.sum() - k.trace()) / (k.shape[0] * (k.shape[0] - 1))  # noqa: E731
    # Every subset has all 40 images of the one, and 40 of 50 of the other: near the estimate from all.
    all_of_them = off(kernel(x, x)) + off(kernel(y, y)) - 2 * kernel(x, y).mean()
    assert got == pytest.approx(float(all_of_them), abs=0.2 * float(off(kernel(x, x))))
    assert got == metrics.compute_kid(a, b, features=weights)


WRONG = {
    "metrics: expected names of numbers, got 3": lambda a, e: metrics.evaluate(a, a, features=e, metrics=3),
    "calculate_fid_given_paths: expected two paths, got 3": lambda a, e: metrics.calculate_fid_given_paths(3),
    "embed: extractor: expected one of open_extractor(), got None": lambda a, e: metrics.embed(a, None),
    "progress: expected True, False or an object with begin(), update(), end() and note(), got str": (
        lambda a, e: metrics.embed(a, e, progress="x")
    ),
    "embed: labels: expected whole numbers, got ['a', 'a']": lambda a, e: metrics.embed(a, e, labels=["a"] * 2),
    "open_extractor: features: expected a path, got 3": lambda a, e: metrics.open_extractor(3),
}


@pytest.mark.parametrize("said", WRONG)
def test_arguments_of_the_wrong_kind_are_refused_in_one_line(models, said):
    extractor = metrics.open_extractor(models / "mnist-features")
    with pytest.raises(sextant.UsageError) as caught:
        WRONG[said](digits_of(0, 2), extractor)
    assert str(caught.value) == said
