#!/bin/sh
# WeeChat reloads all its plugins three times in one process: clean.
. "$(dirname "$0")/lib.sh"
need weechat-headless
weechat-headless -t -r /quit >/dev/null 2>&1 </dev/null || skip_all 'this WeeChat does not run here'

same_host 'three reloads' weechat-headless -t -r '/plugin reload;/plugin reload;/plugin reload' -r /quit
# Two small numbers of the host's side by side can look like an address into a
# plugin, wherever that lies this time; a callback is the beginning of a function.
report && holds <<-END
	each plugin goes four times: {tuple(g["state"] for g in m["generations"]) for m in modules if "/plugins/" in m["path"]} == {("unloaded",) * 4}
	several: len([m for m in modules if "/plugins/" in m["path"]]) >= 5
	nothing is leaked: totals["leaked"] == (0, 0)
	nothing is kept: totals["kept"] == (0, 0)
	no callback dangles: not [d for m in modules for d in dangling(m["path"]) if not re.search(r"-> \S+\+0x", d)]
	END
gone_or_explained
done_testing
