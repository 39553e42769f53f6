#!/bin/sh
# Each source, test and document is named in a makefile: so it is in the distribution, and each test is run.
. "$(dirname "$0")/lib.sh"

cd "$top_srcdir" || exit 99
find shim elf cli docs tests -name '*.mk' | while read -r makefile; do
	sed "s|%D%|$(dirname "$makefile")|g" "$makefile"
done | tr -s '[:space:]' '\n' | sort -u >"$tmp/named"
find shim elf cli docs tests -name '*.[chSt1]' -o -name '*.map' -o -name '*.cc' -o -name '*.rs' \
	-o -name '*.py' -o -name '*.sh' -o -name '*.lua' -o -name '*.md' | sort >"$tmp/there"

ok 'there are files' test -s "$tmp/there"
is 'each is named' "$(comm -23 "$tmp/there" "$tmp/named")" ''
is 'each test can be run' "$(find tests -name '*.t' ! -perm -u+x)" ''

done_testing
