#!/bin/sh
# bash enables and drops its loadable builtins five times: clean, and one that is not there leaves no session.
. "$(dirname "$0")/lib.sh"
need bash
[ -f /usr/lib/bash/realpath ] || skip_all "bash's loadable builtins are not here"

echo 'enable -f /nonexistent/builtin x; echo $?' >"$tmp/none.sh"
same_host 'a builtin that is not there' bash "$tmp/none.sh"
is 'a builtin that is not there: no session' "$(find "$RELIB_DIR" -type f | wc -l)" 0

cat >"$tmp/script.sh" <<-'END'
	for round in 1 2 3 4 5; do
		for builtin in basename csv cut dirname id realpath sleep stat; do
			enable -f /usr/lib/bash/$builtin $builtin 2>/dev/null || continue
			case $builtin in
			csv) csv array "a,b,c" ;;
			realpath | dirname | basename) $builtin /etc/. ;;
			id) id ;;
			stat) stat -A array /etc ;;
			esac
			enable -d $builtin
		done
	done
	echo ok
	END
same_host 'five rounds' bash "$tmp/script.sh"
report && holds <<-END
	the builtins go five times: [g["state"] for g in generations("realpath")] == ["unloaded"] * 5
	nothing is leaked: totals["leaked"] == (0, 0)
	nothing is kept: totals["kept"] == (0, 0)
	nothing is freed: totals["reclaimed"] == (0, 0)
	END
gone_or_explained
done_testing
