/* SPDX-License-Identifier: MIT */
#include "cli/names.h"

#include "elf/image.h"
#include "elf/memory.h"

#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct names_file {
	struct symbolizer *symbolizer;
	bool tried;
	const char *remark; /* NULL: the file could be had, or never had a name */
};

struct names {
	const struct session *session;
	struct names_file *file; /* of object i */
	void *codes;		 /* tsearch tree of struct names_code */
};

struct names *names_open(const struct session *session)
{
	struct names *names = memory_zeroed(1, sizeof(*names));

	names->session = session;
	names->file = memory_zeroed(session->count[SESSION_OBJECTS], sizeof(*names->file));
	return names;
}

static void code_free(void *node)
{
	struct names_code *code = node;

	symbol_frames_free(code->symbols, code->count);
	free(code);
}

void names_close(struct names *names)
{
	uint64_t i;

	if (!names)
		return;
	for (i = 0; i < names->session->count[SESSION_OBJECTS]; i++)
		symbolizer_close(names->file[i].symbolizer);
	tdestroy(names->codes, code_free);
	free(names->file);
	free(names);
}

const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

const char *names_object(const struct names *names, uint32_t object)
{
	const struct session_object *record;
	const char *path;

	if (!object)
		return "?";
	if (object == names->session->header->host_object)
		return "host";
	record = session_object(names->session, object);
	path = session_string(names->session, record->path);
	if (*path)
		return base_name(path);
	path = session_string(names->session, record->soname);
	return *path ? path : "?";
}

/* When an object was mapped last: a file changed after that is not it. */
static uint64_t object_seen_ns(const struct session *session, uint32_t object)
{
	uint64_t i, seen = session->header->started_ns;
	const struct session_generation *generation;

	for (i = 1; i < session->count[SESSION_GENERATIONS]; i++) {
		generation = session_generation(session, i);
		if (generation->object == object && generation->loaded_ns > seen)
			seen = generation->loaded_ns;
	}
	return seen;
}

static bool file_is_object(const struct session *session, uint32_t object, const char *path)
{
	const struct session_object *record = session_object(session, object);
	struct build_id id;
	struct stat info;

	if (record->build_id_size) {
		build_id_read(path, &id);
		return id.size == record->build_id_size &&
		       memcmp(id.bytes, record->build_id, id.size) == 0;
	}
	if (stat(path, &info) < 0)
		return false;
	return (uint64_t)info.st_ctim.tv_sec * 1000000000 + info.st_ctim.tv_nsec <=
	       object_seen_ns(session, object);
}

static struct symbolizer *copy_open(const struct session *session, uint32_t object)
{
	const char *copy = session_string(session, session_object(session, object)->copy);
	struct symbolizer *symbolizer;
	struct error error;
	char *path;

	if (!*copy)
		return NULL;
	path = text_format("%s/%s", session->objects, copy);
	symbolizer = symbolizer_open(path, &error);
	free(path);
	return symbolizer;
}

/*
 * The kept file, unless the one at the path is the same and knows more: of a
 * plugin that was loaded stripped, and not stripped, one of both is kept.
 */
static struct symbolizer *object_open(struct names *names, uint32_t object)
{
	const struct session *session = names->session;
	const char *path = session_object_path(session, object);
	struct symbolizer *kept = copy_open(session, object), *other;
	struct error error;

	if ((kept && symbolizer_has_lines(kept)) || path[0] != '/')
		return kept;
	if (!file_is_object(session, object, path)) {
		if (!kept)
			names->file[object].remark =
				access(path, F_OK) == 0 ? " (file changed)" : " (file gone)";
		return kept;
	}
	other = symbolizer_open(path, &error);
	if (kept && (!other || !symbolizer_has_lines(other))) {
		symbolizer_close(other);
		return kept;
	}
	symbolizer_close(kept);
	return other;
}

static struct symbolizer *names_symbolizer(struct names *names, uint32_t object)
{
	struct names_file *file = &names->file[object];

	if (object && !file->tried) {
		file->tried = true;
		file->symbolizer = object_open(names, object);
	}
	return file->symbolizer;
}

const char *names_file_remark(struct names *names, uint32_t object)
{
	names_symbolizer(names, object);
	return names->file[object].remark ? names->file[object].remark : "";
}

static int code_compare(const void *a, const void *b)
{
	const struct names_code *x = a, *y = b;

	if (x->frame != y->frame)
		return x->frame < y->frame ? -1 : 1;
	return x->exact - y->exact;
}

