#!/bin/sh
# SPDX-License-Identifier: MIT
# The main job on the screen, from a built tree: plugins that know nothing of
# relib, in hosts that know nothing of relib, unloaded, freed and reported.
set -eu
examples=$(cd "$(dirname "$0")/examples" && pwd)
relib=$(cd "${top_builddir:-$(dirname "$0")/..}" && pwd)/cli/relib
work=$(mktemp -d "${TMPDIR:-/tmp}/relib-demo-XXXXXX")
trap 'rm -rf "$work"' EXIT
RELIB_DIR=$work/sessions
export RELIB_DIR
cd "$work"
: "${CC:=cc}"

step() { printf '\n\033[1m$ %s\033[0m\n' "$*"; "$@"; }
[ -t 1 ] || step() { printf '\n$ %s\n' "$*"; "$@"; }
exec 2>&1

echo '=== 1. Stock Lua and the C modules of the distribution'
if command -v lua5.4 >/dev/null && lua5.4 -e 'require "cjson" require "socket"' 2>/dev/null; then
	step "$relib" run lua5.4 "$examples/modules.lua"
else
	echo 'lua5.4 with lua-cjson and lua-socket is not installed: left out'
fi

echo
echo '=== 2. A plugin that leaks, loaded and unloaded ten times by an ordinary host'
$CC -g -O2 -o host "$examples/host.c" -ldl
$CC -g -O2 -shared -fPIC -o leaky.so "$examples/leaky.c"
printf '\n$ relib run ./host 10 -- ./leaky.so\n'
"$relib" run ./host 10 -- ./leaky.so >host.out
echo "(the host printed $(wc -l <host.out) lines of its plugin)"
