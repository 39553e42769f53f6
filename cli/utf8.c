/* SPDX-License-Identifier: MIT */
#include "cli/utf8.h"

#include "elf/memory.h"

#include <stdint.h>
#include <string.h>

/* The length of the UTF-8 sequence at @text, 0 if it is none. */
static size_t utf8_length(const unsigned char *text)
{
	size_t length, i;
	uint32_t code;

	if (text[0] < 0x80)
		return 1;
	length = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
	if (text[0] < 0xc2 || text[0] > 0xf4)
		return 0;
	code = text[0] & (0xff >> (length + 1));
	for (i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	if ((length == 3 && code < 0x800) || (code >= 0xd800 && code < 0xe000) ||
		(length == 4 && (code < 0x10000 || code > 0x10ffff)))
		return 0;
	return length;
}

char *utf8_text(const char *text)
{
	/* Each byte becomes three at most. */
	char *clean = memory_zeroed(strlen(text) + 1, 3), *to = clean;
	size_t length;

	while (*text) {
		length = utf8_length((const unsigned char *)text);
		memcpy(to, length ? text : "\xef\xbf\xbd", length ? length : 3);
		to += length ? length : 3;
		text += length ? length : 1;
	}
	return clean;
}