static const struct names_code *code_find(struct names *names, uint64_t frame, bool exact)
{
	struct names_code *code, **found, wanted = {.frame = frame, .exact = exact};
	struct symbolizer *symbolizer = NULL;
	uint64_t offset = SESSION_FRAME_OFFSET(frame);

	found = tfind(&wanted, &names->codes, code_compare);
	if (found)
		return *found;
	code = memory_zeroed(1, sizeof(*code));
	code->frame = frame;
	code->exact = exact;
	if (SESSION_FRAME_OBJECT(frame) && offset)
		symbolizer = names_symbolizer(names, SESSION_FRAME_OBJECT(frame));
	/* The call, not where it returns to, which may be another line or function. */
	if (symbolizer) {
		code->count = symbolizer_code(symbolizer, offset - !exact, &code->symbols);
		code->symbols[code->count - 1].function_offset += !exact;
	} else {
		array_append(&code->symbols, &code->count, sizeof(*code->symbols));
	}
	tsearch(code, &names->codes, code_compare);
	return code;
}

const struct names_code *names_code(struct names *names, uint64_t frame)
{
	return code_find(names, frame, false);
}

const struct names_code *names_code_exact(struct names *names, uint64_t frame)
{
	return code_find(names, frame, true);
}

bool names_variable(
	struct names *names, uint32_t object, uint64_t offset, struct symbol_variable *variable)
{
	struct symbolizer *symbolizer = object ? names_symbolizer(names, object) : NULL;

	return symbolizer && symbolizer_variable(symbolizer, offset, variable);
}

char *names_symbol_text(const struct symbol_frame *symbol)
{
	const char *function = symbol->function ? symbol->function : "??";

	if (symbol->file && symbol->line)
		return text_format("%s (%s:%d)", function, base_name(symbol->file), symbol->line);
	if (symbol->file)
		return text_format("%s (%s)", function, base_name(symbol->file));
	if (symbol->function && symbol->has_offset && !symbol->inlined)
		return text_format("%s+0x%" PRIx64, function, symbol->function_offset);
	return text_copy(function);
}

static char *line_text(struct names *names, const struct names_code *code, uint32_t home)
{
	uint32_t object = SESSION_FRAME_OBJECT(code->frame);
	char *symbol, *text;

	if (!object)
		return text_format("0x%" PRIx64, SESSION_FRAME_OFFSET(code->frame));
	if (!code->symbols[0].function && !code->symbols[0].file)
		return text_format("%s+0x%" PRIx64 "%s", names_object(names, object),
			SESSION_FRAME_OFFSET(code->frame), names_file_remark(names, object));
	symbol = names_symbol_text(&code->symbols[0]);
	if (object == home)
		return symbol;
	text = text_format("%s in %s", symbol, names_object(names, object));
	free(symbol);
	return text;
}

char *names_line(struct names *names, uint64_t frame, uint32_t home)
{
	return line_text(names, names_code(names, frame), home);
}

char *names_line_exact(struct names *names, uint64_t frame, uint32_t home)
{
	return line_text(names, names_code_exact(names, frame), home);
}

/* "on_tick in plugin.so (plugin.c:40)" */
static char *target_text(
	const char *name, uint64_t offset, const char *object, const char *file, int line)
{
	char *more = offset ? text_format("+0x%" PRIx64, offset) : text_copy(""), *text;

	if (file && line)
		text = text_format("%s%s in %s (%s:%d)", name, more, object, base_name(file), line);
	else
		text = text_format("%s%s in %s", name, more, object);
	free(more);
	return text;
}

char *names_target(struct names *names, uint32_t object, uint64_t offset)
{
	const struct names_code *code = names_code_exact(names, SESSION_FRAME(object, offset));
	const struct symbol_frame *function = &code->symbols[code->count - 1];
	const char *where = names_object(names, object);
	struct symbol_variable variable;
	char *text;

	if (!object)
		return text_format("0x%" PRIx64, offset);
	/* A pointer to code is one to a function, whatever was inlined at its start. */
	if (function->has_offset && function->function && (function->file || code->count > 1))
		return target_text(function->function, function->function_offset, where,
			function->file, function->line);
	if (!names_variable(names, object, offset, &variable))
		return text_format(
			"%s+0x%" PRIx64 "%s", where, offset, names_file_remark(names, object));
	text = target_text(variable.name, 0, where, variable.file, variable.line);
	symbol_variable_free(&variable);
	return text;
}
