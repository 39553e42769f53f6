# TAP scripts that run real programs, with their hosts and plugins.
cli_sys_tests = \
	%D%/cli-check.t \
	%D%/cli-completions.t \
	%D%/cli-errors.t \
	%D%/cli-leaks.t \
	%D%/cli-resources.t \
	%D%/cli-run.t \
	%D%/cli-test.t \
	%D%/cli-unloading.t
TESTS += $(cli_sys_tests)
EXTRA_DIST += $(cli_sys_tests) %D%/cli-lib.sh

check_PROGRAMS += %D%/make-session
%C%_make_session_SOURCES = %D%/make-session.c tests/unit/maker-resources.c tests/unit/session-maker.c
%C%_make_session_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
%C%_make_session_CFLAGS = $(AM_CFLAGS) $(SAN_CFLAGS)

check_PROGRAMS += %D%/show-danglings
%C%_show_danglings_SOURCES = %D%/show-danglings.c
%C%_show_danglings_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
%C%_show_danglings_CFLAGS = $(AM_CFLAGS) $(SAN_CFLAGS)
%C%_show_danglings_LDADD = cli/libcli.la

sys_tests = \
	%D%/allocators.t \
	%D%/before-unload.t \
	%D%/children.t \
	%D%/crowd.t \
	%D%/dangling.t \
	%D%/defects.t \
	%D%/deferred.t \
	%D%/demo.t \
	%D%/descriptors-shared.t \
	%D%/descriptors.t \
	%D%/everything.t \
	%D%/exec-status.t \
	%D%/explain.t \
	%D%/exports.t \
	%D%/finalizers.t \
	%D%/foreign.t \
	%D%/fork.t \
	%D%/free-anywhere.t \
	%D%/gdb.t \
	%D%/guard.t \
	%D%/holders.t \
	%D%/hooks.t \
	%D%/includes.t \
	%D%/kept-valgrind.t \
	%D%/kept.t \
	%D%/keys.t \
	%D%/kill9.t \
	%D%/languages.t \
	%D%/late-call.t \
	%D%/late-free.t \
	%D%/leaks-exact.t \
	%D%/left-semaphores.t \
	%D%/left-streams.t \
	%D%/limits.t \
	%D%/listed.t \
	%D%/locks.t \
	%D%/mappings.t \
	%D%/misbehaviour.t \
	%D%/names.t \
	%D%/no-session.t \
	%D%/process-state.t \
	%D%/rebuilds.t \
	%D%/refused.t \
	%D%/reload-rss.t \
	%D%/rough.t \
	%D%/rpath.t \
	%D%/seccomp.t \
	%D%/settings.t \
	%D%/signal-stack.t \
	%D%/signals.t \
	%D%/slack.t \
	%D%/stays.t \
	%D%/storm.t \
	%D%/streams.t \
	%D%/system-calls.t \
	%D%/thread-locals.t \
	%D%/threads-ended.t \
	%D%/threads.t \
	%D%/timers.t \
	%D%/transparent.t \
	%D%/unload-timeout.t
TESTS += $(sys_tests)
EXTRA_DIST += $(sys_tests) \
	%D%/lib.sh \
	%D%/report.py \
	tests/plugins/altstack.c \
	tests/plugins/anywhere.c \
	tests/plugins/begetter.c \
	tests/plugins/begetterxx.cc \
	tests/plugins/binding.c \
	tests/plugins/blocks.c \
	tests/plugins/bound.c \
	tests/plugins/box.c \
	tests/plugins/catcher.cc \
	tests/plugins/churn.c \
	tests/plugins/cleanxx.cc \
	tests/plugins/crowd.c \
	tests/plugins/crowdhost.c \
	tests/plugins/defective.cc \
	tests/plugins/defects.c \
	tests/plugins/descriptors.c \
	tests/plugins/descriptorshost.c \
	tests/plugins/descriptorsxx.cc \
	tests/plugins/everything.c \
	tests/plugins/everythinghost.c \
	tests/plugins/exhaust.c \
	tests/plugins/finals.c \
	tests/plugins/finalsxx.cc \
	tests/plugins/finder.c \
	tests/plugins/flusher.c \
	tests/plugins/forker.c \
	tests/plugins/give.c \
	tests/plugins/gomper.c \
	tests/plugins/goner.c \
	tests/plugins/guarded.c \
	tests/plugins/hammer.c \
	tests/plugins/hanging.c \
	tests/plugins/helper.c \
	tests/plugins/holder.c \
	tests/plugins/hooked.c \
	tests/plugins/hooks.c \
	tests/plugins/host.c \
	tests/plugins/host.h \
	tests/plugins/informed.c \
	tests/plugins/keeper.c \
	tests/plugins/keyed.c \
	tests/plugins/keyshost.c \
	tests/plugins/latecaller.c \
	tests/plugins/latefree.c \
	tests/plugins/leaks.c \
	tests/plugins/leaksrs.rs \
	tests/plugins/leaksxx.cc \
	tests/plugins/limited.c \
	tests/plugins/locals.cc \
	tests/plugins/localshost.c \
	tests/plugins/localsrs.rs \
	tests/plugins/lockers.c \
	tests/plugins/lockersxx.cc \
	tests/plugins/maker.c \
	tests/plugins/mapper.c \
	tests/plugins/mapperhost.c \
	tests/plugins/misbehave.c \
	tests/plugins/names.c \
	tests/plugins/noptrace.c \
	tests/plugins/orders.c \
	tests/plugins/ownmalloc.c \
	tests/plugins/parents.c \
	tests/plugins/parentsxx.cc \
	tests/plugins/plugin.h \
	tests/plugins/pointed.c \
	tests/plugins/pointedneeds.c \
	tests/plugins/pointers.c \
	tests/plugins/pointing.c \
	tests/plugins/pool.c \
	tests/plugins/rebuilt.c \
	tests/plugins/records.c \
	tests/plugins/reloader.c \
	tests/plugins/residue.c \
	tests/plugins/rough.c \
	tests/plugins/signalled.c \
	tests/plugins/slack.c \
	tests/plugins/slack-host.c \
	tests/plugins/spawner.c \
	tests/plugins/spinner.c \
	tests/plugins/state.c \
	tests/plugins/stateful.c \
	tests/plugins/statexx.cc \
	tests/plugins/storm.c \
	tests/plugins/stormxx.cc \
	tests/plugins/streams.c \
	tests/plugins/streamsxx.cc \
	tests/plugins/tested.c \
	tests/plugins/threadlocal.c \
	tests/plugins/semaphores.c \
	tests/plugins/streamer.c \
	tests/plugins/throws.cc \
	tests/plugins/ticker.c \
	tests/plugins/timed.c \
	tests/plugins/timers.c \
	tests/plugins/unique.cc \
	tests/plugins/vforker.c \
	tests/plugins/waiter.c \
	tests/plugins/waiter.h \
	tests/plugins/worker.c \
	tests/plugins/workerxx.cc
