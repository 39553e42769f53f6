#!/bin/sh
# What a plugin changed of the environment, locale, umask and working directory, and the libraries that it left open, is told at its unload.
. "$(dirname "$0")/lib.sh"

build_host stateful
build_plugin state
build_plugin statexx
build_plugin leaks
mv "$tmp/leaks.so" "$tmp/opened.so"
printf 'extern int nowhere(void); int broken(void) { return nowhere(); }\n' |
	$CC -shared -fPIC -o "$tmp/broken.so" -x c - || bail_out 'broken.so'
mkdir "$tmp/a" "$tmp/b" "$tmp/c"

# does WHAT COMMANDS: a host obeys; each line of its answers but "ok" is in $said.
does() {
	what=$1
	rm -rf "$RELIB_DIR"/*
	(cd "$tmp/a" && umask 022 && with_shim "$tmp/stateful") >"$tmp/said" 2>"$tmp/errors" <<-END
		$2
	END
	is "$what: the host ends well" "$? $(cat "$tmp/errors")" '0 '
	said=$(grep -vx ok "$tmp/said")
	report
}

# balance_is KIND ACQUIRED GIVEN_BACK LEFT TAKEN_BACK LATER; LEFTOVERS as Python
balance_is() {
	holds <<-END
		$what: the balance: balance("$1", "$module") == ($2, $3, $4, $5, $6)
		$what: what is left: leftovers("$1", "$module") == $7
	END
}
module=state.so
begin="load s $tmp/state.so"
lines() { printf '%s\n' "$@"; }

# --- the environment

does 'setenv' "$(lines "$begin" 'do s do_setenv secret-value' 'unload s' show)"
balance_is environment 1 0 1 0 0 '[("left", "STATE_VARIABLE")]'
is 'setenv: nothing is changed back' "${said%% *}" secret-value
[ -n "$RELIB_TEST_PLAIN" ] ||
	is 'setenv: its value is not recorded' "$(grep -c secret-value "$RELIB_DIR"/*/session)" 0
holds <<-END
	setenv: the place is known: balance("environment", "state.so", None, "do_setenv")[0] == 1
END
does 'setenv, and the host after it' \
	"$(lines "$begin" 'do s do_setenv 1' 'setenv 2' 'unload s')"
balance_is environment 1 1 0 0 0 '[]'
does 'setenv, and the host after the unload' \
	"$(lines "$begin" 'do s do_setenv 1' 'unload s' unsetenv)"
balance_is environment 1 0 1 0 1 '[("given-back", "STATE_VARIABLE")]'
does 'setenv, and back' \
	"$(lines "$begin" 'setenv 1' 'do s do_setenv 2' 'do s do_setenv 3' 'do s do_setenv 1' 'unload s')"
balance_is environment 1 1 0 0 0 '[]'
does 'setenv that changes nothing' \
	"$(lines "$begin" 'setenv 1' 'do s do_setenv 1' 'do s do_setenv_mild 2' 'unload s')"
balance_is environment 0 0 0 0 0 '[]'
does 'setenv, and threads of the host at once' \
	"$(lines "$begin" 'do s do_setenv 1' threads 'unload s')"
balance_is environment 1 0 1 0 0 '[("left", "STATE_VARIABLE")]'
does 'unsetenv' "$(lines "$begin" 'setenv 1' 'do s do_setenv' 'unload s')"
balance_is environment 1 0 1 0 0 '[("left", "STATE_VARIABLE")]'
does 'putenv' "$(lines "$begin" 'do s do_putenv 1' 'unload s' show)"
balance_is environment 1 0 1 0 0 '[("left", "STATE_VARIABLE")]'
is 'putenv: the string is still there' "${said%% *}" 1
does 'putenv that takes away' "$(lines "$begin" 'setenv 1' 'do s do_putenv_away' 'unload s')"
balance_is environment 1 0 1 0 0 '[("left", "STATE_VARIABLE")]'
does 'clearenv' "$(lines "$begin" 'setenv 1' 'do s do_clearenv' 'unload s')"
holds <<-END
	clearenv: each variable is told: ("left", "STATE_VARIABLE") in leftovers("environment", "state.so") and ("left", "PATH") in leftovers("environment", "state.so")
END

# --- the locale

does 'setlocale' "$(lines "$begin" 'do s do_setlocale C.UTF-8' 'unload s' show)"
balance_is locale 1 0 1 0 0 '[("left", "LC_ALL: C -> C.UTF-8")]'
is 'setlocale: nothing is changed back' "${said##* }" C.UTF-8
does 'setlocale of one category' "$(lines "$begin" 'do s do_setlocale_numeric C.UTF-8' 'unload s')"
balance_is locale 1 0 1 0 0 '[("left", "LC_NUMERIC: C -> C.UTF-8")]'
does 'setlocale, and the host undoes a part' \
	"$(lines "$begin" 'do s do_setlocale C.UTF-8' 'locale 1 C' 'unload s')"
balance_is locale 1 0 1 0 0 '[("left", "LC_ALL: C -> C.UTF-8")]'
does 'setlocale, and the host undoes it' \
	"$(lines "$begin" 'do s do_setlocale C.UTF-8' 'locale 6 C' 'unload s')"
