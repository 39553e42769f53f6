#!/bin/sh
# WeeChat reloads all its plugins three times in one process: clean.
. "$(dirname "$0")/lib.sh"
need weechat-headless
weechat-headless -t -r /quit >/dev/null 2>&1 </dev/null || skip_all 'this WeeChat does not run here'

same_host 'three reloads' weechat-headless -t -r '/plugin reload;/plugin reload;/plugin reload' -r /quit
report && holds <<-END
	each plugin goes four times: {tuple(g["state"] for g in m["generations"]) for m in modules if "/plugins/" in m["path"]} == {("unloaded",) * 4}
	several: len([m for m in modules if "/plugins/" in m["path"]]) >= 5
	nothing is leaked: totals["leaked"] == (0, 0)
	nothing is kept: totals["kept"] == (0, 0)
	nothing dangles: not [d for m in modules for d in dangling(m["path"])]
	END
gone_or_explained
done_testing
