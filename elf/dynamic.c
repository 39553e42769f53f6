/* SPDX-License-Identifier: MIT */
#include "elf/dynamic.h"

#include "elf/memory.h"
#include "elf/relocation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ENTRY_MAX 4096 /* of a dynamic section; real ones have some dozens */

static const GElf_Phdr *segment_of(const struct dynamic *d, uint64_t address)
{
	const GElf_Phdr *s;
	size_t i;

	for (i = 0; i < d->segment_count; i++) {
		s = &d->segments[i];
		if (s->p_type == PT_LOAD && address >= s->p_vaddr &&
			address - s->p_vaddr < s->p_filesz)
			return s;
	}
	return NULL;
}

size_t dynamic_extent(const struct dynamic *d, uint64_t address)
{
	const GElf_Phdr *s = segment_of(d, address);

	return s ? s->p_filesz - (address - s->p_vaddr) : 0;
}

static Elf_Data *dynamic_chunk(
	const struct dynamic *d, uint64_t address, uint64_t size, Elf_Type type)
{
	const GElf_Phdr *s = segment_of(d, address);

	if (!s || !size || size > s->p_filesz - (address - s->p_vaddr))
		return NULL;
	return elf_getdata_rawchunk(d->image.elf, s->p_offset + (address - s->p_vaddr), size, type);
}

const void *dynamic_bytes(const struct dynamic *d, uint64_t address, size_t size)
{
	Elf_Data *data = dynamic_chunk(d, address, size, ELF_T_BYTE);

	return data ? data->d_buf : NULL;
}

const char *dynamic_text(const struct dynamic *d, uint64_t offset)
{
	if (!d->strings || offset >= d->string_size ||
		!memchr(d->strings + offset, '\0', d->string_size - offset))
		return NULL;
	return d->strings + offset;
}

bool dynamic_value(const struct dynamic *d, int64_t tag, uint64_t *value)
{
	size_t i;

	for (i = 0; i < d->entry_count; i++) {
		if (d->entries[i].d_tag == tag) {
			*value = d->entries[i].d_un.d_val;
			return true;
		}
	}
	return false;
}

/* The slot of the index that has the name, or the free one where it belongs. */
static uint32_t *symbol_slot(const struct dynamic *d, const char *name)
{
	size_t hash = 5381, mask = d->symbol_index_size - 1;
	const unsigned char *p;

	for (p = (const unsigned char *)name; *p; p++)
		hash = hash * 33 + *p;
	while (d->symbol_index[hash & mask] &&
		strcmp(d->symbols[d->symbol_index[hash & mask]].name, name) != 0)
		hash++;
	return &d->symbol_index[hash & mask];
}

const struct dynamic_symbol *dynamic_symbol(const struct dynamic *d, const char *name)
{
	uint32_t found;

	if (!d->symbol_count)
		return NULL;
	found = *symbol_slot(d, name);
	return found ? &d->symbols[found] : NULL;
}

bool symbol_is_exported(const struct dynamic_symbol *symbol)
{
	return symbol->defined && *symbol->name &&
	       (symbol->bind == STB_GLOBAL || symbol->bind == STB_WEAK ||
		       symbol->bind == STB_GNU_UNIQUE);
}

static bool segments_read(struct dynamic *d)
{
	bool has_stack = false;
	size_t i;

	if (elf_getphdrnum(d->image.elf, &d->segment_count) < 0)
		return false;
	d->segments = memory_zeroed(d->segment_count, sizeof(*d->segments));
	for (i = 0; i < d->segment_count; i++) {
		if (!gelf_getphdr(d->image.elf, i, &d->segments[i]))
			return false;
		if (d->segments[i].p_type == PT_GNU_STACK) {
			has_stack = true;
			d->has_exec_stack = d->segments[i].p_flags & PF_X;
		}
	}
#if defined(__x86_64__)
	/* The loader takes a file that does not say for an old one that wants it. */
	d->has_exec_stack |= !has_stack;
#endif
	return true;
}

