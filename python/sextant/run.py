"""Whole runs, as the command line starts them: settings in, files and a small result object out.

    result = run.sample(model="models/mnist-adm", classifier="models/mnist-classifier", guidance="js", labels="0-9",
                        count=100, steps=50, out="out/js")
    result                      # the grid, in a notebook
    result.images, result.labels

Settings are those of the commands, by keyword with underscores, or as a dict of tables such as a recipe or a run.json
holds. Ctrl-C saves what is finished and raises KeyboardInterrupt; the same call continues.
"""

import difflib
import html
import json
import os
from typing import Any, Dict, List, Mapping, Optional, Union

import numpy as np

from . import _settings
from ._core import Error, UsageError
from ._core import runs as _runs
from ._progress import Progress, listener

__all__ = ["Calibration", "Evaluation", "Progress", "Samples", "Sweep", "Trace", "Training", "calibrate", "evaluate", "finetune",
           "sample", "sweep", "trace", "train"]  # fmt: skip

Recipe = Union[Mapping[str, Any], str, "os.PathLike[str]", None]


def _read(recipe: Recipe, who: str) -> Dict[str, Any]:
    """The tables of a recipe: a dict, a TOML file or the run.json of an earlier run."""
    if recipe is None:
        return {}
    if isinstance(recipe, Mapping):
        return dict(recipe)
    if not isinstance(recipe, (str, os.PathLike)):
        raise UsageError(f"{who}: a recipe is a dict or a file, got {type(recipe).__name__}")
    path = os.fspath(recipe)
    try:
        if path.endswith(".json"):
            with open(path, encoding="utf-8") as file:
                tables = json.load(file)
            made = tables.get("config", tables) if isinstance(tables, dict) else tables
            if not isinstance(made, dict):
                raise UsageError(f"{who}: {path}: expected an object of tables, got {_settings.shown(made)}")
            return made
        try:
            import tomllib
        except ImportError:
            raise UsageError(f"{who}: {path}: TOML is read from Python 3.11 on; give the recipe as a dict") from None
        with open(path, "rb") as binary:
            return dict(tomllib.load(binary))
    except OSError as problem:
        raise UsageError(f"{who}: cannot read {path}: {problem.strerror}") from None
    except ValueError as problem:
        raise UsageError(f"{who}: {path}: {problem}") from None


def _tables(
    who: str, recipe: Recipe, keywords: Mapping[str, Any], keys: Mapping[str, List[str]], keep: List[str] = []
) -> Dict[str, Any]:
    """The recipe's tables with the keywords in the tables that have them. Names in `keep` are left as they are."""
    tables = {name: dict(value) if isinstance(value, Mapping) else value for name, value in _read(recipe, who).items()}
    home = {key.replace("-", "_"): group for group, names in reversed(list(keys.items())) for key in names}
    for name, value in keywords.items():
        if value is None:
            continue
        if name not in home:
            nearest = difflib.get_close_matches(name, home, 1)
            raise UsageError(
                f"{who}: unknown setting '{name}'." + (f" Did you mean '{nearest[0]}'?" if nearest else "")
            )
        table = tables.setdefault(home[name], {})
        if not isinstance(table, dict):
            raise UsageError(f"{who}: [{home[name]}] is a table of settings, got {_settings.shown(table)}")
        table[name.replace("_", "-")] = value
    return {name: value if name in keep else _settings.plain(who, name, value) for name, value in tables.items()}


def _table_html(header: List[str], rows: List[List[str]]) -> str:
    def cells(row: List[str], tag: str) -> str:
        return "".join(f"<{tag}>{html.escape(str(cell))}</{tag}>" for cell in row)

    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    return f"<table><thead><tr>{cells(header, 'th')}</tr></thead><tbody>{body}</tbody></table>"


class Result:
    """What a run left: `out` is its folder, `numbers` what it returned."""

    picture = ""

    def __init__(self, numbers: Dict[str, Any]) -> None:
        self.numbers = numbers
        self.out = numbers["out"]

    @property
    def complete(self) -> bool:
        """Whether all of it is there; the same call continues a run that was stopped."""
        return bool(self.numbers.get("complete", self.numbers.get("finished") == self.numbers.get("count")))

    def path(self, name: str) -> str:
        """The path of a file in the run's folder."""
        return os.path.join(self.out, name)

    def record(self) -> Dict[str, Any]:
        """run.json: settings, versions, timings."""
        with open(self.path("run.json"), encoding="utf-8") as file:
            return dict(json.load(file))

    def _repr_png_(self) -> Optional[bytes]:
        if not self.picture or not os.path.exists(self.path(self.picture)):
            return None
        with open(self.path(self.picture), "rb") as file:
            return file.read()

    def __repr__(self) -> str:
        told = [f"{key}={value!r}" for key, value in self.numbers.items() if not isinstance(value, (dict, list))]
        return f"{type(self).__name__}({', '.join(told)})"


class Samples(Result):
    """Images that were drawn."""

    picture = "grid.png"

    @property
    def images(self) -> np.ndarray:
        """uint8 [N, H, W, C]"""
        with np.load(self.path("samples.npz")) as file:
            return np.asarray(file["arr_0"])

    @property
    def labels(self) -> np.ndarray:
        """int64 [N]"""
        with np.load(self.path("samples.npz")) as file:
            return np.asarray(file["arr_1"])

    @property
    def trace(self) -> Any:
        """Of a guided run, its pull along the steps."""
        return self.record().get("trace")

    def _repr_html_(self) -> str:
        n = self.numbers
        return _table_html(
            ["images", "s/image", "|g|", "folder"],
            [
                [
                    f"{n['finished']} of {n['count']}",
                    f"{n['seconds_per_image']:.4f}",
                    f"{n['gradient_norm']:.4g}",
                    self.out,
                ]
            ],
        )


