"""Values are copied and pickled; what holds functions says why it is not."""

import copy
import pickle
import subprocess
import sys

import pytest
import torch

import sextant
from sextant import calibration, guidance, metrics, samplers
from sextant._core import evaluation

F, Y = torch.randn(20, 3, generator=torch.Generator().manual_seed(0)), torch.arange(20) % 3
SHAPE = [1, 2, 2]


def linear():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 3)).eval()


def seen(guided):
    steps = []
    denoiser = sextant.Denoiser(lambda x, t, y: 0.1 * x, sextant.Process(), SHAPE)
    guide = sextant.Guide(linear(), "js") if guided else None
    samplers.ddim(denoiser, [0, 1], guide=guide, steps=2, observe=steps.append)
    return steps[0]


VALUES = {
    "Gaussian": lambda: metrics.gaussian_of(F),
    "Bins": lambda: calibration.reliability(F, Y).bins,
    "VectorScaling": lambda: calibration.fit_vector_scaling(F, Y),
    "Step": lambda: guidance.Step(3, 7, 0.25),
    "SampleIds": lambda: sextant.SampleIds(5, [2, 9]),
    "Prediction": lambda: sextant.Process().p_mean_variance(torch.zeros(2, *SHAPE), torch.ones(2, *SHAPE), 3),
    "Guidance": lambda: sextant.Guide(linear(), "js")(torch.zeros(2, *SHAPE), [0, 1]),
    "a step": lambda: seen(False),
    "a guided step": lambda: seen(True),
}


def fields(value):
    """What is read of it, name by name."""
    return {name: getattr(value, name) for name, member in vars(type(value)).items() if isinstance(member, property)}


def same(a, b):
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and a.dtype == b.dtype and torch.equal(a, b)
    if type(a).__module__.startswith("sextant"):
        return type(a) is type(b) and all(same(x, y) for x, y in zip(fields(a).values(), fields(b).values()))
    return a == b


@pytest.mark.parametrize("name", VALUES)
def test_a_value_is_copied_and_pickled_with_all_its_fields(name):
    value = VALUES[name]()
    assert fields(value)
    for made in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert made is not value and same(made, value)
    for field, whole in fields(copy.deepcopy(value)).items():
        if isinstance(whole, torch.Tensor):
            assert whole.data_ptr() != getattr(value, field).data_ptr(), field


def test_what_a_copy_computes_is_the_same():
    scaling, f = VALUES["VectorScaling"](), torch.randn(4, 3)
    assert torch.equal(pickle.loads(pickle.dumps(scaling))(f), scaling(f))
    score = guidance.named_score("js+entropy", alpha=0.7, lambda_max=0.5)
    for a, b in zip(pickle.loads(pickle.dumps(score))(F, Y), score(F, Y)):
        assert torch.equal(a, b)
    assert not torch.equal(score(F, Y)[0], guidance.named_score("js+entropy")(F, Y)[0])
    settings = dict(steps=100, respacing="10", mean="v", variance="fixed_large", rescale_timesteps=True, clip=False)
    for process in (sextant.Process("cosine", **settings), sextant.Process(betas=[0.1, 0.5, 0.3]),
                    sextant.Process().respaced("ddim5")):  # fmt: skip
        made = pickle.loads(pickle.dumps(process))
        assert made is not process and made.num_steps == process.num_steps
        x, output = torch.randn(2, *SHAPE), torch.randn(2, *SHAPE)
        for step in range(made.num_steps):
            assert same(made.p_mean_variance(output, x, step), process.p_mean_variance(output, x, step))
            assert made.timestep(step) == process.timestep(step) and made.abar(step) == process.abar(step)
    embedding = evaluation.Embedding.__new__(evaluation.Embedding)
    with pytest.raises(TypeError, match="made by __new__ alone"):
        copy.copy(embedding)


class Halved(sextant.Noise):
    def __init__(self, factor):
        super().__init__(3, [5, 7], SHAPE)
        self.factor = factor

    def initial(self):
        return super().initial() * self.factor


def test_noise_is_copied_and_pickled_those_of_derived_classes_with_what_they_hold():
    plain, own = sextant.Noise(3, [5, 7], SHAPE), Halved(0.5)
    for copied in (copy.copy, copy.deepcopy, lambda noise: pickle.loads(pickle.dumps(noise))):
        made = copied(plain)
        assert made is not plain and type(made) is sextant.Noise and torch.equal(made.at_step(4), plain.at_step(4))
        made = copied(own)
        assert made is not own and type(made) is Halved and made.factor == 0.5
        assert torch.equal(made.initial(), plain.initial() / 2) and made.ids.samples == [5, 7]


def test_a_pickle_opens_in_a_process_that_has_imported_nothing(tmp_path):
    (tmp_path / "value").write_bytes(pickle.dumps(VALUES["Gaussian"]()))
    program = "import pickle, sys; print(pickle.load(open(sys.argv[1], 'rb')).count)"
    command = [sys.executable, "-c", program, str(tmp_path / "value")]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.stdout == "20\n", result.stderr


def test_a_copied_guide_climbs_a_trajectory_of_its_own():
    guide = sextant.Guide(linear(), "js", scale=3)
    x = torch.randn(2, *SHAPE)
    for made in (copy.copy(guide), copy.deepcopy(guide)):
        assert made is not guide and made._guide is not guide._guide and made.classifier is guide.classifier
        assert torch.equal(made(x, [0, 1]).gradient, guide(x, [0, 1]).gradient)


HOLDERS = {
    "Denoiser": lambda models: sextant.Denoiser(lambda x, t, y: x, sextant.Process(), SHAPE),
    "Classifier": lambda models: sextant.Classifier(linear(), 3),
    "Guide": lambda models: sextant.Guide(linear(), "js"),
    "Mixture": lambda models: sextant.Mixture(torch.ones(1), torch.zeros(1, 2), torch.eye(2)[None]),
    "OpenedDenoiser": lambda models: sextant.open_denoiser(models / "mnist-adm"),
    "OpenedClassifier": lambda models: sextant.open_classifier(models / "mnist-classifier"),
    "Extractor": lambda models: metrics.open_extractor(models / "mnist-features"),
}


@pytest.mark.parametrize("name", HOLDERS)
def test_what_holds_functions_is_its_own_copy_and_no_pickle(name, models):
    holder = HOLDERS[name](models)
    if name != "Guide":
        assert copy.copy(holder) is holder and copy.deepcopy(holder) is holder
    with pytest.raises(TypeError, match=f"^{name} cannot be pickled: .* again") as caught:
        pickle.dumps(holder)
    assert "\n" not in str(caught.value)


def test_an_embedding_is_copied(models):
    images = torch.randint(0, 255, (4, 28, 28, 1), dtype=torch.uint8)
    embedding = metrics.embed(images, metrics.open_extractor(models / "mnist-features"))
    for made in (copy.copy(embedding), copy.deepcopy(embedding), pickle.loads(pickle.dumps(embedding))):
        assert same(made, embedding) and metrics.frechet_distance(made.gaussian, embedding.gaussian) < 1e-6
