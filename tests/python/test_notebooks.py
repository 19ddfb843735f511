"""The notebooks of examples/ run, and show what they were committed with."""

import importlib.util
import json

import pytest
from conftest import ROOT

SPEC = importlib.util.spec_from_file_location("run_notebooks", ROOT / "examples/run.py")
notebooks = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(notebooks)

NOTEBOOKS = [pytest.param(path, id=path.stem) for path in sorted((ROOT / "examples").glob("*.ipynb"))]


def kinds(notebook):
    """What each code cell shows, without the numbers, which differ from one PyTorch to the next."""
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return [[sorted(output.get("data", [output["output_type"]])) for output in cell["outputs"]] for cell in code]


def test_there_are_three():
    assert len(NOTEBOOKS) == 3


@pytest.mark.parametrize("path", NOTEBOOKS)
def test_a_notebook_runs_and_shows_what_it_was_committed_with(path):
    committed = json.loads(path.read_text())
    assert kinds(notebooks.run(path)) == kinds(committed)


@pytest.mark.parametrize("path", NOTEBOOKS)
def test_a_notebook_is_small_and_ran_in_order(path):
    committed = json.loads(path.read_text())
    counts = [cell["execution_count"] for cell in committed["cells"] if cell["cell_type"] == "code"]
    assert counts == list(range(1, len(counts) + 1))
    assert path.stat().st_size < 250_000


def test_a_cell_that_fails_is_named(tmp_path):
    cells = [{"cell_type": "code", "source": [line]} for line in ("x = 1", "x / 0")]
    (tmp_path / "broken.ipynb").write_text(json.dumps({"cells": cells}))
    with pytest.raises(RuntimeError, match=r"broken.ipynb, cell 2: ZeroDivisionError"):
        notebooks.run(tmp_path / "broken.ipynb")
