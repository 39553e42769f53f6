#!/bin/sh
# Each function that opens a descriptor is seen, each that closes one too; what a plugin leaves is told by number, kind and place.
. "$(dirname "$0")/lib.sh"

build_host host
mkdir "$tmp/folder"
DESCRIPTORS_FOLDER=$tmp/folder
export DESCRIPTORS_FOLDER
liburing=
echo '#include <liburing.h>' | $CC -E -xc - >/dev/null 2>&1 && liburing='-DWITH_LIBURING -luring'
# shellcheck disable=SC2086
build_plugin descriptors $liburing
build_plugin descriptorsxx

# What may be forbidden here, or not be known to the kernel.
may_be_missing='open_by_handle_at fanotify_init pidfd_open pidfd_getfd syscall_memfd_secret
	syscall_io_uring_setup syscall_perf_event_open syscall_userfaultfd syscall_bpf_map
	io_uring_queue_init io_uring_queue_init_params socket_udp6 accept_6'

# function, how many are left, and what each of them is (a regular expression)
cat >"$tmp/table" <<-END
	open 1 /dev/null
	open64 1 $tmp/folder/made
	__open 1 /dev/null
	__open64 1 /dev/null
	__open_2 1 /dev/null
	__open64_2 1 /dev/null
	openat 1 $tmp/folder/made at
	openat64 1 /dev/null
	__openat_2 1 /dev/null
	__openat64_2 1 /dev/null
	folder 1 /proc
	unnamed 1 $tmp/folder/#[0-9]+ \(deleted\)
	creat 1 $tmp/folder/created
	creat64 1 $tmp/folder/created64
	deleted 1 $tmp/folder/deleted \(deleted\)
	posix_openpt 1 /dev/(pts/)?ptmx
	getpt 1 /dev/(pts/)?ptmx
	openpty 2 /dev/(pts/ptmx|ptmx|pts/[0-9]+)
	open_by_handle_at 1 $tmp/folder
	dup 1 $tmp/from-host
	dup2 1 $tmp/from-host
	__dup2 1 $tmp/from-host
	dup3 1 $tmp/from-host
	fcntl 1 $tmp/from-host
	fcntl_cloexec 1 $tmp/from-host
	fcntl64 1 $tmp/from-host
	__fcntl 1 $tmp/from-host
	pipe 2 pipe:\[[0-9]+\]
	__pipe 2 pipe:\[[0-9]+\]
	pipe2 2 pipe:\[[0-9]+\]
	socket 1 tcp 0.0.0.0:0
	socket_udp6 1 udp \[::\]:0
	socket_netlink 1 netlink protocol 0
	socket_unix 1 unix unnamed
	socketpair 2 unix unnamed
	path_socket 1 unix $tmp/folder/socket listening
	abstract_socket 1 unix @descriptors [0-9]+ listening
	listener 1 tcp 127.0.0.1:[1-9][0-9]* listening
	accept 1 tcp 127.0.0.1:[1-9][0-9]*( -> 127.0.0.1:[1-9][0-9]*)?
	accept4 1 tcp 127.0.0.1:[1-9][0-9]*( -> 127.0.0.1:[1-9][0-9]*)?
	accept_6 1 tcp \[::1\]:[1-9][0-9]*( -> \[::1\]:[1-9][0-9]*)?
	recvmsg 1 $tmp/from-host
	recvmsg_three 3 $tmp/from-host
	recvmmsg 1 $tmp/from-host
	eventfd 1 eventfd
	timerfd_create 1 timerfd
	signalfd 1 signalfd
	signalfd_twice 1 signalfd
	epoll_create 1 epoll
	epoll_create1 1 epoll
	inotify_init 1 inotify
	inotify_init1 1 inotify
	fanotify_init 1 fanotify
	memfd_create 1 memfd a name
	pidfd_open 1 pidfd
	pidfd_getfd 1 $tmp/from-host
	syscall_memfd_secret 1 memfd_secret
	syscall_recvmsg 2 $tmp/from-host
	syscall_open 1 /dev/null
	syscall_openat 1 /dev/null
	syscall_openat2 1 /dev/null
	syscall_memfd_create 1 memfd raw
	syscall_socket 1 unix unnamed
	syscall_socketpair 2 unix unnamed
	syscall_pipe2 2 pipe:\[[0-9]+\]
	syscall_accept4 1 tcp 127.0.0.1:.*
	syscall_eventfd2 1 eventfd
	syscall_epoll_create1 1 epoll
	syscall_pidfd_open 1 pidfd
	syscall_dup 1 $tmp/from-host
	syscall_dup3 1 $tmp/from-host
	syscall_fcntl 1 $tmp/from-host
	syscall_userfaultfd 1 userfaultfd
	syscall_io_uring_setup 1 io_uring
	syscall_perf_event_open 1 perf_event
	syscall_bpf_map 1 bpf-map
	END
