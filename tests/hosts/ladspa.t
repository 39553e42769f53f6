#!/bin/sh
# listplugins of LADSPA loads a hundred plugins one after the other and drops each: clean.
. "$(dirname "$0")/lib.sh"
need listplugins
[ -f /usr/lib/ladspa/amp_1181.so ] || skip_all "the plugins of swh-plugins are not here"

LADSPA_PATH=/usr/lib/ladspa
export LADSPA_PATH
same_host 'all plugins' listplugins
report && holds <<-END
	the plugins go: {g["state"] for m in modules if "/ladspa/" in m["path"] for g in m["generations"]} == {"unloaded"}
	a lot: len([m for m in modules if "/ladspa/" in m["path"]]) >= 90
	nothing is leaked: totals["leaked"] == (0, 0)
	nothing is kept: totals["kept"] == (0, 0)
	nothing dangles: not [d for m in modules for d in dangling(m["path"])]
	END
gone_or_explained
done_testing
