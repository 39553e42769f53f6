#!/bin/sh
# A descriptor that goes between host and plugin is right whoever closes it, how, in which thread or process; with fds=close nothing of the host's is closed.
. "$(dirname "$0")/lib.sh"

[ -z "$RELIB_TEST_PLAIN" ] || skip_all 'run without the shim'
build_host descriptorshost
mkdir "$tmp/folder"
DESCRIPTORS_FOLDER=$tmp/folder
export DESCRIPTORS_FOLDER
build_plugin descriptors

# scenario NAME [POLICY]: what the host says is told, and its report asked for.
scenario() {
	rm -rf "${RELIB_DIR:?}"/*
	name=$1${2:+, fds=$2}
	RELIB_FDS=${2:-report} with_shim "$tmp/descriptorshost" "$tmp/descriptors.so" "$1" \
		>"$tmp/output" 2>"$tmp/errors"
	is "$name: the host ends well" "$?" 0
	sed "s/^\(ok\|bad\) /&$name: /" "$tmp/output" | grep '^ok\|^bad' >"$tmp/verdicts"
	verdicts "$name" <"$tmp/verdicts"
	left=$(sed -n 's/^left //p' "$tmp/output")
	[ ! -s "$tmp/errors" ] || diag "$(cat "$tmp/errors")"
}

scenario handed-over
report && holds <<-END
	handed over: it was left and given back later: balance("descriptor", "descriptors.so") == (1, 0, 1, 0, 1)
	handed over: the record says so: leftovers("descriptor", "descriptors.so") == [("given-back", "eventfd")]
	END

for policy in report close; do
	scenario behind $policy
	report && holds <<-END
		$name: what was closed by a system call of its own is not left: balance("descriptor", "descriptors.so") == (1, 1, 0, 0, 0)
		END

	scenario reused $policy
	report && holds <<-END
		$name: the host's with that number is not the plugin's: balance("descriptor", "descriptors.so") == (1, 1, 0, 0, 0)
		END
done

scenario reused-unseen close
report && holds <<-END
	reused-unseen: what was opened unseen is not the plugin's, nor closed: balance("descriptor", "descriptors.so") == (1, 1, 0, 0, 0)
	END

scenario closing close
report && holds <<-END
	closing: all is taken back: balance("descriptor", "descriptors.so") == (9, 0, 9, 9, 0)
	closing: the records say so: sorted(leftovers("descriptor", "descriptors.so"))[0] == ("taken-back", "/dev/null") and {l[0] for l in leftovers("descriptor", "descriptors.so")} == {"taken-back"}
	END

for policy in report close; do
	scenario over $policy
	report && holds <<-END
		$name: the last is left, the undone one is not: balance("descriptor", "descriptors.so")[2:] == (1, 0, 0)
		$name: it is told: [(l["number"], l["state"], l["text"]) for l in generation("descriptors.so", 1)["leftovers"]] == [(2, "left", "/dev/null")]
		$name: all else is given back: balance("descriptor", "descriptors.so")[:2] == (5, 4)
		END
	scenario over-high $policy
	report && holds <<-END
		$name: it is left: leftovers("descriptor", "descriptors.so") == [("left", "/dev/null")]
		$name: why it was not closed is told: [bool(l["why"]) for l in generation("descriptors.so", 1)["leftovers"]] == [$([ $policy = close ] && echo True || echo False)]
		END
done

scenario host-over close
report && holds <<-END
	host-over: what the host replaced is given back, another is not, and is taken back: balance("descriptor", "descriptors.so") == (2, 1, 1, 1, 0)
	END

scenario rights
report && holds <<-END
	rights: what came over a socket is the receiver's: balance("descriptor", "descriptors.so", function="receive_from") == (1, 0, 1, 0, 0)
	END

scenario forked
for process in "$RELIB_DIR"/descriptorshost.*; do
	report "$process"
	json '" / ".join(sorted("%s %s" % (balance("descriptor", "descriptors.so", function=f), f)
		for f in ["leave_eventfd", "leave_memfd_create"]))'
done >"$tmp/both"
ok 'forked: the parent left both, and its host closed one' grep -qxF \
	'(1, 0, 1, 0, 0) leave_eventfd / (1, 0, 1, 0, 1) leave_memfd_create' "$tmp/both"
ok 'forked: the child closed what it had inherited, left the other, and closed it then' grep -qxF \
	'(0, 0, 0, 0, 0) leave_eventfd / (1, 0, 1, 0, 1) leave_memfd_create' "$tmp/both"

scenario vforked
report && holds <<-END
	vforked: what a vfork child closes and opens is not the parent's: balance("descriptor", "descriptors.so") == (1, 0, 1, 0, 1)
	END

scenario forked-bare
report && holds <<-END
	forked-bare: what such children close is not the parent's: balance("descriptor", "descriptors.so") == (1, 0, 1, 0, 0)
	END

for policy in report close; do
	scenario unshared $policy
	report && holds <<-END
		$name: what threads have in tables of their own is nobody's: balance("descriptor", "descriptors.so") == (0, 0, 0, 0, 0)
		END
done

scenario in-handler
report && holds <<-END
	in-handler: all that the handler closed is given back: balance("descriptor", "descriptors.so", function="leave_eventfd") == (1000, 1000, 0, 0, 0)
	in-handler: all that was interrupted is right: balance("descriptor", "descriptors.so", function="churn")[2] == $left
	END

scenario racing
report && holds <<-END
	racing: the totals are exact: balance("descriptor", "descriptors.so")[2:] == ($left, 0, 0)
	racing: nothing is lost between: all(a == g + l for a, g, l, t, s in [balance("descriptor", "descriptors.so")])
	racing: no more than 64 of a place are told one by one: 64 <= len(leftovers("descriptor", "descriptors.so")) <= 64 * len(generation("descriptors.so", 1)["balances"])
	END
scenario racing close
report && holds <<-END
	racing: all is taken back: balance("descriptor", "descriptors.so")[2:] == ($left, $left, 0)
	END

done_testing
