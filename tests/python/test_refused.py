"""What has no meaning is refused in one line that names it: None for an object, settings beyond bounds, odd values."""

import threading
import time

import numpy as np
import pytest
import torch

import sextant
from sextant import calibration, guidance, metrics, pictures

F, Y, X = torch.randn(20, 3), torch.arange(20) % 3, torch.zeros(2, 1, 2, 2)
SPARSE, META = torch.zeros(2).to_sparse(), torch.zeros(1, device="meta")


def logits(x):
    return x.flatten(1)[:, :3]


def denoiser():
    return sextant.Denoiser(lambda x, t, y: x, sextant.Process(), [1, 2, 2])


def extractor(models):
    return metrics.open_extractor(models / "mnist-features")


EIGHT_BITS = torch.zeros(3, 28, 28, 1, dtype=torch.uint8)

REFUSED = {
    # None for an object of the module
    "frechet_distance: a: expected a Gaussian, got None": lambda m: metrics.frechet_distance(None, None),
    "frechet_infinity: reference: expected a Gaussian, got None": lambda m: metrics.frechet_infinity(F, None, 10),
    "Denoiser: process: expected a Process, got None": lambda m: sextant.Denoiser(len, None, [1, 2, 2]),
    "NamedScore: step: expected a Step, got None": lambda m: guidance.named_score("js")(F, Y, None),
    "Classifier: ids: expected a SampleIds, got None": lambda m: sextant.Classifier(logits, 3)(X, None, None),
    "GuideInput: ids: expected a SampleIds, got None": lambda m: sextant.Guide(logits, "js")(X, [0, 1], ids=None),
    "Reliability: bins: expected Bins, see equal_width_bins(), got None": lambda m: calibration.Reliability(None),
    "save_statistics: extractor: expected one of open_extractor(), got None": (
        lambda m: metrics.save_statistics("x.npz", EIGHT_BITS, None)
    ),
    "score: f: expected a tensor or an array of numpy, got None": (
        lambda m: guidance.as_score(lambda f, y: f.sum(1))(None, Y, guidance.Step())
    ),
    "score: expected logits f [N, K] of floating point, got torch.int64 [20]": (
        lambda m: guidance.as_score(lambda f, y: f.sum(1))(Y, Y, guidance.Step())
    ),
    # bounds
    "Process: expected 1 to 1000000 steps, got 10000000": lambda m: sextant.Process("cosine", steps=10**7),
    "Process: expected 1 to 1000000 steps, got 4611686018427387904": lambda m: sextant.Process(steps=2**62),
    "Process: expected 1 to 1000000 steps, got 0": lambda m: sextant.Process(steps=0),
    "Process: expected 1 to 1000000 steps, got -1": lambda m: sextant.Process(steps=-1),
    "frechet_infinity: expected 2 to 1000 points, got 2147483648": (
        lambda m: metrics.frechet_infinity(F, metrics.gaussian_of(F), 10, points=2**31)
    ),
    "Denoiser: expected sample_shape [C, H, W] of positive numbers, got 1000000 numbers": (
        lambda m: sextant.Denoiser(len, sextant.Process(), range(10**6))
    ),
    "Denoiser.denoise: expected a noise level that float32 holds, got 1e+308": (
        lambda m: denoiser().denoise(X, 1e308, Y[:2])
    ),
    "open_classifier: expected channels and side of at least 0, got 0 and -1": (
        lambda m: sextant.open_classifier(m / "mnist-classifier", side=-1)
    ),
    "classifier-free guidance is between labels and none: give it labels y [N]": (
        lambda m: sextant.open_denoiser(m / "mnist-adm", cfg_scale=2)(torch.zeros(2, 1, 28, 28), torch.ones(2))
    ),
    # tensors where numbers stand, and what is no number
    "grid: columns must be at least 0 and scale at least 1, got [[0 0 0]] and 1": (
        lambda m: pictures.grid(EIGHT_BITS, columns=np.zeros((1, 3), np.int64))
    ),
    "forward_kl: alpha: expected a number, got Tensor": lambda m: guidance.forward_kl(F, Y, alpha=META),
    "named_score: alpha cannot be a Tensor": lambda m: guidance.named_score("js", alpha=META),
    f"open_denoiser: device cannot be a {np.longdouble.__name__}": (
        lambda m: sextant.open_denoiser("x", device=np.longdouble(1))
    ),
    "calculate_metrics: isc: expected True or False, got tensor([])": (
        lambda m: metrics.calculate_metrics(input1=EIGHT_BITS, isc=torch.zeros(0))
    ),
    "open_extractor: device: expected a text or a torch.device, got tensor([])": (
        lambda m: metrics.open_extractor(m / "mnist-features", device=torch.zeros(0))
    ),
    "Guide: js_form is no text of Unicode: '\\ud800'": lambda m: sextant.Guide(logits, "js", js_form="\ud800"),
    "progress: expected True, False or an object with begin(), update(), end() and note(), got int": (
        lambda m: extractor(m).embed_array(EIGHT_BITS, progress=3)
    ),
}


