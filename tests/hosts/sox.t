#!/bin/sh
# sox asks its formats' plugins what they know and drops them, but keeps their functions in its table: each is told as dangling.
. "$(dirname "$0")/lib.sh"
need sox
find /usr/lib -name 'libsox_fmt_mp3.so' 2>/dev/null | grep -q . || skip_all "sox's formats are not here"

same_host 'all formats' sox --help
report && holds <<-END
	the plugins go: {g["state"] for m in modules if "/libsox_fmt_" in m["path"] for g in m["generations"]} == {"unloaded"}
	a lot: len([m for m in modules if "/libsox_fmt_" in m["path"]]) >= 20
	the table in libsox still has a function of each: {(m["path"], len(dangling(m["path"]))) for m in modules if "/libsox_fmt_" in m["path"]} == {(m["path"], 1) for m in modules if "/libsox_fmt_" in m["path"]}
	the library is named: all(text.startswith("libsox.so.3") and "_format_fn in libsox_fmt_" in text for m in modules for text in dangling(m["path"]))
	nothing is leaked: totals["leaked"] == (0, 0)
	nothing is kept: totals["kept"] == (0, 0)
	END
gone_or_explained
done_testing
