/* SPDX-License-Identifier: MIT */
#include "elf/function-names.h"

#include "elf/memory.h"

#include <string.h>

struct symbol_table {
	const struct dynamic *dynamic;
	Elf_Data *data; /* NULL: the file has none */
	size_t strings; /* section index */
};

/* The table of all symbols, which strip(1) takes away. */
static struct symbol_table symbol_table(const struct dynamic *dynamic)
{
	struct symbol_table table = {dynamic, NULL, 0};
	Elf *elf = dynamic->image.elf;
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while ((section = elf_nextscn(elf, section))) {
		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_SYMTAB)
			continue;
		table.data = elf_getdata(section, NULL);
		table.strings = header.sh_link;
		break;
	}
	return table;
}

static const char *symbol_name(const struct symbol_table *table, const GElf_Sym *symbol)
{
	return elf_strptr(table->dynamic->image.elf, table->strings, symbol->st_name);
}

bool function_names_are_full(const struct dynamic *dynamic)
{
	return symbol_table(dynamic).data;
}

const char *function_name(const struct dynamic *dynamic, uint64_t address)
{
	struct symbol_table table = symbol_table(dynamic);
	const char *name;
	GElf_Sym symbol;
	size_t i;

	for (i = 0; table.data && gelf_getsym(table.data, i, &symbol); i++)
		if (GELF_ST_TYPE(symbol.st_info) == STT_FUNC && symbol.st_value == address &&
			symbol.st_shndx != SHN_UNDEF && (name = symbol_name(&table, &symbol)) &&
			*name)
			return name;
	for (i = 1; i < dynamic->symbol_count; i++)
		if (dynamic->symbols[i].type == STT_FUNC && dynamic->symbols[i].defined &&
			dynamic->symbols[i].value == address)
			return dynamic->symbols[i].name;
	return NULL;
}

/* __tls_guard is of the function that makes the others. */
static void thread_local_add(const char ***names, size_t *count, const char *name)
{
	size_t i;

	if (!*name || strcmp(name, "__tls_guard") == 0 || strncmp(name, "_ZGV", 4) == 0)
		return;
	for (i = 0; i < *count; i++)
		if (strcmp((*names)[i], name) == 0)
			return;
	*(const char **)array_append(names, count, sizeof(**names)) = name;
}

size_t thread_local_names(const struct dynamic *dynamic, const char ***names)
{
	struct symbol_table table = symbol_table(dynamic);
	const char *name;
	GElf_Sym symbol;
	size_t count = 0, i;

	*names = NULL;
	for (i = 0; table.data && gelf_getsym(table.data, i, &symbol); i++)
		if (GELF_ST_TYPE(symbol.st_info) == STT_TLS && symbol.st_shndx != SHN_UNDEF &&
			(name = symbol_name(&table, &symbol)))
			thread_local_add(names, &count, name);
	for (i = 1; i < dynamic->symbol_count; i++)
		if (dynamic->symbols[i].type == STT_TLS && dynamic->symbols[i].defined)
			thread_local_add(names, &count, dynamic->symbols[i].name);
	return count;
}
