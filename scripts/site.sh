#!/usr/bin/env bash
# site.sh BUILD OUT: the documents, the headers and the Python module of a build as a site, OUT/index.html. A link that
# leads nowhere is an error. `make site` calls it.
set -euo pipefail
/usr/bin/python3 -c "import breathe, furo, myst_parser" 2>/dev/null && command -v doxygen >/dev/null ||
  { echo "site.sh: Sphinx and its companions are missing; make site installs them" >&2; exit 77; }
root=$(cd "$(dirname "$0")/.." && pwd)
build=$(realpath "$1") out=$(realpath -m "$2")
source=$out.work/source
rm -rf --one-file-system "$out" "$out.work" && mkdir -p "$source"

# The pages are links into the tree, so their paths on the site are those of the repository.
for name in CHANGELOG.md CONTRIBUTING.md LICENSE docs include models recipes tests; do
  ln -s "$root/$name" "$source/$name"
done
ln -s "$root/README.md" "$source/index.md"

SEXTANT_MODULE=$build/python SEXTANT_XML=$out.work/xml
export SEXTANT_MODULE SEXTANT_XML PYTHONDONTWRITEBYTECODE=1
PYTHONPATH=$SEXTANT_MODULE /usr/bin/python3 -c "import sextant" ||
  { echo "site.sh: $build has no module for Debian's Python; make site TORCH=system BUILD=build-system" >&2; exit 1; }

{ cat "$root/docs/site/Doxyfile"
  echo "INPUT = \"$root/include/sextant\""
  echo "STRIP_FROM_PATH = \"$root/include\""
  echo "INPUT_FILTER = \"/usr/bin/python3 $root/docs/site/doxygen_filter.py\""
  echo "OUTPUT_DIRECTORY = \"$out.work\""
} | doxygen -
/usr/bin/python3 -m sphinx -W --keep-going -q -j auto -b html -c "$root/docs/site" -d "$out.work/doctrees" "$source" "$out"

# No page fetches anything when it is read.
if grep -rlE '(src|<link[^>]*href)="(https?:)?//' --include='*.html' "$out"; then
  echo "site.sh: these pages load something from the network" >&2
  exit 1
fi
echo "$out/index.html"
