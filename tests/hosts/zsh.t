#!/bin/sh
# zsh loads and drops its own modules five times: clean.
. "$(dirname "$0")/lib.sh"
need zsh
cat >"$tmp/script.zsh" <<-'END'
	for round in 1 2 3 4 5; do
		for module in attr datetime example files langinfo mapfile mathfunc net/tcp \
				regex sched stat system termcap zftp zprof zselect zutil; do
			zmodload zsh/$module || continue
			[[ $module == regex ]] && [[ abc -regex-match b ]]
			[[ $module == stat ]] && zstat -H status_of /etc
			[[ $module == zutil ]] && zstyle ':x:*' k v
			zmodload -u zsh/$module
		done
	done
	print ok
	END
TERM=dumb
export TERM
same_host 'five rounds' zsh -f "$tmp/script.zsh"
report && holds <<-END
	the modules go five times: generations("stat.so")[-1]["number"] == 5 and generations("stat.so")[-1]["state"] == "unloaded"
	nothing is leaked: totals["leaked"] == (0, 0)
	nothing is kept: totals["kept"] == (0, 0)
	nothing is freed: totals["reclaimed"] == (0, 0)
	END
gone_or_explained
done_testing
