"""The commands from Python: files, result objects, progress, Ctrl-C."""

import json
import os
import signal
import threading

import numpy as np
import pytest

import sextant
from sextant import run


class Heard:
    def __init__(self):
        self.lines = []

    def begin(self, task, total, done, unit):
        self.lines.append(f"begin {task} {total:.0f} {unit}")

    def update(self, done):
        self.lines.append(done)

    def end(self):
        self.lines.append("end")

    def note(self, line):
        self.lines.append(line)


@pytest.fixture
def digits(models, tmp_path):
    return dict(
        model=models / "mnist-adm", sampler="ddim", steps=4, batch=2, labels="0-9", threads=1, out=tmp_path / "out"
    )


def test_sample_draws_tells_and_shows(digits):
    heard = Heard()
    result = run.sample(count=4, progress=heard, **digits)
    assert result.complete and result.images.shape == (4, 28, 28, 1) and result.images.dtype == np.uint8
    assert result.labels.tolist() == [0, 1, 2, 3]
    assert heard.lines[0] == "begin sample 4 images" and heard.lines[-1] == "end" and 4.0 in heard.lines
    assert result._repr_png_()[:4] == b"\x89PNG" and "<table>" in result._repr_html_() and "Samples(" in repr(result)
    assert result.record()["config"]["sampler"]["steps"] == 4
    assert run.sample(result.path("run.json"), progress=False).numbers["there_already"]


def test_keywords_win_over_a_recipe_of_tables(digits):
    recipe = {"sample": {"count": 3}, "sampler": {"steps": 9}}
    result = run.sample(recipe, progress=False, **digits)
    assert result.record()["config"]["sampler"]["steps"] == 4 and len(result.labels) == 3


def test_a_list_may_be_an_array(digits):
    result = run.sample(count=2, progress=False, **{**digits, "labels": np.array([3, 1], dtype=np.uint16)})
    assert result.labels.tolist() == [3, 1]


def test_a_wrong_setting_is_refused_in_pythons_spelling(digits):
    with pytest.raises(sextant.UsageError, match=r"batch must be .* got '0'") as caught:
        run.sample(count=4, **{**digits, "batch": 0})
    assert "--" not in str(caught.value)
    with pytest.raises(sextant.UsageError, match="unknown setting 'cout'.*Did you mean 'count'"):
        run.sample(cout=4, **digits)
    with pytest.raises(sextant.UsageError, match="model is needed"):
        run.sample(out=digits["out"])


def test_a_run_that_is_refused_leaves_no_empty_folder(digits, models, tmp_path):
    out = tmp_path / "a/b"
    refused = {**digits, "out": out, "labels": "0-12"}
    for call in (lambda: run.sample(count=4, progress=False, **refused),
                 lambda: run.sample(count=4, progress=False, **{**digits, "out": out, "vae": tmp_path / "missing"}),
                 lambda: run.evaluate(tmp_path / "missing", out=out, metrics="accuracy",
                                      classifier=models / "mnist-classifier", progress=False),
                 lambda: run.calibrate(classifier=models / "mnist-classifier", data=tmp_path / "missing", out=out,
                                       progress=False)):  # fmt: skip
        with pytest.raises(sextant.Error):
            call()
        assert not (tmp_path / "a").exists()
    recipe = {"sample": {"count": 2, "batch": 2}, "model": {"model": str(digits["model"])}, "sampler": {"steps": 2},
              "rows": [{"name": "right", "sample": {"labels": "0-9"}},
                       {"name": "wrong", "sample": {"labels": "0-12"}}]}  # fmt: skip
    with pytest.raises(sextant.Error):
        run.sweep(recipe, out=tmp_path / "swept", threads=1, progress=False)
    assert all(path.is_file() or any(path.iterdir()) for path in tmp_path.rglob("*"))


@pytest.mark.parametrize("text", ["[1]", '"x"', '{"config": [1]}'])
def test_a_recipe_that_is_no_object_of_tables_is_refused(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(sextant.UsageError, match="run.json: expected an object of tables, got"):
        run.sample(tmp_path / "run.json")


@pytest.mark.parametrize("table", [3, None, "x"])
def test_a_table_that_is_none_is_refused(table):
    with pytest.raises(sextant.UsageError, match=r"\[share\] is a table of settings, got|\[sample\] is a table of"):
        run.sample({"sample": table}, count=1)


def test_a_whole_number_out_of_range_is_told_as_it_was_given(digits):
    with pytest.raises(sextant.UsageError, match=f"seed is out of range: .* got {2**70}"):
        run.sample(count=1, **{**digits, "seed": 2**70})


def test_numbers_of_an_evaluation_that_is_not_complete_are_not_there_yet():
    with pytest.raises(sextant.UsageError, match="'fid' is not there yet: the run is not complete"):
        run.Evaluation({"out": "out", "complete": False})["fid"]


def test_ctrl_c_saves_and_the_same_call_continues(digits):
    class Interrupted(Heard):
        def update(self, done):
            super().update(done)
            if done >= 2 and not any(line == "sent" for line in self.lines):
                self.lines.append("sent")
                signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run.sample(count=8, progress=Interrupted(), **digits)
    with np.load(os.path.join(digits["out"], "samples.npz")) as file:
        finished = len(file["arr_0"])
    assert 2 <= finished < 8
    result = run.sample(count=8, progress=False, **digits)
    assert result.complete and len(result.images) == 8


def test_a_run_leaves_the_number_of_threads_alone(digits):
    import torch

    before = torch.get_num_threads()
    run.sample(count=1, progress=False, **digits)
    assert torch.get_num_threads() == before
    assert (torch.tensor([1e-38]) * 0.1).item() > 0, "numbers below 1e-38 are still there"


def test_evaluate_scores_what_was_drawn(digits, models):
    drawn = run.sample(count=8, progress=False, **digits)
    result = run.evaluate(
        drawn,
        reference=models / "mnist-features/reference_train.npz",
        features=models / "mnist-features",
        metrics="fid+accuracy",
        bootstrap=0,
        threads=1,
        progress=False,
    )
    assert result["fid"] > 0 and 0 <= result["accuracy"] <= 1
    assert "FID" in str(result) and "<pre>" in result._repr_html_()


def test_sweep_makes_a_table_of_a_grid(digits):
    recipe = {"sample": {"count": 2, "batch": 2, "labels": "0-9"}, "model": {"model": str(digits["model"])},
              "sampler": {"sampler": "ddim", "steps": 3},
              "rows": [{"name": "cold"}, {"name": "warm", "sampler": {"eta": 1.0}}]}  # fmt: skip
    result = run.sweep(recipe, out=digits["out"], threads=1, progress=False)
    assert result.numbers["finished"] == 2 and len(result.rows) == 2 and "cold" in result.rows[0]
    assert "<table>" in result._repr_html_()
    assert json.load(open(os.path.join(digits["out"], "run.json")))


def test_trace_follows_guidance_along_the_steps(digits, models):
    result = run.trace(
        count=2, classifier=models / "mnist-classifier", guidance="js", samples="0", progress=False, **digits
    )
    assert result.complete and len(result.rows) == 1 and result.record()
    assert "<table>" in result._repr_html_()


def test_two_threads_sample_at_once(digits, tmp_path):
    results = {}

    def work(name):
        results[name] = run.sample(count=2, progress=False, **{**digits, "out": tmp_path / name})

    threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b")]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert np.array_equal(results["a"].images, results["b"].images)
