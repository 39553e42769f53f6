#!/bin/sh
# SPDX-License-Identifier: MIT
# What relib check says of plugins before they are loaded is what dlopen and dlclose then do.
. "$(dirname "$0")/lib.sh"

build_host goner
cd "$tmp" || exit 99

# c NAME [FLAG...] < SOURCE and cxx: $tmp/NAME.so
compile() {
	compile_with=$1 compile_name=$2
	shift 2
	cat >"$compile_name.src"
	$compile_with -O1 -g -fPIC -shared -pthread -D_GNU_SOURCE "$compile_name.src" -x none \
		-o "$compile_name.so" "$@" >build.out 2>&1 || return 1
}
c() { compile "$CC -x c" "$@" || bail_out "$1: $(tr '\n' ' ' <build.out)"; }
cxx() { compile "$CXX -x c++" "$@" || bail_out "$1: $(tr '\n' ' ' <build.out)"; }

# query EXPRESSION: over f, the first file of the last check, and kind(K), its finding K
query() {
	python3 -c '
import json, sys
f = json.load(open("check.json"))["files"][0]
def kind(wanted):
    return [x for x in f["findings"] if x["kind"] == wanted][0]
print(eval(sys.argv[1]))' "$1" 2>&1
}

# check NAME [OPTION...]: what relib says: the verdict and the kinds of findings
check() {
	check_name=$1
	shift
	"$relib" check --format=json "$@" "./$check_name.so" >check.json 2>check.err
	echo $? >check.status
	query '" ".join([f["verdict"]] + [x["kind"] for x in f["findings"]])'
}

# truth NAME [HOST]: what the loader does, under the shim
truth() { with_shim "./${2-goner}" "./$1.so" 2>&1 | sed 's/ .*//'; }

# holds_for NAME SAID DONE [OPTION...]: relib says it, the loader does it.
holds_for() {
	holds_name=$1 said=$2 done=$3
	shift 3
	is "$holds_name: $said" "$(check "$holds_name" "$@")" "$said"
	case $said in
	unloads*) is "$holds_name: exit status" "$(cat check.status)" 0 ;;
	esac
	[ "$done" = - ] || is "$holds_name: the loader: $done" "$(truth "$holds_name")" "$done"
}

# --- plugins that go ---------------------------------------------------

c plain <<'END'
int plugin_main(void) { return 0; }
END
c finalizer <<'END'
#include <pthread.h>
static pthread_t thread;
static void *work(void *p) { return p; }
__attribute__((constructor)) static void begin(void) { pthread_create(&thread, 0, work, 0); }
__attribute__((destructor)) static void worker_join(void) { pthread_join(thread, 0); }
END
cxx statics <<'END'
struct S { S(); ~S(); int n; };
S::S() : n(1) {}
S::~S() { n = 0; }
static S s;
END
cxx locals <<'END'
struct S { ~S(); int n; };
S::~S() { n = 0; }
thread_local S my_local;
extern "C" int use(void) { return my_local.n; }
END
c bare -nostartfiles <<'END'
int plugin_main(void) { return 0; }
END
c static-tls -ftls-model=initial-exec <<'END'
__thread int n;
int *plugin_main(void) { return &n; }
END
c forgetful <<'END'
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <syslog.h>
#include <time.h>
static void *work(void *p) { return p; }
static void caught(int n) { (void)n; }
int plugin_main(void)
{
	static char line[] = "A=B";
	pthread_t t;
	pthread_key_t k;
	timer_t m;
	pthread_create(&t, 0, work, 0);
	pthread_key_create(&k, 0);
	signal(SIGUSR1, caught);
	timer_create(CLOCK_REALTIME, 0, &m);
	putenv(line);
	openlog(line, 0, 0);
	return 0;
}
END
is_gone() { holds_for "$1" "unloads${2:+ $2}" gone; }
is_gone plain
is_gone finalizer finalizers
is 'a finalizer has its name' "$(query 'kind("finalizers")["names"]')" "['worker_join']"
is 'finalizers that may join threads are told from others' \
	"$(query '"may join" in kind("finalizers")["consequence"]')" True
