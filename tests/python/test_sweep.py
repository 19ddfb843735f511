"""run.sweep reads a recipe as the program does, and dry_run only says what would be drawn."""

import json
import os
import sys

import pytest

import sextant
from sextant import run

needs_toml = pytest.mark.skipif(sys.version_info < (3, 11), reason="TOML is read from Python 3.11 on")


@pytest.fixture
def recipe(models):
    """Two rows, one of which has an axis of two values, at two seeds: six cells."""
    return {
        "sweep": {"seeds": [4, 9]},
        "sample": {"count": 2, "batch": 2, "labels": "0-9"},
        "model": {"model": str(models / "mnist-adm")},
        "sampler": {"sampler": "ddim", "steps": 2},
        "rows": [{"name": "cold"}, {"name": "warm", "sampler": {"eta": [0.5, 1.0]}}],
    }


def quiet(recipe, folder, **settings):
    return run.sweep(recipe, out=folder, threads=1, progress=False, **settings)


def column(result, name):
    return [row[result.header.index(name)] for row in result.rows]


def test_a_dry_run_lists_every_cell_and_draws_none(recipe, tmp_path):
    plan = quiet(recipe, tmp_path / "out", dry_run=True)
    assert column(plan, "seed") == ["4", "9"] * 3
    assert len(set(column(plan, "cell"))) == 3 and column(plan, "cell")[0] == "cold"
    assert column(plan, "images") == ["2"] * 6 and column(plan, "there") == ["0"] * 6
    assert (plan.numbers["count"], plan.numbers["finished"], plan.complete) == (6, 0, False)
    drawn = [name for _, _, names in os.walk(tmp_path) for name in names if name.endswith((".npz", ".png", ".md"))]
    assert drawn == []


def test_what_a_dry_run_listed_is_drawn_then_and_found_afterwards(recipe, tmp_path):
    result = quiet(recipe, tmp_path / "out")
    assert result.complete and result.numbers["finished"] == 6 and len(result.rows) == 3
    again = quiet(recipe, tmp_path / "out", dry_run=True)
    assert column(again, "there") == ["2"] * 6


def test_seeds_and_axes_may_stand_at_the_top_of_a_recipe(recipe, tmp_path):
    recipe["seeds"] = recipe.pop("sweep")["seeds"]
    recipe["axes"] = {"eta": [0.25, 0.75]}
    plan = quiet(recipe, tmp_path / "out", dry_run=True)
    assert len(plan.rows) == 8, "a row with an axis of its own has none of the recipe's: (2 + 2) cells at two seeds"


def test_keywords_win_over_the_sweep_table_of_a_recipe(recipe, tmp_path):
    recipe["sweep"]["out"] = str(tmp_path / "theirs")
    assert quiet(recipe, tmp_path / "mine", dry_run=True).out == str(tmp_path / "mine")
    assert run.sweep(recipe, dry_run=True, progress=False).out == str(tmp_path / "theirs")
    before = json.dumps(recipe)
    quiet(recipe, tmp_path / "mine", dry_run=True)
    assert json.dumps(recipe) == before, "the caller's tables are the caller's"


@needs_toml
def test_a_recipe_of_toml_is_the_same_as_its_tables(recipe, models, tmp_path):
    (tmp_path / "t.toml").write_text(
        f"""
        seeds = [4, 9]
        [sample]
        count = 2
        batch = 2
        labels = "0-9"
        [model]
        model = "{models}/mnist-adm"
        [sampler]
        sampler = "ddim"
        steps = 2
        [[rows]]
        name = "cold"
        [[rows]]
        name = "warm"
        sampler.eta = [0.5, 1.0]
        """
    )
    of_file = quiet(tmp_path / "t.toml", tmp_path / "out", dry_run=True)
    of_tables = quiet(recipe, tmp_path / "out", dry_run=True)
    for name in ("cell", "seed", "images"):
        assert column(of_file, name) == column(of_tables, name)


def test_a_recipe_that_is_none_is_refused_by_name(recipe, tmp_path):
    (tmp_path / "broken.toml").write_text("[sample\n")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(sextant.UsageError, match="sweep: a recipe is a dict or a file, got list"):
        run.sweep([recipe])
    with pytest.raises(sextant.UsageError, match="cannot read .*none.toml: No such file"):
        run.sweep(tmp_path / "none.toml")
    with pytest.raises(sextant.UsageError, match="broken.json"):
        run.sweep(tmp_path / "broken.json")
    if sys.version_info >= (3, 11):
        with pytest.raises(sextant.UsageError, match="broken.toml"):
            run.sweep(tmp_path / "broken.toml")
    recipe["rows"][1]["sampler"] = {"stepz": 3}
    with pytest.raises(sextant.UsageError, match="row 'warm': unknown key 'stepz'.*Did you mean 'steps'"):
        quiet(recipe, tmp_path / "out", dry_run=True)
    with pytest.raises(sextant.UsageError, match="nothing to run"):
        quiet({"model": recipe["model"]}, tmp_path / "out", dry_run=True)
