/* SPDX-License-Identifier: MIT */
#include <elf.h>
#include <string.h>

#include "shim/object-image.h"

#define PAGE ((uintptr_t)4096)

void image_read(struct object *object)
{
	uintptr_t start = UINTPTR_MAX, end = 0;

	for (unsigned int i = 0; i < object->phnum; i++) {
		const ElfW(Phdr) *segment = object->phdr + i;
		uintptr_t from = object->bias + segment->p_vaddr;

		switch (segment->p_type) {
		case PT_LOAD:
			if (from < start)
				start = from;
			if (from + segment->p_memsz > end)
				end = from + segment->p_memsz;
			break;
		case PT_GNU_EH_FRAME:
			object->unwind = (const unsigned char *)from;
			break;
		case PT_TLS:
			object->tls_size = segment->p_memsz;
			break;
		}
	}
	object->start = start & ~(PAGE - 1);
	object->end = (end + PAGE - 1) & ~(PAGE - 1);
	if (start > end)
		object->start = object->end = 0;
}

static const ElfW(Dyn) * image_dynamic(const struct object *object)
{
	for (unsigned int i = 0; i < object->phnum; i++)
		if (object->phdr[i].p_type == PT_DYNAMIC)
			return (const ElfW(Dyn) *)(object->bias + object->phdr[i].p_vaddr);
	return NULL;
}

/* glibc adds the bias to most pointers of the section in place, but not to all, nor always. */
static uintptr_t dynamic_pointer(const struct object *object, ElfW(Addr) value)
{
	return value < object->bias ? value + object->bias : value;
}

static const char *image_strings(const struct object *object)
{
	const ElfW(Dyn) *entry = image_dynamic(object);

	for (; entry && entry->d_tag != DT_NULL; entry++)
		if (entry->d_tag == DT_STRTAB)
			return (const char *)dynamic_pointer(object, entry->d_un.d_ptr);
	return NULL;
}

const char *image_soname(const struct object *object)
{
	const char *strings = image_strings(object);
	const ElfW(Dyn) *entry = strings ? image_dynamic(object) : NULL;

	for (; entry && entry->d_tag != DT_NULL; entry++)
		if (entry->d_tag == DT_SONAME)
			return strings + entry->d_un.d_val;
	return NULL;
}

bool image_needs(const struct object *object, const char *name)
{
	const char *strings = image_strings(object);
	const ElfW(Dyn) *entry = strings ? image_dynamic(object) : NULL;

	for (; entry && entry->d_tag != DT_NULL; entry++)
		if (entry->d_tag == DT_NEEDED &&
			!strcmp(path_base(strings + entry->d_un.d_val), name))
			return true;
	return false;
}

const unsigned char *image_build_id(const struct object *object, size_t *size)
{
	for (unsigned int i = 0; i < object->phnum; i++) {
		const ElfW(Phdr) *segment = object->phdr + i;
		const char *at = (const char *)(object->bias + segment->p_vaddr);
		const char *end = at + segment->p_memsz;

		if (segment->p_type != PT_NOTE)
			continue;
		while ((size_t)(end - at) >= sizeof(ElfW(Nhdr))) {
			const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)at;
			size_t name = (note->n_namesz + 3u) & ~(size_t)3;
			size_t all = sizeof(*note) + name + ((note->n_descsz + 3u) & ~(size_t)3);

			if (all > (size_t)(end - at))
				break;
			if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
				!memcmp(note + 1, "GNU", 4)) {
				*size = note->n_descsz;
				return (const unsigned char *)(note + 1) + name;
			}
			at += all;
		}
	}
	*size = 0;
	return NULL;
}

const char *path_base(const char *path)
{
	const char *last = strrchr(path, '/');

	return last ? last + 1 : path;
}
