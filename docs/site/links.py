"""Links of the repository as the site needs them, and the site's contents, which are the lists of docs/README.md."""

import os
import re

LINK = re.compile(r"(?<!`)(\[(?:[^\]\[`]|`[^`]*`)*\])\(([^)\s:#]+)(#[^)\s]*)?\)")

FRONT = ("README.md", "index.md", "table.md", "run.json")  # what a folder is shown by


def target_of(root, folder, target):
    """What a link from a page in `folder` leads to on the site, as a path from `folder`."""
    there = os.path.normpath(os.path.join(folder, target))
    header = re.fullmatch(r"include/sextant/(\w+)/\w+\.h", there)
    if there == "README.md":
        there = "index.md"
    elif header:
        there = f"api/cpp/{header.group(1)}.rst"
    elif there == "include/sextant":
        there = "api/cpp/index.rst"
    elif there == "python/sextant":
        there = "api/python/index.rst"
    elif there.endswith(".ipynb"):
        there = there.replace(".ipynb", ".md")
    elif (root / there).is_dir():
        there += next(("/" + name for name in FRONT if (root / there / name).is_file()), "")  # none: Sphinx says so
    return os.path.relpath(there, folder or ".")


def contents(root):
    """The lists of docs/README.md, a heading each, as the tables of contents that make the site's menu."""
    page = (root / "docs/README.md").read_text()
    for heading, body in re.findall(r"^## (.+)\n((?:(?!^## ).*\n?)*)", page, re.M):
        pages = [target_of(root, "docs", target) for _, target, _ in LINK.findall(body) if "://" not in target]
        names = [os.path.normpath(os.path.join("docs", page)) for page in pages]
        entries = [os.path.splitext(name)[0] for name in names if name.endswith((".md", ".rst")) and name != "index.md"]
        yield "\n".join(["```{toctree}", ":hidden:", f":caption: {heading}", "", *entries, "```", ""])


def rewrite(root, page, source):
    """Sphinx's source-read: the text of a page, in place."""
    folder = os.path.dirname(page)
    parts = re.split(r"(^```.*?^```$)", source[0], flags=re.M | re.S)
    for i in range(0, len(parts), 2):
        parts[i] = LINK.sub(lambda m: f"{m[1]}({target_of(root, folder, m[2])}{m[3] or ''})", parts[i])
    source[0] = "".join(parts)
    if page == "index":
        source[0] += "\n\n" + "\n".join(contents(root))
    elif page.endswith("/table") or page == "docs/README":  # reached by links, in no table of contents
        source[0] = "---\norphan: true\n---\n" + source[0]
