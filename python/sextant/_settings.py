"""Settings by keyword: names, ranges and words are those of the command line, with underscores for dashes."""

import json
import math
import os
import sys
from typing import Any, Container, Dict, Mapping

import numpy
import torch

from ._core import UsageError


_PRECISIONS = {torch.float32: "fp32", torch.bfloat16: "bf16", torch.float16: "fp16"}


def plain(who: str, name: str, value: Any) -> Any:
    """A value as JSON has it: paths as text, numpy's and torch's numbers and arrays as Python's, torch's devices and
    dtypes as the words that they are here."""
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        raise UsageError(f"{who}: {name} is out of range: whole numbers go to 2^64 - 1, got {shown(value)}")
    if isinstance(value, str):
        return _utf8(who, name, value)
    if isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        if math.isnan(value):
            raise UsageError(f"{who}: {name} is not a number")
        if math.isinf(value):
            raise UsageError(f"{who}: {name} is infinite; expected a finite number")
        return value
    if isinstance(value, os.PathLike):
        return _utf8(who, name, os.fspath(value))
    if isinstance(value, torch.device):
        return str(value)
    if isinstance(value, torch.dtype) and value in _PRECISIONS:
        return _PRECISIONS[value]
    if isinstance(value, Mapping):
        given = {_utf8(who, "a name", str(key)): item for key, item in value.items() if item is not None}
        return {key: plain(who, key, item) for key, item in given.items()}
    if isinstance(value, (list, tuple)):
        return [plain(who, name, item) for item in value]
    if hasattr(value, "tolist"):
        try:
            numbers = value.tolist()
        except (TypeError, ValueError, RuntimeError):  # a tensor without numbers: sparse, or on the meta device
            numbers = value
        if not isinstance(numbers, type(value)):  # as numpy's long doubles are to themselves
            return plain(who, name, numbers)
    raise UsageError(f"{who}: {name} cannot be a {type(value).__name__}")


def _utf8(who: str, name: str, text: Any) -> Any:
    """A text that files and C++ can have."""
    try:
        str(text).encode()
    except UnicodeEncodeError:
        raise UsageError(f"{who}: {name} is no text of Unicode: {shown(ascii(text))}") from None
    return text


def shown(value: Any) -> str:
    """A value in a message: one short line, whatever it is."""
    try:
        text = " ".join(str(value).split())
    except ValueError:  # Python writes no whole number of more than 4300 digits
        text = type(value).__name__
    return text if len(text) <= 60 else text[:57] + "..."


def number(who: str, name: str, value: Any, least: float = -math.inf) -> float:
    """A finite number of at least `least`, whoever's it is: Python's, numpy's or a tensor of one."""
    if isinstance(value, (torch.Tensor, numpy.ndarray, numpy.generic)) and torch.Size(value.shape).numel() == 1:
        try:
            value = value.item()
        except (TypeError, ValueError, RuntimeError):  # a tensor without numbers
            pass
    finite = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    if not finite or value < least:
        wanted = "a finite number" if least == -math.inf else f"a number of at least {least:g}"
        raise UsageError(f"{who}: {name}: expected {wanted}, got {shown(value)}")
    return float(value)


def tensor(who: str, name: str, value: Any) -> torch.Tensor:
    """A tensor, or an array of numpy as one on its memory, or on a copy where PyTorch cannot have that."""
    if isinstance(value, numpy.ndarray):
        try:
            return torch.from_numpy(numpy.require(value, requirements=["C", "W"]))
        except (TypeError, ValueError):
            raise UsageError(f"{who}: {name}: PyTorch has no numbers of numpy's type {value.dtype}") from None
    if isinstance(value, torch.Tensor):
        if value.is_meta or value.is_quantized or value.layout != torch.strided:
            kind = "on the meta device" if value.is_meta else "quantized" if value.is_quantized else "sparse"
            raise UsageError(f"{who}: {name}: expected a dense tensor, got one that is {kind}")
        return value
    raise UsageError(f"{who}: {name}: expected a tensor or an array of numpy, got {shown(value)}")


def path(who: str, name: str, value: Any) -> str:
    """The path of a file or a folder."""
    if isinstance(value, (str, os.PathLike)):
        said = os.fspath(value)
        if isinstance(said, str):
            return said
    raise UsageError(f"{who}: {name}: expected a path, got {shown(value)}")


def table(who: str, group: str, settings: Mapping[str, Any], run: Mapping[str, Any] = {}) -> str:
    """The settings of one table, and device and precision, which stand in [sample]. None leaves a default."""
    given = {key: value for key, value in settings.items() if value is not None}
    tables = {group: plain(who, group, given)}
    if run:
        tables["sample"] = plain(who, "sample", {key: value for key, value in run.items() if value is not None})
    return json.dumps(tables)


def names(settings: str) -> Dict[str, str]:
    """The settings of an option table as a docstring has it, in its order, each with its row."""
    return {row.partition(" = ")[0].strip(): row for row in settings.splitlines(keepends=True) if row.strip()}


def refuse(who: str, settings: Mapping[str, Any], why: Mapping[str, str]) -> None:
    """UsageError for a setting that would do nothing, with what is to be done instead."""
    for name in settings:
        if name.replace("-", "_") in why:
            raise UsageError(f"{who}: {name} has no effect here: {why[name.replace('-', '_')]}")


def documented(text: str, settings: str, without: Container[str] = ()) -> str:
    """A docstring with the rows of an option table at its end."""
    rows = "".join(row for name, row in names(settings).items() if name not in without)
    return f"{text}\n\n    Settings, with their defaults:\n\n{rows}"
