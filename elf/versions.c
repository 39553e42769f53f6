/* SPDX-License-Identifier: MIT */
/* Symbol versions: which a file defines, and which it wants of which library. */
#include "elf/dynamic.h"
#include "elf/memory.h"

#include <string.h>

#define RECORD_MAX 65536 /* versions of a file; their indices have 15 bits */

/* A record at @address, copied, for nothing says that it is aligned. */
static bool record_read(const struct dynamic *d, uint64_t address, void *record, size_t size)
{
	const void *bytes = dynamic_bytes(d, address, size);

	if (!bytes)
		return false;
	memcpy(record, bytes, size);
	return true;
}

static bool need_read(struct dynamic *d, const char *library, uint64_t at, unsigned int count)
{
	struct version_need *to;
	Elf64_Vernaux version;

	for (; count; count--, at += version.vna_next) {
		if (d->version_need_count >= RECORD_MAX ||
			!record_read(d, at, &version, sizeof(version)))
			return false;
		to = array_append(&d->version_needs, &d->version_need_count, sizeof(*to));
		to->library = library;
		to->version = dynamic_text(d, version.vna_name);
		to->weak = version.vna_flags & VER_FLG_WEAK;
		if (!to->version)
			return false;
		if (!version.vna_next)
			break;
	}
	return true;
}

static bool needs_read(struct dynamic *d)
{
	const char *library;
	Elf64_Verneed need;
	unsigned int i;
	uint64_t at;

	if (!dynamic_value(d, DT_VERNEED, &at))
		return true;
	for (i = 0; i < RECORD_MAX; i++, at += need.vn_next) {
		if (!record_read(d, at, &need, sizeof(need)))
			return false;
		library = dynamic_text(d, need.vn_file);
		if (!library || !need_read(d, library, at + need.vn_aux, need.vn_cnt))
			return false;
		if (!need.vn_next)
			return true;
	}
	return false;
}

static bool definitions_read(struct dynamic *d)
{
	Elf64_Verdaux name;
	Elf64_Verdef version;
	const char **to;
	unsigned int i;
	uint64_t at;

	if (!dynamic_value(d, DT_VERDEF, &at))
		return true;
	for (i = 0; i < RECORD_MAX; i++, at += version.vd_next) {
		if (!record_read(d, at, &version, sizeof(version)) ||
			!record_read(d, at + version.vd_aux, &name, sizeof(name)))
			return false;
		to = array_append(&d->versions, &d->version_count, sizeof(*to));
		*to = dynamic_text(d, name.vda_name);
		if (!*to)
			return false;
		if (!version.vd_next)
			return true;
	}
	return false;
}

bool versions_read(struct dynamic *d)
{
	return needs_read(d) && definitions_read(d);
}
