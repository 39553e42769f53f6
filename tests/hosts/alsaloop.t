#!/bin/sh
# PCM plugins of ALSA, opened twenty times: upmix and vdownmix leave one block each time.
. "$(dirname "$0")/lib.sh"
ls /usr/lib/*/alsa-lib/libasound_module_pcm_vdownmix.so >/dev/null 2>&1 ||
	skip_all 'there are no plugins of ALSA here'
python=$(PATH=/usr/bin:/bin command -v python3) || skip_all "there is no python3 of the system's here"
"$python" -c 'import ctypes; ctypes.CDLL("libasound.so.2")' 2>/dev/null ||
	skip_all "the system's python3 has no ctypes or there is no libasound here"

ALSA_CONFIG_PATH=$tmp/alsa.conf
export ALSA_CONFIG_PATH
cat >"$ALSA_CONFIG_PATH" <<-END
	</usr/share/alsa/alsa.conf>
	pcm.n { type null }
	pcm.u { type upmix slave.pcm n channels 6 }
	pcm.v { type vdownmix slave.pcm n }
	END
cat >"$tmp/script.py" <<-'END'
	import ctypes
	alsa = ctypes.CDLL("libasound.so.2")
	opened = 0
	for i in range(20):
	    for name in (b"u", b"v"):
	        pcm = ctypes.c_void_p()
	        opened += alsa.snd_pcm_open(ctypes.byref(pcm), name, 0, 0) == 0
	        alsa.snd_pcm_set_params(pcm, 2, 3, 2, 44100, 1, 500000)
	        alsa.snd_pcm_close(pcm)
	alsa.snd_config_update_free_global()
	print("opened", opened)
	END
same_host 'forty streams' "$python" "$tmp/script.py"
report && holds <<-END
	upmix leaves 20 blocks, 2,240 bytes: add(amount(g["leaked"]) for g in generations("libasound_module_pcm_upmix.so")) == (20, 2240)
	vdownmix leaves 20 blocks, 27,200 bytes: add(amount(g["leaked"]) for g in generations("libasound_module_pcm_vdownmix.so")) == (20, 27200)
	nothing else is leaked: totals["leaked"] == (40, 29440)
	nothing is kept: totals["kept"] == (0, 0)
	all of it is freed: totals["reclaimed"] == totals["leaked"]
	the host's malloc is seen: session["flags"] == []
	END
gone_or_explained
done_testing
