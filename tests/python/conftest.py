"""What the tests of the Python module share: reference vectors, bundled models, a small classifier of digits."""

import json
import os
import pathlib
import struct

import numpy as np
import pytest
import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = pathlib.Path(os.environ.get("SEXTANT_GOLDEN_DIR", ROOT / "tests/golden"))
DTYPES = {"F64": np.float64, "F32": np.float32, "I64": np.int64, "U8": np.uint8, "I32": np.int32, "BOOL": np.bool_}


class Case:
    """A safetensors file of reference vectors."""

    def __init__(self, path):
        data = path.read_bytes()
        (size,) = struct.unpack("<Q", data[:8])
        self.header = json.loads(data[8 : 8 + size])
        self.body = data[8 + size :]
        self.name = path.stem
        self.config = json.loads(self.header.pop("__metadata__")["config"])

    def __contains__(self, key):
        return key in self.header

    def __getitem__(self, key):
        entry = self.header[key]
        begin, end = entry["data_offsets"]
        array = np.frombuffer(self.body[begin:end], DTYPES[entry["dtype"]]).reshape(entry["shape"])
        return torch.from_numpy(array.copy())


def golden(folder):
    paths = sorted((GOLDEN / "math" / folder).glob("*.safetensors"))
    assert paths, f"no reference vectors in {GOLDEN}/math/{folder}"
    return [pytest.param(path, id=path.stem) for path in paths]


@pytest.fixture
def models():
    return ROOT / "models"


@pytest.fixture(scope="session")
def digits():
    """A small network of our own as any user has one: float32, with ReLUs of both kinds."""

    class Small(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first = torch.nn.Conv2d(1, 8, 3, stride=2)
            self.act = torch.nn.ReLU(inplace=True)
            self.second = torch.nn.Conv2d(8, 8, 3, stride=2)
            self.last = torch.nn.Linear(8, 10)

        def forward(self, x):
            x = self.act(self.first(x))
            return self.last(torch.nn.functional.relu(self.second(x)).mean((2, 3)))

    torch.manual_seed(0)
    return Small().eval()
