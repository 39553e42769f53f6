/* SPDX-License-Identifier: MIT */
#include "cli/json.h"

#include "cli/utf8.h"
#include "elf/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void json_add(struct json_object *object, const char *key, struct json_object *value)
{
	json_object_object_add(object, key, value);
}

struct json_object *json_text(const char *text)
{
	char *clean = utf8_text(text);
	struct json_object *object = json_object_new_string(clean);

	free(clean);
	return object;
}

struct json_object *json_text_or_null(const char *text)
{
	return text ? json_text(text) : NULL;
}

struct json_object *json_number(uint64_t number)
{
	return json_object_new_uint64(number);
}

struct json_object *json_hex(uint64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%" PRIx64, number);
	return json_object_new_string(text);
}

struct json_object *json_bytes(const uint8_t *bytes, size_t size)
{
	char *text = memory_zeroed(size + 1, 2);
	struct json_object *object;
	size_t i;

	for (i = 0; i < size; i++)
		sprintf(text + 2 * i, "%02x", bytes[i]);
	object = json_object_new_string(text);
	free(text);
	return object;
}

struct json_object *json_time(uint64_t ns)
{
	time_t seconds = ns / 1000000000;
	char day[32], text[64];
	struct tm parts;

	if (!ns || !gmtime_r(&seconds, &parts) || !strftime(day, sizeof(day), "%FT%T", &parts))
		return NULL;
	snprintf(text, sizeof(text), "%s.%06uZ", day, (unsigned int)(ns % 1000000000 / 1000));
	return json_object_new_string(text);
}

struct json_object *json_tally(struct tally tally)
{
	struct json_object *object = json_object_new_object();

	json_add(object, "blocks", json_number(tally.blocks));
	json_add(object, "bytes", json_number(tally.bytes));
	return object;
}

static void code_append(
	struct json_object *stack, const struct session *session, const struct names_code *code)
{
	uint64_t frame = code->frame;
	uint32_t index = SESSION_FRAME_OBJECT(frame);
	const struct symbol_frame *symbol;
	struct json_object *object;
	const char *path = NULL;
	size_t i;

	if (index)
		path = session_object_path(session, index);
	for (i = 0; i < code->count; i++) {
		symbol = &code->symbols[i];
		object = json_object_new_object();
		json_add(object, "object", json_text_or_null(path));
		json_add(object, "offset", json_hex(SESSION_FRAME_OFFSET(frame)));
		json_add(object, "function", json_text_or_null(symbol->function));
		json_add(object, "function_offset",
			symbol->has_offset ? json_hex(symbol->function_offset) : NULL);
		json_add(object, "file", json_text_or_null(symbol->file));
		json_add(object, "line", symbol->line ? json_object_new_int(symbol->line) : NULL);
		json_add(object, "inlined", json_object_new_boolean(symbol->inlined));
		json_object_array_add(stack, object);
	}
}

void json_frame(struct json_object *stack, struct names *names, const struct session *session,
	uint64_t frame)
{
	code_append(stack, session, names_code(names, frame));
}

struct json_object *json_one_frame(
	struct names *names, const struct session *session, uint64_t frame, bool exact)
{
	struct json_object *frames, *first;

	if (!frame)
		return NULL;
	frames = json_object_new_array();
	code_append(
		frames, session, exact ? names_code_exact(names, frame) : names_code(names, frame));
	first = json_object_get(json_object_array_get_idx(frames, 0));
	json_object_put(frames);
	return first;
}

struct json_object *json_stack(struct names *names, const struct session *session, uint32_t first,
	uint32_t count, bool exact)
{
	struct json_object *stack = json_object_new_array();
	uint64_t frame;
	uint32_t i;

	for (i = 0; i < count; i++) {
		frame = session_frame(session, first + i);
		code_append(stack, session,
			exact && i == 0 ? names_code_exact(names, frame)
					: names_code(names, frame));
	}
	return stack;
}

#define STYLE_LINE (JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE)
#define STYLE (STYLE_LINE | JSON_C_TO_STRING_PRETTY)

/* Line breaks of the text are of its layout: in strings they are escaped. */
static int settled_print(struct json_object *object, struct printbuf *out, int level, int flags)
{
	const char *line = json_object_get_userdata(object), *end;

	(void)flags;
	for (; (end = strchr(line, '\n')); line = end + 1) {
		printbuf_memappend(out, line, end + 1 - line);
		printbuf_memset(out, -1, ' ', 2 * level);
	}
	return printbuf_memappend(out, line, strlen(line));
}

struct json_object *json_settled(struct json_object *object, bool on_one_line)
{
	struct json_object *settled = json_object_new_string("");
	char *text =
		text_copy(json_object_to_json_string_ext(object, on_one_line ? STYLE_LINE : STYLE));

	json_object_set_serializer(settled, settled_print, text, json_object_free_userdata);
	json_object_put(object);
	return settled;
}

void json_write(struct json_object *object, FILE *out)
{
	fprintf(out, "%s\n", json_object_to_json_string_ext(object, STYLE));
}
