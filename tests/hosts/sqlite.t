#!/bin/sh
# sqlite3 loads spatialite and its 27 libraries and drops them again, four times: clean.
. "$(dirname "$0")/lib.sh"
need sqlite3
sqlite3 :memory: '.load mod_spatialite' 2>/dev/null || skip_all 'there is no spatialite here'

cat >"$tmp/script.sql" <<-END
	.load mod_spatialite
	select astext(st_buffer(makepoint(1, 1), 0.1, 1));
	.open :memory:
	.load mod_spatialite
	select length(astext(makepoint(1, 2)));
	.open :memory:
	.load mod_spatialite
	.open :memory:
	.load mod_spatialite
	.open :memory:
	select 'ok';
	END
same_host 'four loads' sqlite3 -batch -init "$tmp/script.sql" :memory: .quit
report && holds <<-END
	spatialite goes four times: [g["state"] for g in generations("mod_spatialite.so.7.1.0")] == ["unloaded"] * 4
	nothing is leaked: totals["leaked"] == (0, 0)
	nothing is kept: totals["kept"] == (0, 0)
	nothing is freed: totals["reclaimed"] == (0, 0)
	END
gone_or_explained
done_testing
