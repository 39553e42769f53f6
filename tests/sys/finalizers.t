#!/bin/sh
# Finalizers that end a module's threads run before it is known whether it may go: each once, in the order they have without relib.
. "$(dirname "$0")/lib.sh"

[ -z "$RELIB_TEST_PLAIN" ] || skip_all 'run without the shim'
build_host waiter -rdynamic
build_plugin finals -DNAME='"other"'
mv "$tmp/finals.so" "$tmp/other.so"

# build NAME [FLAG...]: NAME.so with a worker, NAME-plain.so without
build() {
	build_what=$1
	build_from=$2
	shift 2
	build_plugin "$build_from" "$@"
	mv "$tmp/$build_from.so" "$tmp/$build_what-plain.so"
	build_plugin "$build_from" -DWORKER "$@"
	mv "$tmp/$build_from.so" "$tmp/$build_what.so"
}

# once FILE: loaded, called and closed; the log goes to $log
once() {
	told load other "$tmp/other.so"
	told load f "$tmp/$1.so"
	told log
	log=${answer#ok }
	log=${log#init1-other init2-other }
	told call f answer 1
	tell close f
	closed=$answer
	told log
	log=$log/${answer#ok }
}

# same DESCRIPTION NAME: with the shim, with and without a worker, as it is without the shim
same() {
	same_what=$1
	same_name=$2
	RELIB_TEST_PLAIN=1
	host_start "$tmp/waiter"
	once "$same_name-plain"
	plain=$log
	host_end
	RELIB_TEST_PLAIN=
	diag "$plain"
	for same_kind in -plain ''; do
		host_start "$tmp/waiter"
		once "$same_name$same_kind"
		is "$same_what${same_kind:- with a worker}: dlclose unloads it" "$closed" 'ok 0 gone'
		is "$same_what${same_kind:- with a worker}: all run once and in order" "$log" "$plain"
		once "$same_name$same_kind"
		is "$same_what${same_kind:- with a worker}: and a second time" "$closed $log" "ok 0 gone $plain"
		report "$host_pid" && holds <<-END
			$same_what${same_kind:- with a worker}: the report says which ran early: {g["finalized_early"] for g in generations("$same_name$same_kind.so")} == {$([ "$same_kind" ] && echo False || echo True)}
			$same_what${same_kind:- with a worker}: no unload had to wait: all(g["deferrals"] == 0 and g["state"] == "unloaded" for g in generations("$same_name$same_kind.so"))
			END
		[ "$same_kind" ] || is "$same_what: its threads are over" \
			"$(json "thread_counts('$same_name.so')[2]")" 0
		host_end
		is "$same_what${same_kind:- with a worker}: the host ends well" "$status" 0
	done
}

build relro finals
same 'C, sealed after relocation' relro
build now finals -Wl,-z,now
same 'C, sealed with -z now' now
build open finals -Wl,-z,norelro
same 'C, never sealed' open
build xx finalsxx
same 'C++' xx
build bare finals -DBARE -nostartfiles -Wl,-init=begin -Wl,-fini=end
same 'without start files' bare

build_plugin finals -DNAME='"lib"' -DWORKER
mv "$tmp/finals.so" "$tmp/libfinals.so"
build needs finals -Wl,--no-as-needed -L"$tmp" -lfinals -Wl,-rpath,"$tmp"
host_start "$tmp/waiter"
once needs
is 'a plugin and its dependency, both with workers: dlclose unloads them' "$closed" 'ok 0 gone'
is 'the plugin is finalized before what it needs' "$log" \
	'init1-lib init2-lib init1-f init2-f/worker-f fini2-f atexit2-f atexit1-f fini1-f worker-lib fini2-lib atexit2-lib atexit1-lib fini1-lib'
once needs-plain
is 'only the dependency has a worker: dlclose unloads them' "$closed" 'ok 0 gone'
is 'in the same order' "$log" \
	'init1-lib init2-lib init1-f init2-f/worker-f fini2-f atexit2-f atexit1-f fini1-f worker-lib fini2-lib atexit2-lib atexit1-lib fini1-lib'
host_end
is 'the host ends well' "$status" 0

build closes finals -DCLOSES='"other"'
for kind in closes closes-plain; do
	# the loader itself puts off a dlclose inside of its own
	case $kind in
	closes) words='worker-other fini2-other atexit2-other atexit1-other fini1-other closed fini1-f' ;;
	*) words='closed fini1-f worker-other fini2-other atexit2-other atexit1-other fini1-other' ;;
	esac
	host_start "$tmp/waiter"
	once $kind
	is "$kind: a finalizer that closes another plugin: dlclose unloads it" "$closed" 'ok 0 gone'
	is "$kind: that one's finalizers run too" "$log" \
		"init1-f init2-f/worker-f fini2-f atexit2-f atexit1-f $words"
	asked "$kind: and it is gone too" 'ok gone' mapped other
	host_end
	is "$kind: the host ends well" "$status" 0
done
build opens finals -DOPENS="\"$tmp/needs-plain.so\""
for kind in opens opens-plain; do
	host_start "$tmp/waiter"
	once $kind
	is "$kind: a finalizer that opens another plugin: dlclose unloads it" "$closed" 'ok 0 gone'
	told load again "$tmp/needs-plain.so"
	asked "$kind: what it opened is there" 'ok' log
	told close again
	asked "$kind: and open once" 'ok 0 gone' close again
	host_end
	is "$kind: the host ends well" "$status" 0
done

# the same at the end of the process, where nobody closes anything
host_start "$tmp/waiter"
told load f "$tmp/relro.so"
told load x "$tmp/xx.so"
host_end
is 'open at the end of the process: the host ends well' "$status" 0

RELIB_THREADS=refuse
export RELIB_THREADS
host_start "$tmp/waiter"
once relro
is 'threads=refuse: it is the same' "$closed $log" \
	'ok 0 gone init1-f init2-f/worker-f fini2-f atexit2-f atexit1-f fini1-f'
once xx
is 'threads=refuse: for C++ too' "$closed ${log#*/+local }" 'ok 0 gone -local atexit -second worker -first'
host_end

done_testing
