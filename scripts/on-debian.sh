#!/usr/bin/env bash
# on-debian.sh [--fresh] NUMBER COMMAND...: runs a command on this tree in Debian NUMBER (12, 13, ...), as root in a
# folder made by debootstrap.
#
#   scripts/on-debian.sh 13 make test
#
# The system is kept in ${SEXTANT_DEBIAN_CACHE:-~/.cache/sextant}/debian-NUMBER with what was installed there and what
# was compiled (ccache's), so that another checkout compiles only what differs; --fresh makes it anew. Inside, this tree
# is /sextant and BUILD is build-debian-NUMBER, so that nothing of another system's build is touched. SEXTANT_GOLDEN_DIR
# is seen inside under the same path. The mirror is the one of this machine's apt.
set -euo pipefail

fail() {
  echo "on-debian.sh: $*" >&2
  exit 2
}

fresh=
[ "${1:-}" != --fresh ] || { fresh=1; shift; }
[ $# -ge 2 ] || fail "usage: on-debian.sh [--fresh] NUMBER COMMAND..."
number=$1
shift
case $number in
  11) name=bullseye ;;
  12) name=bookworm ;;
  13) name=trixie ;;
  14) name=forky ;;
  sid) name=sid ;;
  *) fail "'$number' is no Debian that this script knows; give 11, 12, 13, 14 or sid" ;;
esac
[ "$(id -u)" -eq 0 ] || fail "making and entering another Debian needs root; run it with sudo"
command -v debootstrap >/dev/null || "$(dirname "$0")"/install-dependencies.sh debootstrap

tree=$(cd "$(dirname "$0")/.." && pwd)
cache=${SEXTANT_DEBIAN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sextant}
root=$cache/debian-$number
mirror=$(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | grep -m 1 '/debian/$' || true)

[ -z "$fresh" ] || rm -rf --one-file-system "$root"
if [ ! -e "$root/.complete" ]; then
  rm -rf --one-file-system "$root"
  mkdir -p "$root"
  echo "making Debian $number in $root" >&2
  debootstrap --variant=minbase --include=ca-certificates,ccache,git,make "$name" "$root" ${mirror:+"$mirror"} \
    >"$cache/debian-$number.log" || fail "debootstrap of $name failed: $cache/debian-$number.log says why"
  touch "$root/.complete"
fi

launcher=
[ ! -x "$root/usr/bin/ccache" ] || launcher=ccache  # systems made earlier lack it
# Mounts live in a namespace of their own and go with the command.
export tree root number launcher
exec unshare --mount --propagation private bash -c '
  set -euo pipefail
  mkdir -p "$root/sextant"
  mount --bind "$tree" "$root/sextant"
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mount -t tmpfs tmpfs "$root/tmp"
  cp -L /etc/resolv.conf "$root/etc/resolv.conf"
  [ ! -d /usr/local/share/ca-certificates ] || cp -rL /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/"
  for file in /etc/apt/apt.conf.d/*; do
    if grep -qiE "proxy|verify|cainfo" "$file"; then cp -L "$file" "$root/etc/apt/apt.conf.d/"; fi
  done
  if [ -n "${SEXTANT_GOLDEN_DIR:-}" ]; then
    mkdir -p "$root$SEXTANT_GOLDEN_DIR"
    mount --bind "$SEXTANT_GOLDEN_DIR" "$root$SEXTANT_GOLDEN_DIR"
  fi
  exec chroot "$root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
    TERM="${TERM:-dumb}" BUILD="build-debian-$number" ${JOBS:+JOBS="$JOBS"} ${TORCH:+TORCH="$TORCH"} \
    ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
    ${SEXTANT_GOLDEN_DIR:+SEXTANT_GOLDEN_DIR="$SEXTANT_GOLDEN_DIR"} CMAKE_CXX_COMPILER_LAUNCHER="$launcher" CCACHE_DEPEND=1 \
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime \
    bash -c "cd /sextant && exec \"\$@\"" on-debian "$@"
' on-debian "$@"
