#!/bin/sh
# A host without plugins makes at most 30 system calls more with the shim than without, however many calls it makes.
. "$(dirname "$0")/lib.sh"

need strace perl
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

# no module of perl's, which would be a plugin
cat >"$tmp/many.pl" <<-'END'
	for my $i (1 .. 1000) {
	  open(my $file, "+>", "$ENV{RELIB_DIR}/many") or die; open(my $again, "<&", $file) or die;
	  print $file "line\n"; close($file); close($again); unlink("$ENV{RELIB_DIR}/many");
	  pipe(my $from, my $to) or die; close($from); close($to);
	  socketpair(my $one, my $other, 1, 1, 0) or die; close($one); close($other);
	  opendir(my $folder, $ENV{RELIB_DIR}) or die; readdir($folder); closedir($folder);
	  $SIG{USR1} = $i % 2 ? "IGNORE" : "DEFAULT"; $ENV{MANY} = $i; umask(umask(022));
	  chdir("/"); alarm(100); alarm(0);
	}
	END

few 'true' true
few 'a listing' ls -lR "$top_srcdir/docs"
few 'a shell' sh -c 'i=0; while [ $i -lt 200 ]; do i=$((i + 1)); done'
few 'a thousand of many calls' perl "$tmp/many.pl"
done_testing
