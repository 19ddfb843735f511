"""The pages of the API, written before Sphinx reads: C++ a module a page, by doxygen's XML; Python likewise, by autodoc;
and the notebooks of examples/ as they ran."""

import base64
import json
import re

PYTHON = ("sextant", "guidance", "samplers", "metrics", "calibration", "run", "diffusers", "folders", "pictures")

SHOWN = " ".join(
    ("briefdescription", "detaileddescription", "innernamespace", "innerclass", "enum", "typedef", "func", "var",
     "user-defined", "public-type", "public-func", "public-attrib", "public-static-func", "public-static-attrib")
)  # fmt: skip


def titled(title, *lines):
    return "\n".join([title, "=" * len(title), "", *lines, ""])


def modules_of(root):
    """Public modules, in the order of docs/architecture.md's table, with what that says of each."""
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", (root / "docs/architecture.md").read_text(), re.M)
    return [(name, what) for name, what in rows if (root / "include/sextant" / name).is_dir()]


def cpp_pages(root):
    modules = modules_of(root)
    listed = [f"* :doc:`{name}`: {what.replace('`', '``')}" for name, what in modules]
    toc = [".. toctree::", "   :hidden:", "", *(f"   {name}" for name, _ in modules)]
    yield "index", titled("C++", "The public headers, a module a page. ``find_package(sextant)``, then link",
                          "``sextant::sextant`` or a module alone, ``sextant::guidance``.", "", *listed, "", *toc)  # fmt: skip
    for name, _ in modules:
        lines = []
        for header in sorted((root / "include/sextant" / name).glob("*.h")):
            path = f"sextant/{name}/{header.name}"
            lines += [
                header.name,
                "-" * len(header.name),
                "",
                f"``#include <{path}>``",
                "",
                f".. doxygenfile:: {path}",
                f"   :sections: {SHOWN}",
                "",
            ]
        yield name, titled(name, *lines)


def python_pages():
    names = [name if name == "sextant" else f"sextant.{name}" for name in PYTHON]
    yield "index", titled("Python", ".. toctree::", "", *(f"   {name}" for name in names))
    for name in names:
        yield name, titled(name, f".. automodule:: {name}", "   :members:", "   :imported-members:",
                           "   :undoc-members:", "   :special-members: __call__")  # fmt: skip


def notebook(path, out):
    """A notebook as Markdown, its pictures beside it."""
    lines = []
    for number, cell in enumerate(json.loads(path.read_text())["cells"]):
        text = "".join(cell["source"])
        lines += [text if cell["cell_type"] == "markdown" else f"```python\n{text}\n```", ""]
        for given in cell.get("outputs", []):
            data = given.get("data", {"text/plain": given.get("text", "")})
            if "image/png" in data:
                picture = out / f"{path.stem}-{number}.png"
                picture.write_bytes(base64.b64decode("".join(data["image/png"])))
                lines += [f"![What cell {number} shows]({picture.name})", ""]
            elif "text/html" in data:
                lines += ["".join(data["text/html"]), ""]
            elif "".join(data["text/plain"]).strip():
                lines += ["```text", "".join(data["text/plain"]).rstrip(), "```", ""]
    (out / f"{path.stem}.md").write_text("\n".join(lines))
    return path.stem


def write_pages(source, root):
    """Every page below `source`/api, and the notebooks in `source`/examples."""
    for folder, pages in (("cpp", cpp_pages(root)), ("python", python_pages())):
        (source / "api" / folder).mkdir(parents=True, exist_ok=True)
        for name, text in pages:
            (source / "api" / folder / f"{name}.rst").write_text(text)
    out = source / "examples"
    out.mkdir(exist_ok=True)
    names = [notebook(path, out) for path in sorted((root / "examples").glob("*.ipynb"))]
    (out / "index.md").write_text("# Notebooks\n\n```{toctree}\n" + "\n".join(names) + "\n```\n")
