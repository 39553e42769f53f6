#!/bin/sh
# With little memory, and with none left, malloc says ENOMEM and the host is unharmed.
. "$(dirname "$0")/lib.sh"

build_host limited
build_plugin exhaust

for limit in 400000 1500000; do
	(
		ulimit -v $limit
		with_shim "$tmp/limited" "$tmp/exhaust.so"
	) >"$tmp/output" 2>"$tmp/errors"
	is "ulimit -v $limit: the host ends well" "$?" 0
	# without the shim the plugin's leaks stay
	[ -z "$RELIB_TEST_PLAIN" ] || sed -i '/memory again/d' "$tmp/output"
	sed "s/^\([a-z]*\) /\1 ulimit -v $limit: /" "$tmp/output" >"$tmp/verdicts"
	verdicts limited <"$tmp/verdicts"
	[ ! -s "$tmp/errors" ] || diag "$(cat "$tmp/errors")"
	report && holds <<-END
		ulimit -v $limit: the small blocks are counted: total("use_some", "allocated") == (10000, 480000)
		ulimit -v $limit: and freed: total("use_some", "reclaimed") == (10000, 480000)
		END
done

overcommit=/proc/sys/vm/overcommit_memory
if [ "${RELIB_TEST_OVERCOMMIT:-}" != 1 ]; then
	skip 'without overcommit' 'it changes the whole machine: RELIB_TEST_OVERCOMMIT=1 does it'
elif [ ! -w $overcommit ]; then
	skip 'without overcommit' "$overcommit cannot be written"
else
	build_host host
	build_plugin residue
	before=$(cat $overcommit)
	trap 'echo "$before" >$overcommit; test_leave' EXIT
	echo 2 >$overcommit
	with_shim "$tmp/host" >"$tmp/output" <<-END
		cycle 10 $tmp/residue.so leak_mebibyte 16
		END
	is 'without overcommit: a plugin is reloaded ten times' "$(cat "$tmp/output")" ok
	report && holds <<-END
		without overcommit: leaks are freed: totals["reclaimed"] == (160, 10485760)
		END
	echo "$before" >$overcommit
fi

done_testing
