#!/bin/sh
# Mutexes, rwlocks and file locks that a plugin leaves locked are told, and no others.
. "$(dirname "$0")/lib.sh"

build_host host
build_plugin box
build_plugin lockers
build_plugin lockersxx -std=gnu++17 -fno-gnu-unique
RELIB_TRACK='lockers*'
LOCKED=$tmp/locked
export RELIB_TRACK LOCKED
head -c 1000 /dev/zero >"$LOCKED"

begin() {
	rm -rf "$RELIB_DIR"
	mkdir "$RELIB_DIR"
	host_start "$tmp/host"
	told load box "$tmp/box.so" global
}

finish() {
	host_end
	is "$1: the host ends well" "$status" 0
	report
}

# left PLUGIN FUNCTION NUMBER...: each is called in a generation of its own.
left() {
	told load p "$tmp/$1.so"
	asked "$2 does it" 'ok 0' call p "$2" "$3"
	asked "$2: the plugin goes" 'ok gone' unload p
}

number=1
begin
for function in mutex_lock mutex_trylock mutex_timedlock mutex_clocklock \
		rwlock_rdlock rwlock_tryrdlock rwlock_timedrdlock rwlock_clockrdlock \
		rwlock_wrlock rwlock_trywrlock rwlock_timedwrlock rwlock_clockwrlock \
		mtx_lock_it mtx_trylock_it mtx_timedlock_it; do
	left lockers $function $number
	number=$((number + 1))
done
finish 'one of each'
for function in mutex_lock mutex_trylock mutex_timedlock mutex_clocklock \
		mtx_lock_it mtx_trylock_it mtx_timedlock_it; do
	holds <<-END
		$function: one is left: balance("mutex", "lockers.so", None, "$function") == (1, 0, 1, 0, 0)
		END
done
for function in rwlock_rdlock rwlock_tryrdlock rwlock_timedrdlock rwlock_clockrdlock \
		rwlock_wrlock rwlock_trywrlock rwlock_timedwrlock rwlock_clockwrlock; do
	holds <<-END
		$function: one is left: balance("mutex", "lockers.so", None, "$function") == (1, 0, 1, 0, 0)
		END
done
holds <<-END
	each generation left what it locked: [[t.split(" held")[0] for s, t in leftovers("mutex", "lockers.so", n)] for n in range(1, 16)] == 4 * [["mutex"]] + 4 * [["rwlock (read)"]] + 4 * [["rwlock (write)"]] + 3 * [["mutex"]]
	by the host's thread, which runs: {t.split(" held ")[1] for s, t in leftovers("mutex", "lockers.so")} == {"by thread %d" % session["pid"]}
	and where they are: sorted(l["root"]["text"].split("[")[0].split("+")[0] for g in generations("lockers.so") for l in g["leftovers"]) == ["box.so: box_mtx"] * 3 + ["box.so: box_mutex"] * 4 + ["box.so: box_rwlock"] * 8
	they are left as they are: {s for s, t in leftovers("mutex", "lockers.so")} == {"left"}
	END

begin
told load p "$tmp/lockers.so"
asked 'what is unlocked again' 'ok 4000' call p lock_and_unlock 1000
told call p mutex_lock 1
asked 'what is in vain' 'ok 0' call p lock_in_vain 1
told call p mutex_unlock 1
told call p rwlock_rdlock 1
told call p rwlock_unlock 1
told call p mtx_lock_it 1
told call p mtx_unlock_it 1
asked 'unlocked by other threads' 'ok 100' call p unlock_in_thread 100
asked 'a wait for a condition' 'ok 1' call p wait_for_condition 17
told call box unlock_mutex 17
told call p mutex_of_image 0
told call p mutex_of_block 0
told call p mutex_of_stack 0
asked 'the plugin goes' 'ok gone' unload p
finish 'nothing left'
holds <<-END
	nothing is left: balance("mutex", "lockers.so")[2:] == (0, 0, 0)
	all that was locked was counted: balance("mutex", "lockers.so")[0] == 5000 + 3 + 100 + 1 + 3
	and unlocked: balance("mutex", "lockers.so")[1] == balance("mutex", "lockers.so")[0]
	what failed is not counted: balance("mutex", "lockers.so", None, "lock_in_vain") == (0, 0, 0, 0, 0)
	END