is_gone statics static-destructors
is_gone locals thread-locals
is 'a thread-local has its name' "$(query 'kind("thread-locals")["names"]')" "['my_local']"
is_gone bare no-start-files
is_gone static-tls static-tls
is_gone forgetful 'threads-not-joined keys-not-deleted signals timers environment syslog'
cp plain.so stripped.so && strip stripped.so && is_gone stripped
cp finalizer.so nameless.so && strip nameless.so && is_gone nameless finalizers

if compile "$CC -x c" textrel -fno-pic -mcmodel=large -Wl,-z,notext <<'END'
int n;
int *plugin_main(void) { return &n; }
END
then
	is_gone textrel text-relocations
else
	skip 'text relocations' 'the compiler makes none'
fi
c global -Wl,-z,global <<'END'
int plugin_main(void) { return 0; }
END
is_gone global global
c golike <<'END'
__asm__(".section .note.go.buildid,\"a\",@note\n.long 4, 0, 4\n.asciz \"Go\"\n.text\n");
int plugin_main(void) { return 0; }
END
is_gone golike go
c stack -Wl,-z,execstack <<'END'
int plugin_main(void) { return 0; }
END
is 'an executable stack is told' "$(check stack)" 'unloads exec-stack'

# --- plugins that stay -------------------------------------------------

cxx unique <<'END'
template <class T> struct Box { static int count; };
template <class T> int Box<T>::count;
extern "C" int *plugin_main(void) { return &Box<long>::count; }
END
cxx not-unique -fno-gnu-unique <<'END'
template <class T> struct Box { static int count; };
template <class T> int Box<T>::count;
extern "C" int *plugin_main(void) { return &Box<long>::count; }
END
c nodelete -Wl,-z,nodelete <<'END'
int plugin_main(void) { return 0; }
END
c unbound <<'END'
__asm__(".data\n.globl only_one\n.type only_one,@gnu_unique_object\n"
	"only_one: .long 1\n.size only_one,4\n.text\n");
int plugin_main(void) { return 0; }
END
# A library that binds what the plugin defines: the loader finds the plugin's first.
c libbinder <<'END'
__asm__(".data\n.globl only_one\n.type only_one,@gnu_unique_object\n"
	"only_one: .long 1\n.size only_one,4\n.text\n");
extern int only_one;
int *binder(void) { return &only_one; }
END
c bound-below "$tmp/libbinder.so" <<'END'
__asm__(".data\n.globl only_one\n.type only_one,@gnu_unique_object\n"
	"only_one: .long 1\n.size only_one,4\n.text\n");
int *binder(void);
int *plugin_main(void) { return binder(); }
END
c above "$tmp/libbinder.so" <<'END'
int *binder(void);
int *plugin_main(void) { return binder(); }
END
holds_for nodelete 'stays no-delete' stays
is 'a plugin that stays has its exit status' "$(cat check.status)" 1
holds_for unique 'stays unique' stays
is 'a unique symbol has its name' "$(query 'kind("unique")["names"]')" "['Box<long>::count']"
is_gone not-unique
is_gone unbound unique-unbound
holds_for bound-below 'stays unique needed-stays' stays
is_gone above needed-stays
is 'a library that stays has its name' \
	"$(query '[n.split("/")[-1] for n in kind("needed-stays")["names"]]')" "['libbinder.so']"

# The first definition that the loader meets is kept: the host's, or else the plugin's.
cxx shares <<'END'
__asm__(".data\n.globl _ZNSs4_Rep20_S_empty_rep_storageE\n"
	".type _ZNSs4_Rep20_S_empty_rep_storageE,@gnu_unique_object\n"
	"_ZNSs4_Rep20_S_empty_rep_storageE: .zero 32\n"
	".size _ZNSs4_Rep20_S_empty_rep_storageE,32\n.text\n");