class Sweep(Result):
    """A grid of runs in one table and one picture."""

    picture = "overview.png"

    @property
    def header(self) -> List[str]:
        """The names of the table's columns."""
        return list(self.numbers["header"])

    @property
    def rows(self) -> List[List[str]]:
        """The cells of the table as they are written, row by row."""
        return [list(row) for row in self.numbers["rows"]]

    def _repr_html_(self) -> str:
        return _table_html(self.header, self.rows)


class Trace(Sweep):
    """Guidance along the steps: a table of the methods, curves and maps in the folder."""

    picture = "confidence.png"

    def record(self) -> Dict[str, Any]:
        """trace.json: the settings and every number per image and step."""
        with open(self.path("trace.json"), encoding="utf-8") as file:
            return dict(json.load(file))


class Evaluation(Result):
    """Numbers of a set of samples."""

    def __getitem__(self, key: str) -> float:
        if not self.complete:
            raise UsageError(f"'{key}' is not there yet: the run is not complete, the same call continues it")
        measure = self.numbers["evaluation"]["metrics"][key]
        return float(measure["value"] if isinstance(measure, dict) else measure)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self.numbers.get('text', ''))}</pre>"

    def __str__(self) -> str:
        return str(self.numbers.get("text", ""))


class Calibration(Evaluation):
    """What a classifier's confidences are worth, before a repair and after."""

    @property
    def values(self) -> Dict[str, Any]:
        """What `calibrate --format json` prints; empty until the run is complete."""
        return dict(self.numbers["json"] or {})

    def __getitem__(self, key: str) -> Any:
        return self.values[key]


class Training(Evaluation):
    """A trained model; its folder is a model folder."""

    picture = "loss.png"


def sample(recipe: Recipe = None, *, progress: Any = True, **settings: Any) -> Samples:
    """Draws samples into the folder `out`, as `sextant sample` does."""
    tables = _tables("sample", recipe, settings, _runs.sample_keys())
    return Samples(_runs.sample(json.dumps(tables), listener(progress)))


def evaluate(samples: Any = None, *, recipe: Recipe = None, progress: Any = True, **settings: Any) -> Evaluation:
    """Scores a set of samples against a reference, as `sextant evaluate` does. `samples` may be a run.Samples."""
    given = samples.out if isinstance(samples, Samples) else samples
    tables = _tables("evaluate", recipe, {**settings, "samples": given}, _runs.evaluate_keys())
    return Evaluation(_runs.evaluate(json.dumps(tables), listener(progress)))


def calibrate(recipe: Recipe = None, *, progress: Any = True, **settings: Any) -> Calibration:
    """Measures a classifier's calibration and repairs it, as `sextant calibrate` does."""
    tables = _tables("calibrate", recipe, settings, _runs.calibrate_keys())
    return Calibration(_runs.calibrate(json.dumps(tables), listener(progress)))


def sweep(recipe: Recipe, *, progress: Any = True, **settings: Any) -> Sweep:
    """Runs a grid of samplings and makes one table and one picture of it, as `sextant sweep` does: `recipe` has the
    tables of sample and [[rows]], each with a name and settings of its own. With `dry_run` its table says what would be
    drawn.

    Where a run fails, the others are drawn and the error says why; its `result` has what was drawn.
    """
    grid = _settings.plain("sweep", "recipe", _read(recipe, "sweep"))
    own = _tables("sweep", None, settings, _runs.sweep_keys())
    numbers = _runs.sweep(json.dumps(grid), json.dumps(own), listener(progress))
    failure = numbers.pop("failure")
    result = Sweep(numbers)
    if failure:
        error = Error(failure)
        setattr(error, "result", result)
        raise error
    return result


def trace(recipe: Recipe = None, *, progress: Any = True, **settings: Any) -> Trace:
    """What methods of guidance do along the steps, on the same images, as `sextant trace` does: `recipe` has the tables
    of sample and, where there are several methods, [[rows]], each with a name and settings of its own."""
    tables = _settings.plain("trace", "recipe", _read(recipe, "trace"))
    own = _tables("trace", None, settings, _runs.trace_keys())
    return Trace(_runs.trace(json.dumps(tables), json.dumps(own), listener(progress)))


def train(recipe: Recipe = None, *, progress: Any = True, **settings: Any) -> Training:
    """Trains a diffusion model or a classifier, as `sextant train` does; a recipe's table "model" is a config.json."""
    tables = dict(_read(recipe, "train"))
    architecture = _settings.plain("train", "model", tables.pop("model", None)) if "model" in tables else None
    text = json.dumps(_tables("train", tables, settings, _runs.train_keys()))
    return Training(_runs.train(text, json.dumps(architecture), listener(progress)))


def finetune(recipe: Recipe = None, *, progress: Any = True, **settings: Any) -> Training:
    """Fine-tunes a classifier with the Smooth ECE loss, as `sextant finetune` does."""
    tables = _tables("finetune", recipe, settings, _runs.finetune_keys())
    return Training(_runs.finetune(json.dumps(tables), listener(progress)))


for _function, _docs in (
    (sample, _runs.sample_doc),
    (evaluate, _runs.evaluate_doc),
    (calibrate, _runs.calibrate_doc),
    (sweep, _runs.sweep_doc),
    (trace, _runs.trace_doc),
    (train, _runs.train_doc),
    (finetune, _runs.finetune_doc),
):
    _function.__doc__ = _settings.documented(_function.__doc__ or "", _docs())
