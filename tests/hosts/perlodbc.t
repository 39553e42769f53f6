#!/bin/sh
# One perl connects twenty times through ODBC: what libodbcinst leaves each time is leaked, and freed.
. "$(dirname "$0")/lib.sh"
need perl
driver=$(find /usr/lib -name libsqlite3odbc.so 2>/dev/null | head -n 1)
[ -n "$driver" ] || skip_all 'there is no libsqlite3odbc.so here'
perl -MDBI -MDBD::ODBC -e 1 2>/dev/null || skip_all 'there is no DBD::ODBC here'

# the driver's and the files' names are in the residue: its bytes depend on their lengths
ODBCSYSINI=$tmp
ODBCINI=$tmp/odbc.ini
export ODBCSYSINI ODBCINI
printf '[t]\nDriver=%s\nDatabase=:memory:\n' "$driver" >"$ODBCINI"
cat >"$tmp/script.pl" <<-'END'
	use DBI;
	for (1 .. 20) {
		my $handle = DBI->connect("dbi:ODBC:t", "", "", { RaiseError => 1 });
		my ($sum) = $handle->selectrow_array("select 41+1");
		$handle->disconnect;
		print "$sum\n";
	}
	END
same_host 'twenty connections' perl "$tmp/script.pl"
report && holds <<-END
	libodbcinst goes twenty times: [g["state"] for g in generations("libodbcinst.so.2.0.0")] == ["unloaded"] * 20
	each leaves 90 blocks: {g["leaked"]["blocks"] for g in generations("libodbcinst.so.2.0.0")} == {90}
	each leaves the same bytes: len({g["leaked"]["bytes"] for g in generations("libodbcinst.so.2.0.0")}) == 1
	nothing else is leaked: totals["leaked"][0] == 1800
	nothing is kept: totals["kept"] == (0, 0)
	all of it is freed: totals["reclaimed"] == totals["leaked"]
	END
gone_or_explained
done_testing