# threads that lock for others leave no trace but the counts
begin
told load p "$tmp/lockers.so"
told call p hand_over 200
tell rss
before=${answer#ok }
asked 'locks that are handed over' 'ok 3000' call p hand_over 3000
tell rss
ok 'they take no memory' test $((${answer#ok } - before)) -lt 1000000
asked 'the plugin goes' 'ok gone' unload p
finish 'handed over'
holds <<-END
	all are counted: balance("mutex", "lockers.so") == (3200, 3200, 0, 0, 0)
	END

begin
told load p "$tmp/lockers.so"
told call p lock_recursive 2
asked 'the plugin goes' 'ok gone' unload p
told load p "$tmp/lockers.so"
told call p lock_recursive 0
asked 'the plugin goes' 'ok gone' unload p
told load p "$tmp/lockers.so"
told call p mutex_of_heap 0
asked 'the plugin goes' 'ok gone' unload p
told load p "$tmp/lockers.so"
told call p lock_in_thread 18
asked 'the plugin goes' 'ok gone' unload p
told load p "$tmp/lockers.so"
told call p rwlock_wrlock 18
told call p mutex_lock 19
asked 'the plugin goes' 'ok gone' unload p
told call box unlock_mutex 19
finish 'threads and the like'
holds <<-END
	a recursive mutex, unlocked too little: balance("mutex", "lockers.so", 1) == (3, 2, 1, 0, 0)
	a recursive mutex, not unlocked: balance("mutex", "lockers.so", 2) == (3, 0, 3, 0, 0)
	a mutex on the host's heap: [l["root"]["kind"] for l in generation("lockers.so", 3)["leftovers"]] == ["heap"]
	the thread that has it is over: [(s, t.split(" ", 5)[5]) for s, t in leftovers("mutex", "lockers.so", 4)] == [("left", "which has ended")] or [t.split(", ")[1:] for s, t in leftovers("mutex", "lockers.so", 4)] == [["which has ended"]]
	a host that unlocks it later: sorted(s for s, t in leftovers("mutex", "lockers.so", 5)) == ["given-back", "left"]
	and that is counted: balance("mutex", "lockers.so", 5) == (2, 0, 2, 0, 1)
	END

begin
for function in std_mutex std_timed_mutex std_recursive_mutex std_shared_mutex \
		std_shared_mutex_shared std_guards; do
	left lockersxx $function $number
	number=$((number + 1))
done
finish 'C++'
holds <<-END
	std::mutex: balance("mutex", "lockersxx.so", 1) == (1, 0, 1, 0, 0)
	std::timed_mutex: balance("mutex", "lockersxx.so", 2) == (1, 0, 1, 0, 0)
	std::recursive_mutex: balance("mutex", "lockersxx.so", 3) == (2, 1, 1, 0, 0)
	std::shared_mutex: leftovers("mutex", "lockersxx.so", 4)[0][1].startswith("rwlock (write)")
	std::shared_mutex, shared: leftovers("mutex", "lockersxx.so", 5)[0][1].startswith("rwlock (read)")
	guards unlock: balance("mutex", "lockersxx.so", 6) == (302, 302, 0, 0, 0)
	END

# of files: what is left, then the descriptor's end
files() {
	told load p "$tmp/lockers.so"
	told call p "$1" "$2"
	fd=${answer#ok }
	asked "$1: the plugin goes" 'ok gone' unload p
	told load p "$tmp/lockers.so"
	told call p file_close "$fd"
	asked "$1: the plugin goes again" 'ok gone' unload p
}
begin
files file_flock 6
files file_flock 5
files file_lockf 100
files file_lockf64 0
files file_lockf_parts 0
files file_lockf_undone 10
files file_fcntl 6
files file_fcntl 7
files file_fcntl 37
files file_fcntl_closed 6
told load p "$tmp/lockers.so"
told call p file_flock 6
told call p file_unlock "${answer#ok }"
asked 'the plugin goes' 'ok gone' unload p
finish 'files'
holds <<-END
	flock: leftovers("file-lock", "lockers.so", 1) == [("given-back", "flock write $LOCKED")]
	flock, shared: leftovers("file-lock", "lockers.so", 3) == [("given-back", "flock read $LOCKED")]
	lockf: leftovers("file-lock", "lockers.so", 5) == [("given-back", "fcntl write 0-99 $LOCKED")]
	lockf64, all of it: leftovers("file-lock", "lockers.so", 7) == [("given-back", "fcntl write 0-EOF $LOCKED")]
	three parts: [t[-len("$LOCKED, and 2 more"):] for s, t in leftovers("file-lock", "lockers.so", 9)] == ["$LOCKED, and 2 more"]
	they are counted: balance("file-lock", "lockers.so", 1) == (1, 0, 1, 0, 1)
	what was unlocked: balance("file-lock", "lockers.so", 11) == (1, 1, 0, 0, 0)
	fcntl: leftovers("file-lock", "lockers.so", 13) == leftovers("file-lock", "lockers.so", 15) == [("given-back", "fcntl read 10-19 $LOCKED")]
	fcntl, of the open file: leftovers("file-lock", "lockers.so", 17) == [("given-back", "fcntl (file) read 10-19 $LOCKED")]
	fcntl, ended by a close: balance("file-lock", "lockers.so", 19) == (1, 1, 0, 0, 0)
	what was unlocked, with flock: balance("file-lock", "lockers.so", 21) == (1, 1, 0, 0, 0)
	END

done_testing
