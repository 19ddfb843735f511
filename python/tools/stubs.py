"""stubs.py FOLDER: type stubs of sextant._core, from the signatures in its docstrings, into FOLDER/_core.

pybind11 writes what a function takes and gives into its docstring; what follows there are the headers' comments, which
editors show. Reads pybind11 2 and 3.
"""

import inspect
import pathlib
import re
import sys
import types

import sextant._core as core

HEAD = """# Made from the compiled module by tools/stubs.py.
import collections.abc
import os
import typing
from typing import Any, Callable, Dict, List, Optional, Tuple, Union

import numpy
import torch

import sextant._core

Array = Union[torch.Tensor, numpy.ndarray[Any, Any]]
"""


def annotated(signature):
    """A signature of pybind11 as Python can read it."""
    signature = signature.replace("at::Tensor", "torch.Tensor")
    signature = re.sub(r"\bos\.PathLike(\[\w+\])?( \| \w+)*", "Union[str, os.PathLike[str]]", signature)
    signature = re.sub(r"\bdevice: str\b", "device: Union[str, torch.device]", signature)
    signature = re.sub(r"= (<[^>]*>|inf|nan)", "= ...", signature)
    signature = re.sub(r"\bobject\b(?!\])", "Any", signature)
    return re.sub(r"\b\w+(?:::\w+)+(?:<[^()]*?>)?", "Any", signature)


def taking_arrays(signature):
    """The same with numpy's arrays where it takes tensors."""
    takes, _, gives = signature.rpartition(") -> ")
    return f"{takes.replace('torch.Tensor', 'Array')}) -> {gives}"


def signatures(name, doc):
    """All signatures of a function, more than one where it is overloaded, and the text below them."""
    lines = [re.sub(r"^\d+\. ", "", line) for line in (doc or "").splitlines()]
    found = [line for line in lines if re.match(rf"{re.escape(name)}\(.*\) -> .+$", line)]
    text = "\n".join(line for line in lines if line not in found and line != "Overloaded function.").strip()
    return [taking_arrays(annotated(line)) for line in found] or [f"{name}(*args: Any, **kwargs: Any) -> Any"], text


def docstring(text, indent):
    """A body that is a docstring."""
    quoted = text.replace("\\", "\\\\").replace('"""', r"\"\"\"").replace("\n", "\n" + indent).rstrip()
    if quoted.endswith('"'):
        quoted += " "
    return f'{indent}"""{quoted}"""'


def functions(name, doc, indent, static=False):
    found, text = signatures(name, doc)
    for signature in found:
        if len(found) > 1:
            yield f"{indent}@typing.overload"
        if static:
            yield f"{indent}@staticmethod"
        head = f"{indent}def {re.sub(r'self: [^,)]+', 'self', signature)}:"
        yield f"{head}\n{docstring(text, indent + '    ')}" if text else f"{head} ..."


def properties(name, member, indent):
    about = (member.fget.__doc__ or "") if member.fget else ""
    returned = re.search(r"-> (.+)$", about.split("\n")[0])
    yield f"{indent}@property"
    head = f"{indent}def {name}(self) -> {annotated(returned.group(1)) if returned else 'Any'}:"
    text = inspect.cleandoc(member.__doc__ or "")
    yield f"{head}\n{docstring(text, indent + '    ')}" if text else f"{head} ..."


def classes(cls):
    if issubclass(cls, BaseException):
        bases = [base.__name__ for base in cls.__bases__]
        return [f"class {cls.__name__}({', '.join(bases)}):", docstring(cls.__doc__ or "", "    "), "    exit_code: int"]
    bases = [base.__module__ + "." + base.__qualname__ for base in cls.__bases__ if base.__module__.startswith("sextant")]
    body = [docstring(cls.__doc__, "    ")] if cls.__doc__ else []
    for name, member in sorted(vars(cls).items()):
        if isinstance(member, property):
            body += properties(name, member, "    ")
        elif isinstance(member, staticmethod):
            body += functions(name, member.__func__.__doc__, "    ", static=True)
        elif name == "__init__" and "->" not in (member.__doc__ or ""):
            continue  # only C++ makes one
        elif callable(member) and (not name.startswith("_") or name in ("__init__", "__call__")):
            body += functions(name, member.__doc__, "    ")
    return [f"class {cls.__name__}" + (f"({', '.join(bases)})" if bases else "") + ":", *(body or ["    ..."])]


def stub(module, submodules):
    lines = [HEAD, *(f"import sextant._core.{name}" for name in submodules), ""]
    for name, member in sorted(vars(module).items(), key=lambda item: (not inspect.isclass(item[1]), item[0])):
        if inspect.isclass(member):
            lines += [*classes(member), ""]
        elif callable(member) and not name.startswith("__"):
            lines += [*functions(name, member.__doc__, ""), ""]
    if module is core:
        lines += [f"from . import {name} as {name}" for name in submodules]
    return "\n".join(lines) + "\n"


def main(folder):
    out = pathlib.Path(folder) / "_core"
    out.mkdir(parents=True, exist_ok=True)
    submodules = sorted(name for name, member in vars(core).items() if isinstance(member, types.ModuleType))
    (out / "__init__.pyi").write_text(stub(core, submodules))
    for name in submodules:
        (out / f"{name}.pyi").write_text(stub(getattr(core, name), submodules))


if __name__ == "__main__":
    main(*sys.argv[1:])
