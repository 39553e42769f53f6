#!/bin/sh
# slapcat loads overlays with libltdl, and SASL's plugins twice each: all go, the count was named, nothing of the host's is freed.
. "$(dirname "$0")/lib.sh"
PATH=$PATH:/usr/sbin
need slapcat slapadd
[ -f /etc/ldap/schema/core.schema ] && [ -f /usr/lib/ldap/back_mdb.so ] ||
	skip_all "slapd's modules are not here"

mkdir "$tmp/db"
{
	echo 'modulepath /usr/lib/ldap'
	for module in back_mdb back_ldap back_relay back_null accesslog auditlog dynlist memberof ppolicy \
			refint syncprov unique valsort rwm constraint dds deref pcache; do
		echo "moduleload $module"
	done
	printf 'include /etc/ldap/schema/core.schema\ndatabase mdb\nsuffix dc=x\n'
	printf 'directory %s\noverlay syncprov\noverlay memberof\n' "$tmp/db"
} >"$tmp/conf"
printf 'dn: dc=x\nobjectClass: dcObject\nobjectClass: organization\no: x\ndc: x\n' >"$tmp/ldif"
slapadd -f "$tmp/conf" -l "$tmp/ldif" >"$tmp/add.out" 2>&1 || skip_all 'slapadd cannot make a database here'
same_host 'slapcat' slapcat -f "$tmp/conf"
report && holds <<-END
	the overlays go: {g["state"] for m in modules if "/ldap/" in m["path"] for g in m["generations"]} == {"unloaded"}
	all modules but NODELETE ones go: {g["state"] for m in modules if "nodelete" not in str(m) for g in m["generations"] if g["closes"]} == {"unloaded"}
	SASL's plugins were open once more, from two places: {tuple(s["kind"] for s in g["stays"]) for m in modules if "/sasl2/" in m["path"] for g in m["generations"]} <= {("open", "opened-from", "opened-from")}
	nothing is leaked: totals["leaked"] == (0, 0)
	nothing is kept: totals["kept"] == (0, 0)
	nothing is freed: totals["reclaimed"] == (0, 0)
	END
gone_or_explained
done_testing
