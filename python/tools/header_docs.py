"""header_docs.py FOLDER OUT.cpp: the comments of the public headers as a table of docstrings.

A key is MODULE.NAME of a function or class and MODULE.CLASS.NAME of a member; its text is the /// comment above it (of
the first declaration, where there are several) or the ///< behind it. A module's own text is what its headers begin with.
"""

import pathlib
import re
import sys


def declared(line):
    """The name that a declaration declares, and whether it opens a class."""
    line = re.sub(r"<[^<>]*>", "", re.sub(r"///<.*", "", line))
    opens = re.match(r"\s*(?:class|struct|enum class)\s+(\w+)[^;]*$", line)
    if opens:
        return opens.group(1), True
    found = re.search(r"([A-Za-z_]\w*)\s*(?:\(|=|;|\{|\[)", line)
    return (found.group(1) if found else None), False


def docs_of(header, module):
    comment, scope = [], []
    for line in header.read_text().splitlines():
        stripped = line.strip()
        if stripped.startswith("///") and not stripped.startswith("///<"):
            comment.append(stripped[3:].removeprefix(" "))
            continue
        if stripped.startswith("};") and scope:
            scope.pop()
        name, opens = declared(line)
        # Rows of a table declare nothing, nor do the bodies of functions in them.
        if name and not stripped.startswith(("//", "{\"", "\"", "[](", "return ")):
            behind = re.search(r"///<\s*(.*)", line)
            # A function that no comment explains is what its name and its module say.
            text = "\n".join(comment) or (behind.group(1) if behind else "") or (stripped if "(" in stripped else "")
            if text:
                yield ".".join([module, *scope, name]), text
            if opens and not re.search(r"};?\s*$", re.sub(r"//.*", "", line)):
                scope.append(name)
        if not stripped.startswith(("template", "requires", "//")):
            comment = []


def main(folder, out):
    table = {}
    for header in sorted(pathlib.Path(folder).rglob("*.h")):
        for key, text in docs_of(header, header.parent.name):
            table.setdefault(key, text)
    rows = "".join(f'    {{"{key}", R"doc({text})doc"}},\n' for key, text in sorted(table.items()))
    pathlib.Path(out).write_text(
        '#include "header_docs.h"\n\nnamespace sextant::python {\n\n'
        f"const std::map<std::string_view, const char*>& header_docs() {{\n"
        f"  static const std::map<std::string_view, const char*> docs = {{\n{rows}  }};\n  return docs;\n}}\n\n"
        "}  // namespace sextant::python\n"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
