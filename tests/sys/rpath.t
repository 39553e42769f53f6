#!/bin/sh
# dlopen finds what its caller alone would have found; dlmopen works; RTLD_DEEPBIND does not hide a plugin.
. "$(dirname "$0")/lib.sh"

mkdir "$tmp/app" "$tmp/app/plugins"
build_host host -Wl,--enable-new-dtags,-rpath,'$ORIGIN/plugins'
build_plugin finder -Wl,--enable-new-dtags,-rpath,'$ORIGIN/own'
build_plugin helper
mkdir "$tmp/app/plugins/own"
mv "$tmp/host" "$tmp/app/host"
mv "$tmp/finder.so" "$tmp/app/plugins/finder.so"
mv "$tmp/helper.so" "$tmp/app/plugins/own/finder-helper.so"
cd / || exit 99

host_start "$tmp/app/host"
tell 'load p finder.so'
is "the host's RUNPATH with \$ORIGIN finds a plugin by its bare name" "$answer" ok
tell 'call p find_helper 5'
is "the plugin's own RUNPATH finds its helper by its bare name" "$answer" 'ok 5'
tell 'load q finder-helper.so'
is "the host does not find the helper, as without the shim" "${answer%% *}" error
case $answer in
*finder-helper.so*cannot\ open*) pass 'dlerror says so as ever' ;;
*) fail 'dlerror says so as ever'; diag "$answer" ;;
esac
tell 'call p leak_one 3'
is 'the plugin is called' "$answer" 'ok 3'
tell 'unload p'
is 'the plugin is unloaded' "$answer" 'ok gone'
host_end
report && holds <<-END
	what the helper left is reported: total("helper_leak", "reclaimed") == (2, 110)
	what the plugin left is reported: total("leak_one", "reclaimed") == (1, 33)
	END

host_start "$tmp/app/host"
tell "load n $tmp/app/plugins/finder.so newlm"
is 'dlmopen into a new namespace works' "$answer" ok
tell 'call n find_helper 6'
is 'the plugin finds its helper there' "$answer" 'ok 6'
tell 'call n leak_one 6'
is 'the plugin is called there' "$answer" 'ok 6'
tell 'unload n'
is 'it is unloaded again' "${answer%% *}" ok
host_end
is 'the host ends well' "$status" 0

host_start "$tmp/app/host"
tell 'load d finder.so deepbind'
is 'RTLD_DEEPBIND loads' "$answer" ok
told 'call d leak_one 7'
tell 'unload d'
is 'and unloads' "$answer" 'ok gone'
host_end
report && holds <<-END
	the plugin is seen in spite of RTLD_DEEPBIND: total("leak_one", "reclaimed") == (1, 33)
	a note says that RTLD_DEEPBIND was taken away: len(said("deepbind")) == 1
	END

done_testing
