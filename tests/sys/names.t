#!/bin/sh
# What a module makes that outlives the process is counted, told when it is left, removed when asked for; what was there before is not its own.
. "$(dirname "$0")/lib.sh"

build_host host
build_plugin names -Wno-unused-result
cp "$tmp/names.so" "$tmp/hostside.so"
cd "$tmp" || exit 99
RELIB_TRACK=names.so
export RELIB_TRACK

kind_of() {
	case $1 in
	by_mk*) echo temporary ;;
	by_shm_open) echo shm-name ;;
	by_sem_open) echo semaphore-name ;;
	by_mq_open) echo queue-name ;;
	by_shmget) echo shm-id ;;
	by_semget) echo semaphore-id ;;
	by_msgget) echo queue-id ;;
	esac
}

host_begin() {
	rm -rf "$RELIB_DIR"/*
	host_start "$tmp/host"
	told load h "$tmp/hostside.so"
	told load p "$tmp/names.so"
}

# made FUNCTION...: each makes its name and leaves it; what there is not here is skipped
made() {
	for function; do
		tell call p "$function" 0
		case $answer in
		"ok 1") ;;
		"ok -38" | "ok -13" | "ok -1") lacking="$lacking $function" ;;
		*) fail "$function makes its name"; diag "$answer" ;;
		esac
	done
}

is_lacking() {
	case " $lacking " in
	*" $1 "*) return 0 ;;
	esac
	return 1
}

functions=$(sed -n 's/^PLUGIN long \(by_[a-z0-9_]*\)(.*/\1/p' "$plugins/names.c")
others='with_remove with_unlinkat with_rename with_full_directory with_replaced'

# --- one by one: each once removed and once left --------------------------

lacking=
host_begin
for function in $functions; do
	tell call p "$function" 1
	[ "$answer" = 'ok 1' ] || lacking="$lacking $function"
done
made $functions $others
told call p private_ids 1
asked 'it goes' 'ok gone' unload p
tell call h count_all
there=${answer#ok }
told call h remove_all
host_end
is 'the host ends well' "$status" 0
report
for function in $functions; do
	if is_lacking "$function"; then
		skip "$function: one is left, one was given back" 'this machine has no such thing'
		continue
	fi
	echo "$function: one is left, one was given back: \
balance('$(kind_of "$function")', 'names.so', 1, '$function')[:4] == (2, 1, 1, 0)"
done >"$tmp/lines"
grep SKIP "$tmp/lines"
test_count=$((test_count + $(grep -c SKIP "$tmp/lines")))
grep -v SKIP "$tmp/lines" >"$tmp/asked"
holds <"$tmp/asked"
holds <<-END
	the handle of a semaphore is told by its name: ['/relib-test-sem-'] == [text.rstrip('0123456789') for state, text in leftovers('semaphore', 'names.so')]
	remove gives back: balance('temporary', 'names.so', 1, 'with_remove') == (1, 1, 0, 0, 0)
	unlinkat gives back: balance('temporary', 'names.so', 1, 'with_unlinkat') == (1, 1, 0, 0, 0)
	a file that got another name is none that is left: balance('temporary', 'names.so', 1, 'with_rename') == (1, 1, 0, 0, 0)
	nor is another file at its path: balance('temporary', 'names.so', 1, 'with_replaced') == (1, 1, 0, 0, 0)
	private ids are given back: balance('shm-id', 'names.so', 1, 'private_ids') == balance('semaphore-id', 'names.so', 1, 'private_ids') == balance('queue-id', 'names.so', 1, 'private_ids') == (1, 1, 0, 0, 0)
	a temporary is told by its path: [t for s, t in leftovers('temporary', 'names.so') if t.startswith('$tmp/mkstemps-')]
	what the host removes was given back later: balance('shm-id', 'names.so', 1, 'by_shmget')[4] == 1
	nothing was removed: balance('temporary', 'names.so')[3] == 0
	END
ok 'temporary files are there' ls mkstemp-?????? mkdtemp-??????
[ -n "$there" ] || there=0
ok 'so are the other names' test "$there" -ge 1

# --- those that are there are not the module's ----------------------------

RELIB_NAMES=remove
export RELIB_NAMES
host_begin
for function in by_shm_open by_sem_open by_mq_open by_shmget by_semget by_msgget; do
	is_lacking $function || told call h $function 0
done
asked 'what the host made can be opened' 'ok 1' call p open_existing
is_lacking by_mq_open || asked 'so can its queue' 'ok 1' call p open_existing_queue
told call h count_all
there=${answer#ok }
told unload p
asked "the host's names are still there" "ok $there" call h count_all
told call h remove_all
host_end
report
holds <<-END
	it made none of them: [balance(kind, 'names.so')[0] for kind in ('shm-name', 'semaphore-name', 'queue-name', 'shm-id', 'semaphore-id', 'queue-id')] == [0] * 6
	END

# --- names=remove ----------------------------------------------------------

rm -rf mk* full* replaced* was-replaced renamed
host_begin
made $functions $others private_ids
told unload p
asked 'all names are gone' 'ok 0' call h count_all
host_end
report
is 'temporary files are gone, but for those that are none any more' "$(echo mk* full-* re*-* was-*)" \
	"$(echo "mk*" full-?????? replaced-?????? was-replaced)"
for function in $functions; do
	is_lacking "$function" ||
		echo "$function: it is removed: balance('$(kind_of "$function")', 'names.so', 1, '$function') == (1, 0, 1, 1, 0)"
done >"$tmp/lines"
holds <"$tmp/lines"
holds <<-END
	private ids are removed: [balance(kind, 'names.so', 1, 'private_ids')[3] for kind in ('shm-id', 'semaphore-id', 'queue-id')] == [1, 1, 1]
	a directory with something in it is not: ['the directory is not empty'] == [l['why'] for l in generation('names.so', 1)['leftovers'] if l['why']]
	END

done_testing
