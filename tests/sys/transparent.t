#!/bin/sh
# Programs without plugins print the same and end the same with the shim and without, and leave no session.
. "$(dirname "$0")/lib.sh"

build_host spawner
build_host vforker
cd "$tmp" || exit 99
mkdir work

# run_twice NAME COMMAND...: standard output, error and status are compared.
run_twice() {
	name=$1
	shift
	for way in plain shim; do
		rm -rf work
		mkdir work
		(
			cd work || exit 99
			if [ $way = shim ] && [ -z "$RELIB_TEST_PLAIN" ]; then
				LD_PRELOAD=$shim timeout 120 "$@"
			else
				timeout 120 "$@"
			fi
		) >$way.out 2>$way.err </dev/null
		echo $? >$way.status
	done
	same_file "$name: the same status" shim.status plain.status
	same_file "$name: the same output" shim.out plain.out
	same_file "$name: the same errors" shim.err plain.err
}

# no_session NAME: what just ran left nothing behind.
no_session() {
	is "$1: no session is left" "$(find "$RELIB_DIR" -type f | wc -l)" 0
	rm -rf "$RELIB_DIR"
	mkdir "$RELIB_DIR"
}

run_twice 'ls -lR' ls -lR /usr/include
rm -rf "$RELIB_DIR"
mkdir "$RELIB_DIR"
run_twice 'ls -nR' ls -nR /usr/include
no_session 'ls -nR'
run_twice 'a shell' sh -c 'i=0; while [ $i -lt 50 ]; do i=$((i+1)); x=$(echo $i); echo "$x"; done; exit 42'
no_session 'a shell'
run_twice 'a pipeline' sh -c 'find /usr/include -name "*.h" | sort | xargs cat | wc; exec cat /etc/passwd'
no_session 'a pipeline'
run_twice 'a program that starts others' "$tmp/spawner"
no_session 'a program that starts others'
run_twice 'a program that uses vfork' "$tmp/vforker"
no_session 'a program that uses vfork'
run_twice 'an error' ls /nonexistent
run_twice 'no such program' sh -c 'nonexistent-program'

if command -v python3 >/dev/null; then
	python=$(python3 -c 'import sys; print(sys.executable)')
	run_twice 'python3' "$python" -c '
import json, re, zlib, collections
words = re.findall("[a-z]+", open("/etc/services").read())
print(collections.Counter(words).most_common(20))
print(json.dumps({w: zlib.crc32(w.encode()) for w in words[:1000]})[:500])'
	run_twice 'python3 that starts others' "$python" -c '
import multiprocessing, os, subprocess, sys, threading
for i in range(50):
	print(subprocess.run(["sh", "-c", "echo $1; exit $1", "sh", str(i)], capture_output=True))
print(subprocess.run(["cat"], input=b"text" * 50000, stdout=subprocess.PIPE).stdout[-9:])
print(subprocess.run(["true"], close_fds=False, preexec_fn=lambda: None))
try:
	subprocess.run(["/nonexistent/program"])
except OSError as error:
	print(error)
with multiprocessing.get_context("fork").Pool(3) as pool:
	print(sum(pool.map(abs, range(-1000, 0))))
threads = [threading.Thread(target=lambda: subprocess.check_call(["true"])) for i in range(20)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(os.waitstatus_to_exitcode(os.system("exit 9")), os.popen("echo popen").read())'
	run_twice 'python3 with an error' "$python" -c 'import sys; print(1, file=sys.stderr); sys.exit(3)'
fi
if command -v git >/dev/null; then
	git_script='
		export GIT_CONFIG_NOSYSTEM=1 HOME=/nonexistent GIT_AUTHOR_NAME=a GIT_COMMITTER_NAME=a
		export GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_EMAIL=a@b
		export GIT_AUTHOR_DATE="2020-01-01 00:00:00 +0000" GIT_COMMITTER_DATE="2020-01-01 00:00:00 +0000"
		git init -q -b one . && for i in 1 2 3 4 5; do
			echo $i >file$i; git add . && git commit -q -m "commit $i"
		done
		echo more >>file1; git status; git diff; git log -p --stat; git gc -q; git fsck; git show nothing'
	run_twice git sh -c "$git_script"
fi
cat >"$tmp/compiled.c" <<-END
	#include <stdio.h>
	#include <stdlib.h>
	int main(void) { int x; printf("%d %s\n", x, getenv("HOME")); return "wrong"; }
	END
run_twice 'the compiler' sh -c "$CC -Wall -O2 -g -c $tmp/compiled.c -o x.o && cksum x.o; $CC -c /nonexistent.c"
if command -v sqlite3 >/dev/null; then
	run_twice sqlite3 sqlite3 work.db 'create table t(a, b);
		with recursive n(i) as (select 1 union all select i+1 from n where i < 20000)
			insert into t select i, hex(i*7919) from n;
		create index x on t(b); select count(*), sum(a), max(b) from t; select * from t order by b limit 20;'
fi
if command -v perl >/dev/null; then
	run_twice perl perl -e 'my %h; for (1..30000) { $h{$_ % 977} .= "x$_"; }
		print join(",", map { length $h{$_} } sort keys %h), "\n"; print STDERR "e\n"; exit 17'
fi

for number in 1 2 9 10 11 13 15; do
	run_twice "killed by signal $number" sh -c "kill -$number \$\$"
done
for number in 0 1 2 42 126 127 128 137 200 254 255; do
	run_twice "exit status $number" sh -c "exit $number"
done
rm -rf "$RELIB_DIR"
mkdir "$RELIB_DIR"
run_twice 'a missing session folder' env RELIB_DIR=/nonexistent/folder ls /
run_twice 'a session folder that cannot be written' env RELIB_DIR=/proc ls /

done_testing
