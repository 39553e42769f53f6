#!/bin/sh
# Makes ./configure, and from a bare machine everything else:
#
#   ./autogen.sh         make ./configure
#   ./autogen.sh deps    install what the build and the tests need
#   ./autogen.sh demo    dependencies, build, and the main job on the screen
#   ./autogen.sh check   dependencies, build, and the tests
set -eu
cd "$(dirname "$0")"

build_deps='autoconf automake libtool pkg-config gcc g++ make libc6-dev libelf-dev libdw-dev libjson-c-dev'
test_deps='check lua5.4 lua-socket lua-cjson valgrind gdb git perl python3 sqlite3 clang
	libjemalloc2 libtcmalloc-minimal4 libseccomp-dev'

say() { printf 'autogen.sh: %s\n' "$*" >&2; }

installed() {
	for package; do
		dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q 'ok installed' || return 1
	done
}

deps() {
	if ! command -v apt-get >/dev/null 2>&1; then
		say 'this is not a Debian system; please install the equivalents of:'
		say $build_deps
		say 'and for the tests and the demo:'
		say $test_deps
		return 0
	fi
	installed $build_deps $test_deps && return 0
	sudo=
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null 2>&1 || { say "run as root: apt-get install" $build_deps $test_deps; exit 1; }
		sudo=sudo
	fi
	DEBIAN_FRONTEND=noninteractive
	export DEBIAN_FRONTEND
	$sudo apt-get -qq update
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $build_deps $test_deps >&2
}

bootstrap() { autoreconf --force --install --warnings=all,no-obsolete; }

build() {
	[ -x configure ] || bootstrap
	[ -f Makefile ] || ./configure --quiet
	make -s -j"$(nproc)" all
}

case ${1-} in
'')	bootstrap
	say 'now: ./configure && make' ;;
deps)	deps ;;
demo)	deps; build; exec docs/demo.sh ;;
check)	deps; build; exec make -j"$(nproc)" check ;;
*)	sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