#include <new>
extern "C" int _ZNSs4_Rep20_S_empty_rep_storageE;
extern "C" int *plugin_main(void) { return &_ZNSs4_Rep20_S_empty_rep_storageE; }
static void *volatile kept;
struct S { S(); ~S(); };
S::S() { kept = operator new(8); }
S::~S() { operator delete(kept); }
static S s;
END
$CC -D_GNU_SOURCE -o gonerxx "$plugins/goner.c" -ldl -Wl,--no-as-needed -lstdc++
is 'what the C++ runtime defines too depends on the host' "$(check shares)" \
	'unloads unique-runtime static-destructors'
holds_for shares 'stays unique static-destructors' stays --host=./goner
is 'a host that has it first' "$(check shares --host=./gonerxx)" \
	'unloads unique-host static-destructors'
is '... lets the plugin go' "$(truth shares gonerxx)" gone

# --- plugins that cannot be loaded -------------------------------------

c noopen -Wl,-z,nodlopen <<'END'
int plugin_main(void) { return 0; }
END
holds_for noopen 'cannot-load no-open' fails

mkdir sub
printf 'int helper(void) { return 1; }\n' | c libhelper -Wl,-soname,libhelper.so
mv libhelper.so sub/
needs_helper() {
	name=$1
	shift
	c "$name" "$@" "$tmp/sub/libhelper.so" <<-'END'
	int helper(void);
	int plugin_main(void) { return helper(); }
	END
}
needs_helper lost
needs_helper by-runpath -Wl,--enable-new-dtags,-rpath,'$ORIGIN/sub'
needs_helper by-rpath -Wl,--disable-new-dtags,-rpath,'${ORIGIN}/none:${ORIGIN}/sub'
holds_for lost 'cannot-load needed-missing undefined' fails
is 'a library that is missing has its name' \
	"$(query 'kind("needed-missing")["names"]')" "['libhelper.so']"
is 'a folder that is named is searched' "$(check lost -L "$tmp/sub")" unloads
is_gone by-runpath
is_gone by-rpath
mkdir linked && ln -s ../by-runpath.so linked/
holds_for linked/by-runpath 'cannot-load needed-missing undefined' fails
ln -s "$tmp/by-runpath.so" renamed.so
is_gone renamed
LD_LIBRARY_PATH=$tmp/none:$tmp/sub
export LD_LIBRARY_PATH
is_gone lost
unset LD_LIBRARY_PATH

mkdir torn && head -c 3000 sub/libhelper.so >torn/libhelper.so
is 'a library that is damaged' "$(check lost -L torn)" 'cannot-load needed-damaged undefined'
is '... is named' "$(query '"torn/libhelper.so: is truncated" in kind("needed-damaged")["text"]')" \
	True

printf 'V1 { a; };\nV2 { b; };\n' >both.map
printf 'V1 { a; b; };\n' >one.map
printf 'int a(void) { return 1; }\nint b(void) { return 1; }\n' >libversions.c
$CC -shared -fPIC -o libversions.so libversions.c -Wl,--version-script=both.map
c version "$tmp/libversions.so" <<'END'
int b(void);
int plugin_main(void) { return b(); }
END
is_gone version
$CC -shared -fPIC -o libversions.so libversions.c -Wl,--version-script=one.map
holds_for version 'cannot-load version-missing' fails
is 'a version that is missing has its name' "$(query 'kind("version-missing")["names"]')" "['V2']"

# --- what the host supplies --------------------------------------------

c wants <<'END'
int host_calls(void);
__attribute__((weak)) int host_may(void);
int (*plugin_main)(void) = host_calls;
int (*plugin_other)(void) = host_may;
END
printf 'int host_calls(void) { return 1; }\n' >supply.c
$CC -D_GNU_SOURCE -rdynamic -o supplier "$plugins/goner.c" supply.c -ldl
holds_for wants 'unloads undefined undefined-weak' fails
is 'an undefined symbol has its name' "$(query 'kind("undefined")["names"]')" "['host_calls']"
is 'what the host has is not undefined' "$(check wants --host=./supplier)" 'unloads undefined-weak'
is '... and so it is' "$(truth wants supplier)" gone