static bool entries_read(struct dynamic *d)
{
	const GElf_Phdr *s = NULL;
	Elf_Data *data;
	GElf_Dyn entry;
	size_t i;

	for (i = 0; i < d->segment_count && !s; i++)
		if (d->segments[i].p_type == PT_DYNAMIC)
			s = &d->segments[i];
	if (!s)
		return false;
	data = elf_getdata_rawchunk(d->image.elf, s->p_offset, s->p_filesz, ELF_T_DYN);
	for (i = 0; data && i < ENTRY_MAX && gelf_getdyn(data, i, &entry); i++) {
		if (entry.d_tag == DT_NULL)
			break;
		*(GElf_Dyn *)array_append(&d->entries, &d->entry_count, sizeof(entry)) = entry;
	}
	return d->entry_count > 0;
}

static bool strings_read(struct dynamic *d)
{
	uint64_t address, size;

	if (!dynamic_value(d, DT_STRTAB, &address) || !dynamic_value(d, DT_STRSZ, &size))
		return false;
	d->strings = dynamic_bytes(d, address, size);
	d->string_size = d->strings ? size : 0;
	return d->strings;
}

/* The entries that name texts or are flags. */
static bool header_read(struct dynamic *d)
{
	const char **text;
	uint64_t value;
	size_t i;

	for (i = 0; i < d->entry_count; i++) {
		value = d->entries[i].d_un.d_val;
		switch (d->entries[i].d_tag) {
		case DT_NEEDED:
			text = array_append(&d->needed, &d->needed_count, sizeof(*text));
			break;
		case DT_SONAME:
			text = &d->soname;
			break;
		case DT_RPATH:
			text = &d->rpath;
			break;
		case DT_RUNPATH:
			text = &d->runpath;
			break;
		default:
			continue;
		}
		*text = dynamic_text(d, value);
		if (!*text)
			return false;
	}
	dynamic_value(d, DT_FLAGS, &d->flags);
	dynamic_value(d, DT_FLAGS_1, &d->flags_1);
	d->has_text_relocations = (d->flags & DF_TEXTREL) || dynamic_value(d, DT_TEXTREL, &value);
	d->has_static_tls = d->flags & DF_STATIC_TLS;
	/* As the loader does: a RUNPATH makes it ignore the RPATH. */
	if (d->runpath)
		d->rpath = NULL;
	return true;
}

static bool relocations_add(struct dynamic *d, int64_t table_tag, int64_t size_tag)
{
	struct dynamic_relocation *to;
	uint64_t address, size;
	Elf_Data *data;
	GElf_Rela rela;
	size_t i;

	if (!dynamic_value(d, table_tag, &address) || !dynamic_value(d, size_tag, &size) || !size)
		return true;
	data = dynamic_chunk(d, address, size, ELF_T_RELA);
	if (!data)
		return false;
	for (i = 0; gelf_getrela(data, i, &rela); i++) {
		to = array_append(&d->relocations, &d->relocation_count, sizeof(*to));
		to->at = rela.r_offset;
		to->type = GELF_R_TYPE(rela.r_info);
		to->symbol = GELF_R_SYM(rela.r_info);
		to->addend = rela.r_addend;
		if (to->type == RELOCATION_STATIC_TLS)
			d->has_static_tls = true;
	}
	return true;
}

/* @count aligned words of 4 bytes. */
static const uint32_t *dynamic_words(const struct dynamic *d, uint64_t address, uint64_t count)
{
	Elf_Data *data = dynamic_chunk(d, address, count * sizeof(uint32_t), ELF_T_WORD);

	return data ? data->d_buf : NULL;
}

/* Only names that are hashed can be found from elsewhere; 0 if there is no such table. */
static size_t hashed_count(const struct dynamic *d)
{
	uint32_t bucket_count, first, last = 0, i;
	const uint32_t *words;
	uint64_t at, left;

	if (dynamic_value(d, DT_HASH, &at) && (words = dynamic_words(d, at, 2)))
		return words[1];
	if (!dynamic_value(d, DT_GNU_HASH, &at) || !(words = dynamic_words(d, at, 4)))
		return 0;
	bucket_count = words[0];
	first = words[1];
	/* Buckets come after the filter's words of 8 bytes. */
	at += 4 * sizeof(*words) + words[2] * UINT64_C(8);
	words = dynamic_words(d, at, bucket_count);
	for (i = 0; words && i < bucket_count; i++)
		if (words[i] > last)
			last = words[i];
	if (!words || last < first)
		return 0;
	at += (bucket_count + (uint64_t)(last - first)) * sizeof(*words);
	left = dynamic_extent(d, at) / sizeof(*words);
	words = dynamic_words(d, at, left);
	/* The lowest bit marks the end of the chain. */
	for (i = 0; words && i < left; i++)
		if (words[i] & 1)
			return (size_t)last + i + 1;
	return 0;
}