if [ -n "$liburing" ]; then
	echo 'io_uring_queue_init 1 io_uring' >>"$tmp/table"
	echo 'io_uring_queue_init_params 1 io_uring' >>"$tmp/table"
else
	skip 'rings of liburing' 'there is no liburing here'
fi

host_start "$tmp/host"
told "load p $tmp/descriptors.so"
: >"$tmp/questions"
while read -r function count text; do
	tell "call p leave_$function"
	case "$answer $may_be_missing " in
	'ok -'*[[:space:]]"$function"[[:space:]]*) skip "$function" "it cannot be used here: $answer" ;;
	'ok -'*) fail "$function succeeds: $answer" ;;
	*)
		cat >>"$tmp/questions" <<-END
			$function is seen and left: balance("descriptor", "descriptors.so", function="leave_$function")[2] == $count
			$function is told: [bool(re.fullmatch(r"$text", t or "")) for t in left_by("leave_$function", "descriptors.so")] == [True] * $count
			END
		;;
	esac
done <"$tmp/table"
told "unload p"
host_end
is 'the host ends well' "$status" 0
report && holds <"$tmp/questions"
report && holds <<-END
	what was opened on the way is given back: all(a == g + l for a, g, l, t, s in [balance("descriptor", "descriptors.so")])
	the function and line are told: {os.path.basename(frame_of(p, "leave_dup")["file"]) for p in places("leave_dup", "descriptors.so")} == {"descriptors.c"}
	the numbers are told: len({l["number"] for g in generations("descriptors.so") for l in g["leftovers"]}) == balance("descriptor", "descriptors.so")[2]
	END

# --- each way to end one -----------------------------------------------
host_start "$tmp/host"
told "load p $tmp/descriptors.so"
asked 'modes of files that are made reach them' 'ok 416416' 'call p modes'
: >"$tmp/questions"
for function in close __close syscall_close close_range syscall_close_range closefrom; do
	case $function in
	*close_range | closefrom) may_fail=1 ;;
	*) may_fail= ;;
	esac
	tell "call p end_$function 1"
	if [ -n "$may_fail" ] && [ "$answer" = 'ok -38' ]; then
		skip "$function" 'the kernel does not have it'
		continue
	fi
	is "$function succeeds" "$answer" 'ok 1'
	echo "$function ends all: balance('descriptor', 'descriptors.so', function='end_$function')[1:3] == (128, 0)" >>"$tmp/questions"
done
for function in close_range_cloexec close_range_wrong close_range_backwards dup2_same dup2_wrong \
		dup3_same dup3_wrong; do
	told "call p end_none_$function"
	echo "$function ends none: balance('descriptor', 'descriptors.so', function='end_none_$function')[:3] == (1, 0, 1)" >>"$tmp/questions"
done
for function in dup2 __dup2 dup3 syscall_dup3; do
	told "call p over_$function"
	echo "$function over another ends that: balance('descriptor', 'descriptors.so', function='over_$function')[:3] == (3, 1, 2)" >>"$tmp/questions"
done
if [ -n "$liburing" ]; then
	tell "call p end_io_uring_queue_exit"
	case $answer in
	'ok 0') echo "io_uring_queue_exit ends one: balance('descriptor', 'descriptors.so', function='end_io_uring_queue_exit')[:3] == (1, 1, 0)" >>"$tmp/questions" ;;
	*) skip io_uring_queue_exit "rings cannot be made here: $answer" ;;
	esac
fi
told "unload p"
host_end
report && holds <"$tmp/questions"

# --- C++ -----------------------------------------------------------------
host_start "$tmp/host"
told "load p $tmp/descriptorsxx.so"
for function in leave_random_device leave_lambda return_thrown return_copy leave_unique; do
	told "call p $function"
done
told "unload p"
host_end
report && holds <<-END
	C++: what a static object leaves is the plugin's: left_by("neglected", "descriptorsxx.so") == ["/dev/full"]
	C++: what a destructor closes in the finalizers is given back: balance("descriptor", "descriptorsxx.so", function="constructed")[:3] == (1, 1, 0)
	C++: what the library opens for the plugin is the plugin's: left_by("leave_random_device", "descriptorsxx.so") in (["/dev/urandom"], [])
	C++: what a lambda opens: left_by("leave_lambda", "descriptorsxx.so") == ["eventfd"]
	C++: what a smart pointer kept: left_by("leave_unique", "descriptorsxx.so") == ["/dev/null"]
	C++: what is closed as the stack is unwound is given back: balance("descriptor", "descriptorsxx.so", function="return_thrown")[:3] == (1, 1, 0)
	C++: a copied file leaves nothing: balance("descriptor", "descriptorsxx.so", function="return_copy")[2] == 0
	END

done_testing