# --- other languages, other builds -------------------------------------

if [ -n "${RUSTC-}" ]; then
	cat >oxide.rs <<-'END'
	use std::cell::RefCell;
	thread_local! { static WORDS: RefCell<Vec<String>> = RefCell::new(Vec::new()); }
	#[no_mangle]
	pub extern "C" fn plugin_main() -> i32 {
		WORDS.with(|w| w.borrow_mut().push("word".to_string()));
		0
	}
	END
	$RUSTC --edition 2021 --crate-type cdylib -O -o oxide.so oxide.rs >build.out 2>&1 ||
		bail_out "oxide: $(tr '\n' ' ' <build.out)"
	said=$(check oxide)
	case $said in
	'unloads '*thread-locals*) pass 'Rust: a thread-local with a destructor is told' ;;
	*) fail 'Rust: a thread-local with a destructor is told'
	   diag "got: $said" ;;
	esac
	is 'Rust: the loader' "$(truth oxide)" gone
else
	skip 'Rust' 'there is no rustc'
fi
if compile "$CC -x c" sanitized -fsanitize=address <<'END'
int plugin_main(int *p) { return *p; }
END
then
	case $(check sanitized) in
	'unloads'*' sanitizer'*) pass 'AddressSanitizer is told' ;;
	*) fail 'AddressSanitizer is told' ;;
	esac
else
	skip 'AddressSanitizer is told' 'the compiler has none'
fi

# --- several at once ---------------------------------------------------

"$relib" check ./plain.so ./nodelete.so ./noopen.so >several.txt 2>&1
is 'the weightiest verdict is the exit status' $? 1
is 'several files are summed up' "$(tail -n 1 several.txt)" \
	'relib: 3 files: 1 will unload, 1 will not, 1 cannot be loaded'
is 'text has no colours in a file' "$(grep -c "$(printf '\033')" several.txt)" 0
"$relib" check ./plain.so ./nothing.so ./nodelete.so >several.txt 2>several.err
is 'a file that cannot be read is the exit status' $? 2
is '... and has its line' "$(cat several.err)" 'relib: ./nothing.so: no such file'
is '... and the others are checked' "$(grep -c unload several.txt)" 4

"$relib" check --color=always ./plain.so >several.txt
is 'colours when they are asked for' "$(grep -c "$(printf '\033')" several.txt)" 1
is 'every kind of finding is documented' "$(cat "$top_srcdir"/cli/check-*.c | tr '\n\t' '  ' |
	grep -o 'WEIGHT_[A-Z_]*, *"[a-z-]*"' | sed 's/.*"\(.*\)"/\1/' | sort -u |
	while read -r kind; do
		grep -qF '`'"$kind"'`' "$top_srcdir/docs/json.md" || echo "$kind"
	done)" ''

# --- plugins of the distribution ---------------------------------------

found=
for file in /usr/lib/*/gconv/UTF-*.so /usr/lib/*/security/pam_*.so /usr/lib/*/engines-3/*.so \
	/usr/lib/*/ossl-modules/*.so /usr/lib/*/sasl2/*.so /usr/lib/*/alsa-lib/*.so \
	/usr/lib/*/perl/*/auto/*/*.so /usr/lib/python3*/lib-dynload/*.so; do
	[ -f "$file" ] && found="$found $file"
done
if [ -n "$found" ]; then
	# shellcheck disable=SC2086
	"$relib" check --format=json $found >check.json
	python3 -c '
import json
for f in json.load(open("check.json"))["files"]:
    kinds = [x["kind"] for x in f["findings"]]
    done = {"unloads": "gone", "stays": "stays"}.get(f["verdict"], "fails")
    print("fails" if "undefined" in kinds else done, f["path"])' >said.txt
	while read -r _ path; do
		with_shim ./goner "$path" 2>&1 | sed 's/:.*//'
	done <said.txt >done.txt
	same_file "the loader does as said with $(wc -l <said.txt) plugins of the distribution" \
		done.txt said.txt
else
	skip 'plugins of the distribution' 'there are none'
fi

done_testing
