"""Every Python program in the documents runs, and the tutorial from top to bottom."""

import doctest
import os
import re
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT

PAGES = ["README.md", *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md"))]
TUTORIAL = "docs/tutorial.md"
PROGRAMS = [
    pytest.param(program, id=f"{page}-{i}")
    for page in PAGES
    if page != TUTORIAL
    for i, program in enumerate(re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.S))
]
# So that the tutorial takes seconds: as many images and steps as show that each command works.
SMALLER = {
    r"--count \d+": "--count 2", r"--steps \d+": "--steps 3", r"steps=\d+": "steps=3",
    r"(?m)^(count|batch) = 3000$": r"\1 = 20", r"(?m)^steps = 250$": "steps = 5", r"(?m)^seeds = .*$": "seeds = [1]",
}  # fmt: skip


def smaller(text):
    for pattern, small in SMALLER.items():
        text = re.sub(pattern, small, text)
    return text


def run(words, folder, **environment):
    return subprocess.run(
        words, cwd=folder, capture_output=True, text=True, env={**os.environ, **environment}, timeout=600
    )


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_of_the_documents_runs(program, tmp_path):
    (tmp_path / "models").symlink_to(ROOT / "models")
    result = run([sys.executable, "-c", program], tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout


def steps_of_the_tutorial():
    """Its blocks in order: programs in Python, and commands where they are sextant's."""
    for program, commands in re.findall(
        r"```python\n(.*?)```|((?:^    [^\n]*\n)+)", (ROOT / TUTORIAL).read_text(), re.S | re.M
    ):
        if program:
            yield smaller(program), None
        elif commands.startswith("    sextant "):
            yield None, smaller(commands)


def test_the_tutorial_runs_from_top_to_bottom(tmp_path):
    program = os.environ.get("SEXTANT_PROGRAM")
    if not program:
        pytest.skip("SEXTANT_PROGRAM does not say which sextant to run")
    (tmp_path / "models").symlink_to(ROOT / "models")
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
    recipe = tmp_path / "recipes/theory/two-classes.toml"
    recipe.write_text(smaller(recipe.read_text()))
    path = os.path.dirname(program) + os.pathsep + os.environ["PATH"]
    ran = 0
    for python, shell in steps_of_the_tutorial():
        words = [sys.executable, "-c", python] if python else ["bash", "-euc", shell]
        result = run(words, tmp_path, PATH=path)
        assert result.returncode == 0, f"{python or shell}\n{result.stdout}\n{result.stderr}"
        ran += 1
    assert ran >= 9
    for made in ("alone/grid.png", "guided/gradient-norm.svg", "again/samples.npz", "bold/run.json",
                 "two-classes/table.md", "two-classes.html"):  # fmt: skip
        assert (tmp_path / "out" / made).stat().st_size, made


def test_the_messages_of_the_cookbook_are_what_python_says(tmp_path, monkeypatch):
    (tmp_path / "models").symlink_to(ROOT / "models")
    monkeypatch.chdir(tmp_path)
    sessions = "\n".join(re.findall(r"```pycon\n(.*?)```", (ROOT / "docs/errors.md").read_text(), re.S))
    test = doctest.DocTestParser().get_doctest(sessions, {}, "errors.md", "docs/errors.md", 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    said = []
    assert runner.run(test, out=said.append).failed == 0, "".join(said)
    assert runner.tries >= 7