@pytest.mark.parametrize("said", REFUSED)
def test_it_is_refused_in_one_line(said, models):
    with pytest.raises(sextant.Error) as caught:
        REFUSED[said](models)
    assert str(caught.value) == said


ODD = {
    "meta": META, "sparse": SPARSE, "long doubles": np.zeros(3, np.longdouble), "huge": 10**5000, "complex": 1j,
    "surrogate": "\ud800",
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_odd_values_of_settings_are_refused_in_one_line(name):
    value = ODD[name]
    for call in (
        lambda: sextant.Guide(logits, "js", alpha=value),
        lambda: guidance.forward_kl(F, Y, alpha=value),
        lambda: sextant.softplus_(torch.nn.ReLU(), value),
        lambda: pictures.grid(EIGHT_BITS, columns=value),
        lambda: metrics.compute_fid(EIGHT_BITS, EIGHT_BITS, gen=value),
    ):
        with pytest.raises(sextant.UsageError) as caught:
            call()
        assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def test_numbers_of_other_libraries_are_columns_and_scales():
    drawn = pictures.grid(EIGHT_BITS, columns=np.int64(3), scale=torch.tensor(2))
    assert np.array_equal(drawn.pixels, pictures.grid(EIGHT_BITS, columns=3, scale=2).pixels)


def test_an_extractor_shows_its_progress(models, capfd):
    assert extractor(models).embed_array(EIGHT_BITS, progress=True).count == 3
    assert extractor(models).embed_array(EIGHT_BITS, progress=False).count == 3


def test_a_submodule_in_training_mode_is_refused():
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Dropout(0.5), torch.nn.Linear(4, 3)).eval()
    net[1].train()
    with pytest.raises(sextant.UsageError, match="the module's '1' is in training mode"):
        sextant.Guide(net, "js")
    assert sextant.Guide(net.eval(), "js")(X, [0, 1]).gradient.shape == X.shape


def test_an_opened_model_without_labels_needs_none(models):
    x, t = torch.randn(2, 1, 28, 28), torch.tensor([10, 500])
    opened = sextant.open_denoiser(models / "mnist-adm", unconditional=True)
    assert torch.equal(opened(x, t), opened(x, t, torch.tensor([3, 4])))
    labelled = sextant.open_denoiser(models / "mnist-adm", denoiser_label=3)
    assert torch.equal(labelled(x, t), labelled(x, t, torch.tensor([7, 8])))


def test_a_process_is_made_without_the_interpreters_lock():
    ticks = []
    done = threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    began = time.monotonic()
    sextant.Process("cosine", steps=500_000)
    ended = time.monotonic()
    done.set()
    thread.join()
    within = [t for t in ticks if began <= t <= ended]
    assert len(within) > 5
