"""Every Python program in the documents runs."""

import re
import subprocess
import sys

import pytest
from conftest import ROOT

PROGRAMS = [
    pytest.param(program, id=f"{page}-{i}")
    for page in ("README.md", "docs/python.md")
    for i, program in enumerate(re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.S))
]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_of_the_documents_runs(program, tmp_path):
    (tmp_path / "models").symlink_to(ROOT / "models")
    result = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout
