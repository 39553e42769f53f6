#!/bin/sh
# gdk-pixbuf asks each of its loaders what it reads and drops it: 86 objects go, and a library of librsvg's leaves six blocks.
. "$(dirname "$0")/lib.sh"
query=$(find /usr/lib -name gdk-pixbuf-query-loaders -type f 2>/dev/null | head -n 1)
[ -n "$query" ] || skip_all 'there is no gdk-pixbuf-query-loaders here'
find "$(dirname "$query")" -name libpixbufloader-svg.so | grep -q . ||
	skip_all "librsvg's loader is not here"

same_host 'all loaders' "$query"
report && holds <<-END
	loaders go: {g["state"] for m in modules if "/loaders/" in m["path"] for g in m["generations"]} == {"unloaded"}
	so does all that they brought: {g["state"] for m in modules for g in m["generations"]} == {"unloaded"}
	which is a lot: sum(len(m["generations"]) for m in modules) > 60
	libraries come again with the next loader: max(len(m["generations"]) for m in modules) > 5
	libpixman alone leaves anything: [n[:10] for n in leavers()] == ["libpixman-"]
	six blocks: totals["leaked"][0] == 6
	it is a dependency of the svg loader: brought_by(leavers()[0])[-1] == "libpixbufloader-svg.so"
	by way of librsvg: [n for n in brought_by(leavers()[0]) if n.startswith("librsvg")]
	nothing is kept: totals["kept"] == (0, 0)
	all of it is freed: totals["reclaimed"] == totals["leaked"]
	END
gone_or_explained
done_testing
