"""run.py [--write] [NOTEBOOK...]: runs the code cells of notebooks, or of those here, as Jupyter does, without Jupyter.

A notebook runs in its own folder, in one namespace, and shows what its last expressions are. --write puts what was
shown into the file: text, and pictures as PNG. Exits with 1 at the first cell that fails, and says which.
"""

import ast
import base64
import contextlib
import io
import json
import os
import pathlib
import sys
import traceback


class Display:
    """What a cell shows, as the notebook format keeps it."""

    def __init__(self):
        self.outputs = []

    def text(self, name, text):
        if text:
            self.outputs.append({"name": name, "output_type": "stream", "text": text.splitlines(keepends=True)})

    def value(self, value, count):
        data = {"text/plain": repr(value).splitlines(keepends=True)}
        for kind, method in (("text/html", "_repr_html_"), ("image/png", "_repr_png_")):
            made = getattr(value, method, lambda: None)()
            if isinstance(made, bytes):
                data[kind] = base64.b64encode(made).decode() + "\n"
            elif made:
                data[kind] = made.splitlines(keepends=True)
        self.outputs.append(
            {"data": data, "execution_count": count, "metadata": {}, "output_type": "execute_result"}
        )


def run_cell(source, names, count):
    """Executes one cell; what it shows. Exceptions of the cell come out as they are."""
    display = Display()
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    # A semicolon at the end hides the value.
    shown = last is not None and not source.rstrip().endswith(";")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, f"cell {count}", "exec"), names)
        value = eval(compile(ast.Expression(last.value), f"cell {count}", "eval"), names) if last else None
    display.text("stdout", printed.getvalue())
    if shown and value is not None:
        display.value(value, count)
    return display.outputs


def run(path):
    """The notebook with what its cells show now."""
    path = pathlib.Path(path).resolve()
    notebook = json.loads(path.read_text())
    names = {"__name__": "__main__"}
    before = os.getcwd()
    os.chdir(path.parent)
    try:
        count = 0
        for cell in notebook["cells"]:
            if cell["cell_type"] != "code":
                continue
            count += 1
            cell["outputs"] = run_cell("".join(cell["source"]), names, count)
            cell["execution_count"] = count
    except BaseException as problem:
        raise RuntimeError(f"{path.name}, cell {count}: {type(problem).__name__}: {problem}") from problem
    finally:
        os.chdir(before)
    return notebook


def main(words):
    write = "--write" in words
    paths = [word for word in words if word != "--write"]
    for path in paths or sorted(map(str, pathlib.Path(__file__).parent.glob("*.ipynb"))):
        try:
            notebook = run(path)
        except RuntimeError as problem:
            traceback.print_exception(problem.__cause__)
            sys.exit(str(problem))
        if write:
            pathlib.Path(path).write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")
        print(f"{path}: ran")


if __name__ == "__main__":
    main(sys.argv[1:])
