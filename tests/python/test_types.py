"""The stubs say what the compiled part has, and type checkers agree with the module, the notebooks and its users."""

import ast
import importlib.util
import json
import pathlib
import subprocess
import sys
import types

import pytest
from conftest import ROOT

import sextant
from sextant import _core

PACKAGE = pathlib.Path(sextant.__file__).absolute().parent
STUBS = PACKAGE / "_core"
MODULES = {"__init__": _core, **{n: m for n, m in vars(_core).items() if isinstance(m, types.ModuleType)}}


@pytest.mark.parametrize("name", MODULES)
def test_a_stub_declares_everything_that_the_compiled_part_has(name):
    tree = ast.parse((STUBS / f"{name}.pyi").read_text())
    declared = {node.name: node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    for key, value in vars(MODULES[name]).items():
        if key.startswith("__") or isinstance(value, types.ModuleType):
            continue
        assert key in declared, key
        if isinstance(declared[key], ast.ClassDef):
            members = {node.name for node in declared[key].body if isinstance(node, ast.FunctionDef)}
            assert {member for member in vars(value) if not member.startswith("_")} <= members | {"exit_code"}


def test_a_stub_has_arguments_types_and_the_headers_words():
    text = (STUBS / "guidance.pyi").read_text()
    function = next(
        node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name == "jensen_shannon"
    )
    assert [argument.arg for argument in function.args.args] == ["f", "y"]
    assert [argument.arg for argument in function.args.kwonlyargs] == ["alpha", "epsilon", "target", "form"]
    assert ast.unparse(function.args.args[0].annotation) == "Array"  # torch's or numpy's
    assert "torch.Tensor, torch.Tensor" in ast.unparse(function.returns).replace("Tuple", "tuple")
    assert "eq. (14)" in ast.get_docstring(function)


needs_mypy = pytest.mark.skipif(
    importlib.util.find_spec("mypy") is None, reason="mypy is not installed (python3-mypy): types are not checked"
)


def mypy(tmp_path_factory, *words):
    """What mypy says, with the package as it is installed."""
    cache = tmp_path_factory.getbasetemp().parent / "sextant-mypy"
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(cache)]
    environment = {"PATH": ""}
    # mypy finds what is installed by itself, and refuses to be told where.
    if PACKAGE.parent.name not in ("site-packages", "dist-packages"):
        environment["MYPYPATH"] = str(PACKAGE.parent)
    return subprocess.run([*command, *words], cwd=ROOT, env=environment, capture_output=True, text=True)


@needs_mypy
def test_mypy_finds_nothing_in_the_module(tmp_path_factory):
    result = mypy(tmp_path_factory, "-p", "sextant")
    assert result.returncode == 0, result.stdout


@needs_mypy
def test_mypy_finds_nothing_in_the_notebooks_and_a_mistake_in_a_users_program(tmp_path_factory, tmp_path):
    for path in (ROOT / "examples").glob("*.ipynb"):
        cells = [cell["source"] for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
        (tmp_path / (path.stem.replace("-", "_") + ".py")).write_text("\n\n".join("".join(cell) for cell in cells))
    (tmp_path / "right.py").write_text(
        "import numpy\nimport torch\n\nimport sextant\nfrom sextant import calibration, guidance, metrics\n\n"
        "cpu, f, y = torch.device('cpu'), numpy.zeros((2, 3)), numpy.zeros(2, numpy.int64)\n"
        "sextant.open_denoiser('model', device=cpu, precision=torch.bfloat16)\n"
        "sextant.open_classifier('model', device=cpu, precision=torch.float32)\n"
        "sextant.Noise(0, [0], [1], device=cpu)\nmetrics.open_extractor('model', device=cpu)\n"
        "calibration.reliability(f, y)\ncalibration.TemperatureScaling(f, y)\nguidance.as_loss('js')(f, y)\n"
    )
    # Users need not annotate their own functions.
    lenient = ("--allow-untyped-defs", "--allow-untyped-calls")
    result = mypy(tmp_path_factory, *lenient, *map(str, sorted(tmp_path.glob("*.py"))))
    assert result.returncode == 0, result.stdout

    (tmp_path / "wrong.py").write_text(
        "import sextant\nsextant.guidance.log_prob(1, 2, joint='much')\nsextant.Noise(0, [0], [1])\nsextant.Nois\n"
    )
    result = mypy(tmp_path_factory, str(tmp_path / "wrong.py"))
    lines = [int(line.split(":")[1]) for line in result.stdout.splitlines() if ": error:" in line]
    assert result.returncode == 1 and set(lines) == {2, 4}, result.stdout