/* No table says how many symbols there are: what is hashed, and what relocations use. */
static size_t symbols_counted(const struct dynamic *d)
{
	size_t count = hashed_count(d), i;

	for (i = 0; i < d->relocation_count; i++)
		if (d->relocations[i].symbol >= count)
			count = (size_t)d->relocations[i].symbol + 1;
	return count;
}

static bool symbols_read(struct dynamic *d)
{
	size_t count = symbols_counted(d), i;
	struct dynamic_symbol *to;
	uint64_t address;
	Elf_Data *data;
	GElf_Sym symbol;

	if (!count)
		return true;
	if (!dynamic_value(d, DT_SYMTAB, &address))
		return false;
	data = dynamic_chunk(d, address, (uint64_t)count * sizeof(Elf64_Sym), ELF_T_SYM);
	if (!data)
		return false;
	d->symbols = memory_zeroed(count, sizeof(*d->symbols));
	d->symbol_count = count;
	for (i = 0; i < count; i++) {
		to = &d->symbols[i];
		if (!gelf_getsym(data, i, &symbol))
			return false;
		to->name = dynamic_text(d, symbol.st_name);
		if (!to->name)
			return false;
		to->value = symbol.st_value;
		to->bind = GELF_ST_BIND(symbol.st_info);
		to->type = GELF_ST_TYPE(symbol.st_info);
		to->defined = symbol.st_shndx != SHN_UNDEF;
	}
	for (i = 0; i < d->relocation_count; i++)
		d->symbols[d->relocations[i].symbol].bound = true;
	return true;
}

static void symbols_index(struct dynamic *d)
{
	uint32_t *slot;
	size_t i;

	if (!d->symbol_count)
		return;
	for (d->symbol_index_size = 2; d->symbol_index_size < 2 * d->symbol_count;)
		d->symbol_index_size *= 2;
	d->symbol_index = memory_zeroed(d->symbol_index_size, sizeof(*d->symbol_index));
	for (i = 1; i < d->symbol_count; i++) {
		slot = symbol_slot(d, d->symbols[i].name);
		if (!*slot)
			*slot = i;
	}
}

static int dynamic_damaged(const struct dynamic *d, const char *what, struct error *error)
{
	return error_set(error, ENOEXEC,
		"%s: is damaged: its %s cannot be read; build or copy it anew", d->path, what);
}

int dynamic_open(struct dynamic *d, const char *path, struct error *error)
{
	memset(d, 0, sizeof(*d));
	d->path = text_copy(path);
	if (image_open(&d->image, d->path, error) < 0 ||
		image_check_machine(&d->image, error) < 0 ||
		image_check_whole(&d->image, error) < 0)
		return -1;
	if (!segments_read(d))
		return dynamic_damaged(d, "program header", error);
	if (!entries_read(d))
		return error_set(error, ENOEXEC,
			"%s: has no dynamic section: nothing can be loaded with it", d->path);
	if (!strings_read(d) || !header_read(d))
		return dynamic_damaged(d, "dynamic section", error);
	if (!relocations_add(d, DT_RELA, DT_RELASZ) || !relocations_add(d, DT_JMPREL, DT_PLTRELSZ))
		return dynamic_damaged(d, "relocations", error);
	if (!symbols_read(d))
		return dynamic_damaged(d, "dynamic symbol table", error);
	if (!versions_read(d))
		return dynamic_damaged(d, "table of symbol versions", error);
	symbols_index(d);
	return 0;
}

void dynamic_close(struct dynamic *d)
{
	free(d->needed);
	free(d->symbols);
	free(d->symbol_index);
	free(d->relocations);
	free(d->version_needs);
	free(d->versions);
	free(d->segments);
	free(d->entries);
	image_close(&d->image);
	free(d->path);
	memset(d, 0, sizeof(*d));
	d->image.fd = -1;
}
