#!/bin/sh
# Hundreds of threads of a plugin, created and ended over reloads: none is missed, and none that is over is in the way.
. "$(dirname "$0")/lib.sh"

# of 500 threads each
: "${RELIB_TEST_CROWDS:=5}"
[ -z "$RELIB_TEST_PLAIN" ] || skip_all 'run without the shim'
build_host crowdhost
build_plugin crowd

for policy in refuse defer; do
	RELIB_THREADS=$policy with_shim timeout 280 "$tmp/crowdhost" $policy "$RELIB_TEST_CROWDS" 500 \
		"$tmp/crowd.so" >"$tmp/output" 2>"$tmp/errors"
	is "$policy: the host ends well and in time" "$?" 0
	sed "s/^\\(ok\\|bad\\) /&$policy: /" "$tmp/output" >"$tmp/verdicts"
	verdicts crowdhost <"$tmp/verdicts"
	[ ! -s "$tmp/errors" ] || diag "$(cat "$tmp/errors")"
	report && holds <<-END
		$policy: every generation is counted, and went: [g["state"] for g in generations("crowd.so")] == ["unloaded"] * $RELIB_TEST_CROWDS
		END
done

done_testing
