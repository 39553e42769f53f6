#!/bin/sh
# Where no session can be written the host runs on all the same, and leaks are freed.
. "$(dirname "$0")/lib.sh"

build_host host
build_plugin residue

# runs NAME COMMAND...: the host answers as always
runs() {
	name=$1
	shift
	printf 'cycle 20 %s leak_mebibyte 16\n' "$tmp/residue.so" |
		with_shim "$@" >"$tmp/output" 2>"$tmp/errors"
	is "$name: the host ends well" "$?" 0
	is "$name: it did its work" "$(cat "$tmp/output")" ok
	is "$name: nothing is said" "$(cat "$tmp/errors")" ''
}

RELIB_DIR=$tmp/nowhere/at/all
runs 'a folder that cannot be made' "$tmp/host"
: >"$tmp/file"
RELIB_DIR=$tmp/file
runs 'a file instead of the folder' "$tmp/host"
mkdir -m 0777 "$tmp/open"
chmod 0777 "$tmp/open"
RELIB_DIR=$tmp/open
runs 'a folder that others may write to' "$tmp/host"
is 'it is left alone' "$(ls "$tmp/open")" ''
RELIB_DIR=$tmp/small
mkdir -m 0700 "$RELIB_DIR"
runs 'a limit on the size of files' sh -c 'ulimit -f 64; exec "$0"' "$tmp/host"

# a full disk: a file system of 64 KiB in a namespace of our own
if unshare -rm true 2>/dev/null; then
	RELIB_DIR=$tmp/full
	mkdir "$RELIB_DIR"
	export RELIB_DIR
	for size in 64k 600k; do
		runs "a disk of $size" unshare -rm sh -c \
			'mount -t tmpfs -o size='$size',mode=0700 none "$RELIB_DIR" && exec "$0"' "$tmp/host"
	done
else
	skip 'a full disk' 'no file system can be mounted here'
fi
done_testing
