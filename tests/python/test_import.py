"""Importing, and refusing what does not fit."""

import pathlib
import re
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT

import sextant
from sextant._core import models

PACKAGE = pathlib.Path(sextant.__file__).absolute().parent


def imported(tmp_path, build):
    """What `import sextant` says where the compiled part is for another PyTorch or Python."""
    shutil.copytree(PACKAGE, tmp_path / "sextant", symlinks=False)
    (tmp_path / "sextant/_build.py").write_text(build)
    command = [sys.executable, "-c", "import sextant"]
    return subprocess.run(
        command, cwd=tmp_path, env={"PATH": "", "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True
    )


@pytest.mark.parametrize("build, told", [('TORCH = "9.8"\nPYTHON = "3.11"\n', "built for PyTorch 9.8"),
                                         ('TORCH = "1.13"\nPYTHON = "3.2"\n', "Python 3.2")])  # fmt: skip
def test_another_pytorch_is_refused_in_one_line(tmp_path, build, told):
    result = imported(tmp_path, build)
    last = result.stderr.strip().splitlines()[-1]
    assert result.returncode == 1 and last.startswith("ImportError: sextant was built for") and told in last
    assert "install it again" in last


def test_a_compiled_part_that_does_not_load_is_told_in_one_line(tmp_path):
    (tmp_path / "a").mkdir()
    shutil.copytree(PACKAGE, tmp_path / "a/sextant", symlinks=False)
    for library in (tmp_path / "a/sextant").glob("_core*.so"):
        library.write_bytes(b"not a library")
    result = subprocess.run(
        [sys.executable, "-c", "import sextant"],
        cwd=tmp_path / "a",
        env={"PATH": "", "PYTHONPATH": str(tmp_path / "a")},
        capture_output=True,
        text=True,
    )
    assert result.stderr.strip().splitlines()[-1].startswith("ImportError: sextant's compiled part does not load")


MODULES = [sextant, sextant.guidance, sextant.calibration, sextant.metrics, sextant.samplers, sextant.run,
           sextant.pictures, sextant.folders]  # fmt: skip
try:
    import sextant.diffusers

    MODULES.append(sextant.diffusers)
except ImportError:
    pass


def said(thing):
    """Its docstring without the signature that pybind11 begins it with."""
    return re.sub(r"^\w+\(.*\) -> .*$", "", thing.__doc__ or "", flags=re.M).strip()


def test_every_public_name_says_what_it_is():
    for module in MODULES:
        assert said(module), module.__name__
        for name in module.__all__:
            assert said(getattr(module, name)), f"{module.__name__}.{name}"
    assert "dS/df" in sextant.guidance.__doc__ and "eq. (14)" in sextant.guidance.jensen_shannon.__doc__
    assert "gamma_factor" in sextant.Guide.__doc__ and "softplus_beta" in sextant.open_classifier.__doc__


def test_every_member_of_a_class_says_what_it_is():
    things = [getattr(module, name) for module in MODULES for name in module.__all__]
    things += [models.OpenedDenoiser, models.OpenedClassifier]
    public = [thing for thing in things if isinstance(thing, type) and not issubclass(thing, BaseException)]
    classes = {base for thing in public for base in thing.__mro__ if base.__module__.startswith("sextant")}
    assert len(classes) > 20
    silent = [
        f"{one.__name__}.{name}"
        for one in classes
        for name, member in vars(one).items()
        if not name.startswith("_") and (callable(member) or isinstance(member, property)) and not said(member)
    ]
    assert silent == []


def test_the_wheel_has_the_librarys_version():
    (version,) = re.findall(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.M)
    assert version == sextant.__version__
