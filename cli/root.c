/* SPDX-License-Identifier: MIT */
#include "cli/names.h"

#include "elf/memory.h"

#include <inttypes.h>
#include <stdlib.h>

#define REGISTER_VECTOR 255

/* The order of struct user_regs_struct. */
static const char *register_name(unsigned int number)
{
	static const char *const names[] = {
#if defined(__x86_64__)
		"r15",
		"r14",
		"r13",
		"r12",
		"rbp",
		"rbx",
		"r11",
		"r10",
		"r9",
		"r8",
		"rax",
		"rcx",
		"rdx",
		"rsi",
		"rdi",
		"orig_rax",
		"rip",
		"cs",
		"eflags",
		"rsp",
		"ss",
		"fs_base",
		"gs_base",
		"ds",
		"es",
		"fs",
		"gs",
#endif
		NULL,
	};

	return number < sizeof(names) / sizeof(names[0]) ? names[number] : NULL;
}

const char *root_kind_name(unsigned int kind)
{
	static const char *const names[] = {
		[SESSION_ROOT_NONE] = "none",
		[SESSION_ROOT_GLOBAL] = "global",
		[SESSION_ROOT_HEAP] = "heap",
		[SESSION_ROOT_STACK] = "stack",
		[SESSION_ROOT_REGISTER] = "register",
		[SESSION_ROOT_THREAD] = "thread",
		[SESSION_ROOT_BLOCK] = "block",
		[SESSION_ROOT_MAPPING] = "mapping",
		[SESSION_ROOT_RUNTIME] = "runtime",
	};

	return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "unknown";
}

static char *variable_text(struct names *names, const char *holder, const struct session_root *root)
{
	struct symbol_variable variable;
	char *text;

	if (!names_variable(names, root->object, root->offset, &variable))
		return text_format("%s+0x%" PRIx64, holder, root->offset);
	if (variable.file)
		text = text_format("%s: %s (%s:%d)", holder, variable.name,
			base_name(variable.file), variable.line);
	else
		text = text_format("%s: %s", holder, variable.name);
	symbol_variable_free(&variable);
	return text;
}

static char *register_text(const struct session_root *root)
{
	const char *name = register_name(root->reg);

	if (root->reg == REGISTER_VECTOR)
		return text_format("a vector register of thread %" PRIu32, root->object);
	if (!name)
		return text_format("register %u of thread %" PRIu32, root->reg, root->object);
	return text_format("register %s of thread %" PRIu32, name, root->object);
}

/* The frame that made the module the owner tells most about the block. */
static char *block_text(
	struct names *names, const struct session *session, const struct session_root *root)
{
	const struct session_place *place;
	uint32_t frame;
	char *line, *text;

	if (!root->object)
		return text_copy("a block of a module");
	place = session_place(session, root->object);
	if (!place->object)
		return text_copy("a block of the dynamic loader");
	if (!place->frame_count)
		return text_format("a block of %s", names_object(names, place->object));
	frame = place->frame + (place->owner_frame < place->frame_count ? place->owner_frame : 0);
	line = names_line(names, session_frame(session, frame), place->object);
	text = text_format(
		"a block of %s allocated at %s", names_object(names, place->object), line);
	free(line);
	return text;
}

char *names_root(
	struct names *names, const struct session *session, const struct session_root *root)
{
	switch (root->kind) {
	case SESSION_ROOT_GLOBAL:
		return variable_text(names, names_object(names, root->object), root);
	case SESSION_ROOT_RUNTIME:
		return variable_text(names, "C library", root);
	case SESSION_ROOT_HEAP:
		return text_format("heap of the host at 0x%" PRIx64, root->address);
	case SESSION_ROOT_STACK:
		return text_format("stack of thread %" PRIu32, root->object);
	case SESSION_ROOT_REGISTER:
		return register_text(root);
	case SESSION_ROOT_THREAD:
		return text_format("thread-specific data of thread %" PRIu32, root->object);
	case SESSION_ROOT_BLOCK:
		return block_text(names, session, root);
	case SESSION_ROOT_MAPPING:
		return text_format("shared mapping at 0x%" PRIx64, root->address);
	default:
		return text_format("0x%" PRIx64, root->address);
	}
}
