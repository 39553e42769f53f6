#!/bin/sh
# librelib.so exports every interposed function without a version and nothing else, needs libc only, and stays loaded.
. "$(dirname "$0")/lib.sh"

[ -f "$shim" ] || skip_all 'the shim is not built'

# the C library's
cat >"$tmp/names" <<-END
	malloc
	calloc
	realloc
	reallocarray
	free
	posix_memalign
	aligned_alloc
	memalign
	valloc
	pvalloc
	malloc_usable_size
	free_sized
	free_aligned_sized
	dlopen
	dlmopen
	dlclose
	dlerror
	__cxa_finalize
	__cxa_thread_atexit_impl
	pthread_create
	thrd_create
	clone
	pthread_key_create
	pthread_key_delete
	tss_create
	tss_delete
	timer_create
	timer_delete
	on_exit
	__cxa_at_quick_exit
	__cxa_atexit
	setvbuf
	setbuf
	setbuffer
	openlog
	closelog
	setrlimit
	setrlimit64
	prlimit
	prlimit64
	sigaction
	__sigaction
	signal
	bsd_signal
	ssignal
	sysv_signal
	__sysv_signal
	sigset
	sigignore
	siginterrupt
	END
# operator new and delete, in all forms
for kind in w a; do
	for form in '' RKSt9nothrow_t St11align_val_t St11align_val_tRKSt9nothrow_t; do
		echo "_Zn${kind}m$form"
	done
done >>"$tmp/names"
for kind in l a; do
	for form in '' m RKSt9nothrow_t St11align_val_t mSt11align_val_t St11align_val_tRKSt9nothrow_t; do
		echo "_Zd${kind}Pv$form"
	done
done >>"$tmp/names"

nm -D --defined-only "$shim" | awk '{ print $NF }' | sort >"$tmp/exported"
sort "$tmp/names" >"$tmp/wanted"
is 'every interposed function is exported' "$(comm -13 "$tmp/exported" "$tmp/wanted" | tr '\n' ' ')" ''
is 'nothing else is exported' "$(comm -23 "$tmp/exported" "$tmp/wanted" | grep -v '^relib_' | tr '\n' ' ')" ''
is 'no export has a version, which would keep it from interposing' "$(grep -c @ "$tmp/exported")" 0

readelf -dW "$shim" >"$tmp/dynamic"
is 'it needs libc only' \
	"$(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' "$tmp/dynamic" | grep -v -e '^libc\.so' -e '^ld-linux' | tr '\n' ' ')" ''
ok 'it is never unloaded' grep -q 'FLAGS_1.*NODELETE' "$tmp/dynamic"
is 'it has no text relocations' "$(grep -c TEXTREL "$tmp/dynamic")" 0
is 'its stack is not executable' "$(readelf -lW "$shim" | awk '/GNU_STACK/ { print $7 }')" RW

done_testing
