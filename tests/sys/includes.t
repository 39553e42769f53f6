#!/bin/sh
# Each room has one door: the shim knows neither cli nor elf, elf knows neither, cli knows of the shim its session format only.
. "$(dirname "$0")/lib.sh"

cd "$top_srcdir" || exit 99

# includes FOLDER PATTERN: what the folder's files include that matches
includes() {
	find "$1" -name '*.[chS]' -exec grep -HnE "^[[:space:]]*#[[:space:]]*include[[:space:]]+[\"<]$2" {} + | sort
}

is 'shim includes nothing of cli' "$(includes shim '(\.\./)*cli/')" ''
is 'shim includes nothing of elf' "$(includes shim '(\.\./)*elf/')" ''
is 'elf includes nothing of shim' "$(includes elf '(\.\./)*shim/')" ''
is 'elf includes nothing of cli' "$(includes elf '(\.\./)*cli/')" ''
is 'cli includes of shim session-format.h only' \
	"$(includes cli '(\.\./)*shim/' | grep -v '"shim/session-format.h"')" ''
is 'nothing but tests includes tests' \
	"$(for folder in shim cli elf; do includes $folder '(\.\./)*tests/'; done)" ''
is 'nothing includes a .c file' \
	"$(for folder in shim cli elf; do includes $folder '[^">]*\.c[">]'; done)" ''

done_testing
