/* SPDX-License-Identifier: MIT */
/* Text put together without stdio: cut where the room ends, always ended by NUL. */
#ifndef RELIB_TEXT_H
#define RELIB_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct text {
	char *at;
	char *last; /* the NUL's place at the latest */
};

static inline struct text text_in(char *room, size_t size)
{
	*room = 0;
	return (struct text){room, room + size - 1};
}

static inline void text_add_n(struct text *text, const char *from, size_t length)
{
	while (length-- && text->at < text->last)
		*text->at++ = *from++;
	*text->at = 0;
}

static inline void text_add(struct text *text, const char *from)
{
	while (*from && text->at < text->last)
		*text->at++ = *from++;
	*text->at = 0;
}

/* digits: at least so many. */
static inline void text_number(
	struct text *text, uint64_t value, unsigned int base, unsigned int digits)
{
	char room[24];
	unsigned int count = 0;

	while (value || count < digits || !count) {
		room[count++] = "0123456789abcdef"[value % base];
		value /= base;
	}
	while (count)
		text_add_n(text, &room[--count], 1);
}

static inline void text_hex(struct text *text, uint64_t value)
{
	text_add(text, "0x");
	text_number(text, value, 16, 1);
}

#endif
