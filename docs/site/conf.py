"""The site: what scripts/site.sh stages (README.md as index, docs/, and the API's pages, made here) as HTML.

Links between the pages are those of the repository; what they point at beside pages is told by links.py. Strict:
sphinx-build -W fails at a link that leads nowhere.
"""

import logging
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), os.environ["SEXTANT_MODULE"]]

import api  # noqa: E402
import links  # noqa: E402
import plain  # noqa: E402
from sphinx import addnodes  # noqa: E402

project = "sextant"
html_title = "sextant"
copyright = ""  # the licence is in the footer of README.md

extensions = ["myst_parser", "breathe", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
include_patterns = ["*.md", "api/**", "docs/**.md", "examples/*.md", "models/README.md", "tests/golden/PAPER_NOTES.md"]
root_doc = "index"
myst_heading_anchors = 4
highlight_language = "text"
# A page may show a part of a file, or one with dots for what is left out: then it is shown without colours.
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_static_path = [str(HERE / "static")]
html_css_files = ["site.css"]
html_show_copyright = False
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}

breathe_projects = {"sextant": os.environ["SEXTANT_XML"]}
breathe_default_project = "sextant"
breathe_show_include = False

# diffusers is none of Debian's packages; the class that attaches to its pipelines is shown without it.
autodoc_mock_imports = ["diffusers"]
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False
autoclass_content = "both"  # pybind11 says what a class is made from where __init__ is documented
autodoc_typehints_format = "short"


class ManyOpenings(logging.Filter):
    """Every header opens the namespaces again, which Sphinx takes for a second declaration of them."""

    def filter(self, record):
        text = record.getMessage()
        again = text.startswith(("Duplicate ID", "Duplicate explicit target name")) and '"namespacesextant' in text
        return not again and not (text.startswith("Duplicate C++ declaration") and "cpp:type:: " in text)


def without_namespaces(app, page):
    """A page has one module, which is one namespace: its members stand at the margin."""
    for box in list(page.findall(addnodes.desc)):
        if box.get("objtype") == "type" and box[0].astext().startswith("namespace "):
            at = box.parent.index(box)
            box.parent[at : at + 1] = [node for part in box[1:] for node in part.children]


def setup(app):
    for handler in logging.getLogger("sphinx").handlers:
        handler.filters.insert(0, ManyOpenings())
    app.connect("builder-inited", lambda app: api.write_pages(pathlib.Path(app.srcdir), ROOT))
    app.connect("source-read", lambda app, page, source: links.rewrite(pathlib.Path(app.srcdir), page, source))
    app.connect("doctree-read", without_namespaces)
    app.connect("autodoc-process-docstring", lambda app, what, name, thing, options, lines: plain.in_place(lines))
    app.connect("autodoc-process-signature", lambda app, what, name, thing, options, *parts: plain.signature(*parts))
