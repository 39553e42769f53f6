#!/bin/sh
# Makes ./configure, and from a bare machine everything else:
#
#   ./autogen.sh             make ./configure
#   ./autogen.sh deps        install what the build and the tests need
#   ./autogen.sh deps-hosts  install the real hosts that tests/hosts run
#   ./autogen.sh demo        dependencies, build, and the main job on the screen
#   ./autogen.sh check       dependencies, build, and the tests
set -eu
cd "$(dirname "$0")"

build_deps='autoconf automake libtool pkg-config gcc g++ make libc6-dev libelf-dev libdw-dev libjson-c-dev'
test_deps='check lua5.4 lua-socket lua-cjson valgrind gdb git perl strace python3 sqlite3 clang
	libjemalloc2 libtcmalloc-minimal4 libseccomp-dev liburing-dev zsh fish'
# by the test that needs them
hosts_deps='libasound2-plugins
	apache2 libapache2-mod-php php-xml php-mbstring php-sqlite3
	bash-builtins
	libgdk-pixbuf2.0-bin librsvg2-common
	ladspa-sdk swh-plugins
	lua5.4 lua-filesystem lua-lpeg lua-cjson
	nbdkit
	nginx-light libnginx-mod-http-echo libnginx-mod-http-headers-more-filter libnginx-mod-http-lua libnginx-mod-stream
	perl libdbd-odbc-perl libsqliteodbc
	php-cli
	python3 binutils libcurl4 libglib2.0-0 libgnutls30 libgomp1 libodbc2 libsqlite3-0 libstdc++6 libxml2
	slapd
	sox libsox-fmt-all
	sqlite3 libsqlite3-mod-spatialite
	tcl tcl-dev
	weechat-headless weechat-plugins
	zsh'

say() { printf 'autogen.sh: %s\n' "$*" >&2; }

installed() {
	for package; do
		dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q 'ok installed' || return 1
	done
}

# deps_install WHAT-FOR PACKAGE...
deps_install() {
	purpose=$1
	shift
	if ! command -v apt-get >/dev/null 2>&1; then
		say "this is not a Debian system; please install the equivalents of, for $purpose:"
		say "$@"
		return 0
	fi
	installed "$@" && return 0
	sudo=
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null 2>&1 || { say "run as root: apt-get install" "$@"; exit 1; }
		sudo=sudo
	fi
	$sudo apt-get -qq update
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >&2
}

deps() { deps_install 'the build, the tests and the demo' $build_deps $test_deps; }

# The servers among them are not started by being installed.
deps_hosts() {
	policy=/usr/sbin/policy-rc.d
	if [ ! -e $policy ] && [ -d /usr/sbin ] && command -v apt-get >/dev/null 2>&1; then
		root=$([ "$(id -u)" -eq 0 ] || echo sudo)
		trap '$root rm -f $policy' EXIT
		$root install -m 755 /dev/stdin $policy <<-END
			#!/bin/sh
			exit 101
			END
	fi
	deps_install 'the tests of real hosts' $hosts_deps
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
deps-hosts) deps_hosts ;;
demo)	deps; build; exec docs/demo.sh ;;
check)	deps; build; exec make -j"$(nproc)" check ;;
*)	sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
