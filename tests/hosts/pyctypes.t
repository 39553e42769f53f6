#!/bin/sh
# Python opens libraries and closes them three times: the same go as without the shim, and each reason to stay is right.
. "$(dirname "$0")/lib.sh"
python=$(PATH=/usr/bin:/bin command -v python3) || skip_all "there is no python3 of the system's here"
need readelf
"$python" -c 'import ctypes; ctypes.CDLL("libcrypto.so.3"); ctypes.CDLL("libstdc++.so.6")' 2>/dev/null ||
	skip_all "the system's python3 has no ctypes, or libcrypto or libstdc++ are not here"

cat >"$tmp/script.py" <<-'END'
	import _ctypes, ctypes, os
	def mapped():
	    fields = [line.split(None, 5) for line in open("/proc/self/maps")]
	    return {f[5].strip() for f in fields if len(f) == 6 and ".so" in f[5]}
	before = mapped()
	for i in range(3):
	    for name in ("sqlite3.so.0", "curl.so.4", "xml2.so.2", "asound.so.2", "ssl.so.3", "crypto.so.3",
	                 "stdc++.so.6", "gomp.so.1", "glib-2.0.so.0", "gnutls.so.30", "pam.so.0", "odbc.so.2"):
	        try:
	            handle = ctypes.CDLL("lib" + name)._handle
	        except OSError:
	            continue
	        _ctypes.dlclose(handle)
	# guarded addresses of what went have no name
	print("\n".join(sorted(mapped() - before)))
	END
same_host 'three rounds' "$python" "$tmp/script.py"
# shellcheck disable=SC2013
for file in $(cat "$tmp/plain.out"); do
	readelf -d "$file" | grep -q NODELETE && basename "$(readlink -f "$file")"
done | sort >"$tmp/nodelete"
report && holds <<-END
	libraries go three times: sum(len(m["generations"]) == 3 and all(g["state"] == "unloaded" for g in m["generations"]) for m in modules) >= 1
	what has a reason is loaded, and the other way round: {os.path.basename(m["path"]) for m in modules for g in m["generations"] if g["state"] == "loaded" and g["closes"]} == {os.path.basename(m["path"]) for m in modules for g in m["generations"] if stays(m["path"], g["number"]) and g["closes"]}
	what is linked so stays for that: {os.path.basename(m["path"]) for m in modules if "nodelete-file" in stays(m["path"], 1)} <= set(open("$tmp/nodelete").read().split())
	libcrypto among them: stays("libcrypto.so.3", 1) == ["nodelete-file"]
	libstdc++ for a unique symbol: [stays(m["path"], 1) for m in modules if "libstdc++" in m["path"]] == [["unique-symbol"]]
	no reason is unknown: not [m["path"] for m in modules for g in m["generations"] for s in g["stays"] if s["kind"] == "unknown"]
	nothing is deferred: not [m["path"] for m in modules for g in m["generations"] if g["threads"]]
	END
gone_or_explained
done_testing
