# SPDX-License-Identifier: MIT
# fish completion of relib(1)

function __relib_sessions
	set -l base /tmp/relib-(id -u)
	set -q XDG_RUNTIME_DIR; and set base $XDG_RUNTIME_DIR/relib
	set -q RELIB_DIR; and set base $RELIB_DIR
	for file in $base/*/session
		basename (dirname $file)
	end
end

function __relib_leaks
	__fish_seen_subcommand_from leaks; and __fish_seen_subcommand_from report diff
end

# behind -- stands the plugin, and what it gets
function __relib_plugin
	contains -- -- (commandline -opc)
end

complete -c relib -n __fish_use_subcommand -f -a run -d 'run a host and report what its modules left'
complete -c relib -n __fish_use_subcommand -f -a test -d 'fail if plugins leave anything'
complete -c relib -n __fish_use_subcommand -f -a leaks -d 'report what modules left, or compare'
complete -c relib -n __fish_use_subcommand -f -a check -d 'tell from a file whether it will unload'
complete -c relib -n __fish_use_subcommand -f -a help -d 'print help'
complete -c relib -n __fish_use_subcommand -l version -d 'print the version'
complete -c relib -n '__fish_seen_subcommand_from help' -f -a 'run test leaks check'
complete -c relib -n '__fish_seen_subcommand_from leaks; and not __relib_leaks' -f -a 'report diff'

complete -c relib -s h -l help -d 'print the help'
complete -c relib -n '__fish_seen_subcommand_from run' -s t -l track -x -d 'track only modules that match'
complete -c relib -n '__fish_seen_subcommand_from run' -l through -r -d 'memory of LIB is of its callers'
complete -c relib -n '__fish_seen_subcommand_from run' -l leaks -x -a 'free report off' -d 'what to do with leaked memory'
complete -c relib -n '__fish_seen_subcommand_from run' -l threads -x -a 'defer refuse' -d 'unloads while threads need the module'
complete -c relib -n '__fish_seen_subcommand_from run' -l fds -x -a 'report close' -d 'what to do with descriptors left'
complete -c relib -n '__fish_seen_subcommand_from run' -l names -x -a 'report remove' -d 'what to do with files and names left'
complete -c relib -n '__fish_seen_subcommand_from run' -l unload-timeout -x -d 'seconds until it is reported'
complete -c relib -n '__fish_seen_subcommand_from run' -l unload-timeout-action -x -a 'report abandon' -d 'what is done then'
complete -c relib -n '__fish_seen_subcommand_from run' -l guard -x -d 'MiB of addresses held back'
complete -c relib -n '__fish_seen_subcommand_from run' -l frames -x -d 'frames to record'
complete -c relib -n '__fish_seen_subcommand_from run' -s q -l quiet -d 'nothing on standard error'
complete -c relib -n '__fish_seen_subcommand_from run' -s e -l entry -x -d 'function to call'
complete -c relib -n '__fish_seen_subcommand_from run' -s n -l cycles -x -d 'loads of the built-in host'
complete -c relib -n '__fish_seen_subcommand_from run; and not __relib_plugin' -xa \
	'(__fish_complete_subcommand --fcs-skip=2 -t --track --through --leaks --threads --fds --names --unload-timeout --unload-timeout-action --guard --frames --error-exitcode -f --format -o --output --color -e --entry -n --cycles --session-dir)'
complete -c relib -n '__fish_seen_subcommand_from run; and __relib_plugin' -F -d plugin
complete -c relib -n '__relib_leaks' -s m -l module -x -d 'only modules that match'
complete -c relib -n '__relib_leaks; and __fish_seen_subcommand_from report' -s k -l kind -x \
	-a "(__fish_append , descriptors streams mappings names hooks locks children handles process threads memory)" \
	-d 'only what is of these kinds'
complete -c relib -n '__relib_leaks' -s a -l all -d 'also places that left nothing'
complete -c relib -n '__relib_leaks' -a '(__relib_sessions)' -d session
for condition in '__fish_seen_subcommand_from run' __relib_leaks
	complete -c relib -n $condition -s f -l format -x -a 'text json' -d 'format'
	complete -c relib -n $condition -s o -l output -r -d 'file to write to'
	complete -c relib -n $condition -l color -x -a 'auto always never' -d 'colours'
	complete -c relib -n $condition -l error-exitcode -x -d 'exit status when there is a fault'
	complete -c relib -n $condition -l session-dir -x -a '(__fish_complete_directories)' -d 'where sessions are'
end

set -l check '__fish_seen_subcommand_from check; and not __fish_seen_subcommand_from help'
complete -c relib -n $check -s f -l format -x -a 'text json' -d 'format'
complete -c relib -n $check -s o -l output -r -d 'file to write to'
complete -c relib -n $check -l host -r -d 'the program that will load the files'
complete -c relib -n $check -s L -l library-path -x -a '(__fish_complete_directories)' -d 'look for libraries there, too'
complete -c relib -n $check -s a -l all -d 'all names, however many'
complete -c relib -n $check -l color -x -a 'auto always never' -d 'colours'
complete -c relib -n $check -F -d 'plugin'

set -l test '__fish_seen_subcommand_from test; and not __fish_seen_subcommand_from help'
complete -c relib -n $test -s n -l cycles -x -d 'loads and unloads'
complete -c relib -n $test -s e -l entry -x -d 'function to call'
complete -c relib -n $test -l allow -x -a 'loads runs unloads memory kept resources threads pointers late growth' -d 'do not fail on this'
complete -c relib -n $test -l timeout -x -d 'seconds until a run is ended'
complete -c relib -n $test -s f -l format -x -a 'text tap junit json' -d 'format'
complete -c relib -n $test -s o -l output -r -d 'file to write to'
complete -c relib -n $test -l color -x -a 'auto always never' -d 'colours'
complete -c relib -n $test -s t -l track -x -d 'test also modules that match'
complete -c relib -n $test -l through -r -d 'memory of LIB is of its callers'
complete -c relib -n $test -l leaks -x -a 'free report off' -d 'what to do with leaked memory'
complete -c relib -n $test -l threads -x -a 'defer refuse' -d 'unloads while threads need the module'
complete -c relib -n $test -l fds -x -a 'report close' -d 'what to do with descriptors left'
complete -c relib -n $test -l names -x -a 'report remove' -d 'what to do with files and names left'
complete -c relib -n $test -l unload-timeout -x -d 'seconds until an unload has failed'
complete -c relib -n $test -l session-dir -x -a '(__fish_complete_directories)' -d 'where sessions are'
complete -c relib -n $test -F -d 'plugin'
