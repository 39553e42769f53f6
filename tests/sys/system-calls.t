#!/bin/sh
# A host without plugins makes at most 30 system calls more with the shim than without, however many calls it makes.
. "$(dirname "$0")/lib.sh"

need strace
strace -f -c true >/dev/null 2>&1 || skip_all 'strace cannot trace here'
[ -z "$RELIB_TEST_PLAIN" ] || skip_all 'there is nothing to compare'

# calls COMMAND...: how many system calls it makes, of all processes and threads
calls() {
	strace -f -c -o "$tmp/calls" "$@" >/dev/null 2>&1 </dev/null &&
		awk '$NF == "total" { print $4 }' "$tmp/calls"
}

# few NAME COMMAND...
few() {
	few_name=$1
	shift
	# env starts the program both times, and has the shim behind it only
	few_plain=$(calls env "$@") && few_shim=$(calls env LD_PRELOAD="$shim" "$@")
	diag "$few_name: $few_plain without, $few_shim with the shim"
	ok "$few_name: at most 30 more" test "${few_shim:-0}" -gt 0 -a "${few_shim:-0}" -le "$((few_plain + 30))"
}

cat >"$tmp/many.py" <<-'END'
	import mmap, os, signal, socket, tempfile, threading
	lock = threading.Lock()
	for i in range(500):
	    with open(os.devnull) as file:
	        os.close(os.dup(file.fileno()))
	    for end in os.pipe():
	        os.close(end)
	    for end in socket.socketpair():
	        end.close()
	    mmap.mmap(-1, 65536).close()
	    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
	    os.environ["RELIB_TEST_MANY"] = str(i)
	    os.umask(os.umask(0o22))
	    file, name = tempfile.mkstemp(dir=os.environ["RELIB_DIR"])
	    os.close(file)
	    os.unlink(name)
	    with lock:
	        pass
	END

few 'true' true
few 'a listing' ls -lR "$top_srcdir/docs"
few 'a shell' sh -c 'i=0; while [ $i -lt 200 ]; do i=$((i + 1)); done'
few 'a thousand of everything' python3 -I "$tmp/many.py"
done_testing
