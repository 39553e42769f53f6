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

static ElfW(Dyn) * image_dynamic(const struct object *object)
{
	for (unsigned int i = 0; i < object->phnum; i++)
		if (object->phdr[i].p_type == PT_DYNAMIC)
			return (ElfW(Dyn) *)(object->bias + object->phdr[i].p_vaddr);
	return NULL;
}

/* glibc adds the bias to most pointers of the section in place, but not to all, nor always. */
static uintptr_t dynamic_pointer(const struct object *object, ElfW(Addr) value)
{
	return value < object->bias ? value + object->bias : value;
}

ElfW(Dyn) * image_dynamic_entry(const struct object *object, ElfW(Sxword) tag)
{
	ElfW(Dyn) *entry = image_dynamic(object);

	for (; entry && entry->d_tag != DT_NULL; entry++)
		if (entry->d_tag == tag)
			return entry;
	return NULL;
}

uintptr_t image_dynamic_value(const struct object *object, ElfW(Sxword) tag)
{
	const ElfW(Dyn) *entry = image_dynamic_entry(object, tag);

	return entry ? entry->d_un.d_val : 0;
}

static const void *dynamic_table(const struct object *object, ElfW(Sxword) tag)
{
	uintptr_t value = image_dynamic_value(object, tag);

	return value ? (const void *)dynamic_pointer(object, value) : NULL;
}

static const char *image_strings(const struct object *object)
{
	return dynamic_table(object, DT_STRTAB);
}

const char *image_soname(const struct object *object)
{
	const char *strings = image_strings(object);
	const ElfW(Dyn) *entry = strings ? image_dynamic_entry(object, DT_SONAME) : NULL;

	return entry ? strings + entry->d_un.d_val : NULL;
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

/* The longest chain of the GNU table ends at the last symbol. */
static size_t gnu_symbol_count(const uint32_t *table)
{
	const uint32_t *buckets = table + 4 + table[2] * (sizeof(ElfW(Addr)) / sizeof(uint32_t));
	const uint32_t *chains = buckets + table[0];
	uint32_t last = 0;

	for (uint32_t i = 0; i < table[0]; i++)
		if (buckets[i] > last)
			last = buckets[i];
	if (last < table[1])
		return table[1];
	while (!(chains[last - table[1]] & 1))
		last++;
	return last + 1;
}

static size_t symbol_count(const struct object *object)
{
	const uint32_t *table = dynamic_table(object, DT_HASH);

	if (table)
		return table[1];
	table = dynamic_table(object, DT_GNU_HASH);
	return table ? gnu_symbol_count(table) : 0;
}

void image_symbols(const struct object *object,
	bool (*visit)(const ElfW(Sym) * symbol, const char *name, void *data), void *data)
{
	const ElfW(Sym) *symbols = dynamic_table(object, DT_SYMTAB);
	const char *strings = image_strings(object);
	size_t count = symbols && strings ? symbol_count(object) : 0;

	for (size_t i = 1; i < count; i++)
		if (!visit(symbols + i, strings + symbols[i].st_name, data))
			return;
}

uintptr_t image_function(const struct object *object, const char *name)
{
	const uint32_t *table = dynamic_table(object, DT_GNU_HASH), *buckets, *chains;
	const ElfW(Sym) *symbols = dynamic_table(object, DT_SYMTAB);
	const char *strings = image_strings(object);
	uint32_t hash = 5381, at;

	if (!table || !table[0] || !symbols || !strings)
		return 0;
	buckets = table + 4 + table[2] * (sizeof(ElfW(Addr)) / sizeof(uint32_t));
	chains = buckets + table[0];
	for (const char *c = name; *c; c++)
		hash = hash * 33 + (unsigned char)*c;
	at = buckets[hash % table[0]];
	for (; at >= table[1]; at++) {
		uint32_t found = chains[at - table[1]];

		if ((found | 1) == (hash | 1) && symbols[at].st_shndx != SHN_UNDEF &&
			ELF64_ST_TYPE(symbols[at].st_info) == STT_FUNC &&
			!strcmp(strings + symbols[at].st_name, name))
			return object->bias + symbols[at].st_value;
		if (found & 1)
			break;
	}
	return 0;
}

struct reference {
	const char *name;
	bool found;
};

static bool reference_visit(const ElfW(Sym) * symbol, const char *name, void *data)
{
	struct reference *reference = data;

	if (symbol->st_shndx == SHN_UNDEF && !strcmp(name, reference->name))
		reference->found = true;
	return !reference->found;
}

bool image_refers_to(const struct object *object, const char *name)
{
	struct reference reference = {.name = name};

	image_symbols(object, reference_visit, &reference);
	return reference.found;
}

bool image_is_sealed(const struct object *object, uintptr_t address)
{
	for (unsigned int i = 0; i < object->phnum; i++)
		if (object->phdr[i].p_type == PT_GNU_RELRO &&
			address - (object->bias + object->phdr[i].p_vaddr) <
				object->phdr[i].p_memsz)
			return true;
	return false;
}

void image_relocations(const struct object *object,
	bool (*visit)(const ElfW(Sym) * symbol, const char *name, uintptr_t slot, void *data),
	void *data)
{
	const ElfW(Sxword) tables[2][2] = {{DT_JMPREL, DT_PLTRELSZ}, {DT_RELA, DT_RELASZ}};
	const ElfW(Sym) *symbols = dynamic_table(object, DT_SYMTAB);
	const char *strings = image_strings(object);

	for (int table = 0; symbols && strings && table < 2; table++) {
		const ElfW(Rela) *relocation = dynamic_table(object, tables[table][0]);
		size_t count = image_dynamic_value(object, tables[table][1]) / sizeof(ElfW(Rela));

		for (size_t i = 0; relocation && i < count; i++) {
			const ElfW(Sym) *symbol = symbols + ELF64_R_SYM(relocation[i].r_info);

			if (symbol != symbols &&
				!visit(symbol, strings + symbol->st_name,
					object->bias + relocation[i].r_offset, data))
				return;
		}
	}
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
