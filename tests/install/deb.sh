#!/usr/bin/env bash
# deb.sh BUILD: makes the Debian packages of a build, installs them in a fresh Debian of this machine's version, and
# uses the program, its man pages and the Python module there. Exits with 77 where no other Debian can be made.
set -euo pipefail
build=$1
cd "$(dirname "$0")/../.."
number=$(. /etc/os-release && [ "$ID" = debian ] && echo "$VERSION_ID" || true)
[ -n "$number" ] || { echo "left out: this is no Debian"; exit 77; }
[ "$(id -u)" -eq 0 ] || { echo "left out: making another Debian needs root"; exit 77; }
command -v debootstrap >/dev/null || { echo "left out: there is no debootstrap"; exit 77; }

(cd "$build" && rm -rf packages && cpack -B packages >/dev/null)
place=$(realpath --relative-to=. "$build")/packages
[ "${place#..}" = "$place" ] || { echo "left out: the build folder is outside of the tree"; exit 77; }
ls -l "$place"/*.deb

SEXTANT_DEBIAN_CACHE=$build/fresh-debian scripts/on-debian.sh --fresh "$number" bash -euc '
  if command -v c++; then echo "this Debian is not fresh"; exit 1; fi
  export PYTHONDONTWRITEBYTECODE=1
  rm -rf /tmp/packages && cp -r '"$place"' /tmp/packages
  apt-get install -y -qq --no-install-recommends /tmp/packages/{sextant,python3-sextant}_*.deb >/dev/null
  cd /tmp
  sextant --version
  sextant sample --model /sextant/models/mnist-adm --classifier /sextant/models/mnist-classifier --guidance js \
    --labels 0-9 --count 4 --batch 4 --steps 5 --out drawn --quiet
  test -s drawn/samples.npz && test -s drawn/gradient-norm.svg
  test -s /usr/share/man/man1/sextant-sample.1 -o -s /usr/share/man/man1/sextant-sample.1.gz ||
    grep -q path-exclude /etc/dpkg/dpkg.cfg.d/*
  bash -c ". /usr/share/bash-completion/completions/sextant && complete -p sextant"
  python3 -c "
import sextant
model = sextant.open_denoiser(\"/sextant/models/mnist-adm\")
guide = sextant.Guide(sextant.open_classifier(\"/sextant/models/mnist-classifier\"), \"js\")
print(sextant.samplers.ddim(model, [3, 1], guide=guide, steps=3).shape)"
  dpkg -P python3-sextant sextant >/dev/null
  test ! -e /usr/bin/sextant && test ! -e /usr/lib/python3/dist-packages/sextant
'
rm -rf --one-file-system "$build/fresh-debian"