balance_is locale 1 1 0 0 0 '[]'
does 'setlocale, and back' \
	"$(lines "$begin" 'do s do_setlocale C.UTF-8' 'do s do_setlocale C' 'unload s')"
balance_is locale 1 1 0 0 0 '[]'
does 'setlocale that fails' "$(lines "$begin" 'do s do_setlocale nonsense' 'unload s')"
balance_is locale 0 0 0 0 0 '[]'

# --- umask and working directory

does 'umask' "$(lines "$begin" 'do s do_umask 027' 'do s do_umask 077' 'unload s' show)"
balance_is umask 1 0 1 0 0 '[("left", "022 -> 077")]'
is 'umask: nothing is changed back' "$(echo "$said" | cut -d' ' -f2)" 077
does 'umask, and back' "$(lines "$begin" 'do s do_umask 077' 'do s do_umask 022' 'unload s')"
balance_is umask 1 1 0 0 0 '[]'
does 'umask, and the host after it' "$(lines "$begin" 'do s do_umask 077' 'umask 002' 'unload s')"
balance_is umask 1 1 0 0 0 '[]'
does 'umask, and the host after the unload' \
	"$(lines "$begin" 'do s do_umask 077' 'unload s' 'umask 022')"
balance_is umask 1 0 1 0 1 '[("given-back", "022 -> 077")]'

does 'chdir' "$(lines "$begin" "do s do_chdir $tmp/c" "do s do_chdir $tmp/b" 'unload s')"
balance_is working-directory 1 0 1 0 0 "[('left', '$tmp/a -> $tmp/b')]"
does 'fchdir' "$(lines "$begin" "do s do_fchdir $tmp/b" 'unload s')"
balance_is working-directory 1 0 1 0 0 "[('left', '$tmp/a -> $tmp/b')]"
does 'chdir, and back' "$(lines "$begin" "do s do_chdir $tmp/b" "do s do_fchdir $tmp/a" 'unload s')"
balance_is working-directory 1 1 0 0 0 '[]'
does 'chdir, and the host after it' \
	"$(lines "$begin" "do s do_chdir $tmp/b" "chdir $tmp/c" 'unload s')"
balance_is working-directory 1 1 0 0 0 '[]'
does 'the host alone' "$(lines "$begin" "chdir $tmp/b" 'umask 077' 'setenv 1' 'locale 6 C.UTF-8' 'unload s')"
holds <<-END
	the host alone: no change of its is a plugin's: [g["balances"] for g in generations("state.so")] == [[]]
END

# --- libraries

does 'dlopen' "$(lines "$begin" "do s do_dlopen $tmp/opened.so" 'unload s')"
balance_is handle 1 0 1 0 0 "[('left', '$tmp/opened.so')]"
does 'dlopen twice' "$(lines "$begin" "do s do_dlopen $tmp/opened.so" "do s do_dlopen $tmp/opened.so" \
	'do s do_dlclose' 'unload s')"
balance_is handle 2 1 1 0 0 "[('left', '$tmp/opened.so')]"
does 'dlopen, and dlclose' \
	"$(lines "$begin" "do s do_dlopen $tmp/opened.so" 'do s do_dlclose' 'unload s')"
balance_is handle 1 1 0 0 0 '[]'
does 'dlopen, and the host closes it later' \
	"$(lines "$begin" "do s do_dlopen $tmp/opened.so" 'unload s' "close $tmp/opened.so")"
balance_is handle 1 0 1 0 1 "[('given-back', '$tmp/opened.so')]"
does 'dlopen, and the host closes its own' "$(lines "load o $tmp/opened.so" "$begin" \
	"do s do_dlopen $tmp/opened.so" 'unload s' "load p $tmp/opened.so" "close $tmp/opened.so")"
balance_is handle 1 0 1 0 0 "[('left', '$tmp/opened.so')]"
does 'dlopen of what is there from the start' \
	"$(lines "$begin" 'do s do_dlopen libc.so.6' 'unload s')"
holds <<-END
	dlopen of what is there from the start: [os.path.basename(t) for s, t in leftovers("handle", "state.so")] == ["libc.so.6"]
END
does 'dlopen that fails' "$(lines "$begin" "do s do_dlopen $tmp/missing.so" \
	"do s do_dlopen $tmp/broken.so" "do s do_dlopen_noload $tmp/opened.so" 'do s do_dlopen' 'unload s')"
balance_is handle 0 0 0 0 0 '[]'
does 'RTLD_NOLOAD' "$(lines "load o $tmp/opened.so" "$begin" "do s do_dlopen_noload $tmp/opened.so" \
	'do s do_dlclose' 'unload s')"
balance_is handle 1 1 0 0 0 '[]'

# --- C++

module=statexx.so
begin="load s $tmp/statexx.so"
does 'C++' "$(lines "$begin" 'do s do_setenv 1' "do s do_chdir $tmp/b" 'do s do_setlocale C.UTF-8' 'unload s')"
balance_is environment 1 0 1 0 0 '[("left", "STATE_VARIABLE")]'
balance_is working-directory 1 0 1 0 0 "[('left', '$tmp/a -> $tmp/b')]"
balance_is locale 1 0 1 0 0 '[("left", "LC_ALL: C -> C.UTF-8")]'

done_testing
