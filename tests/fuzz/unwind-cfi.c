/* SPDX-License-Identifier: MIT */
/*
 * The C library's own unwind information, whole and then with thousands of
 * mutations, always the same ones: every row is read, or refused, and nothing
 * outside the table is touched (it is a copy on the heap, so that ASan sees).
 */
#include "shim/unwind-cfi.h"

#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 20000
#define ADDRESSES 4

/* The table and the code it is for. */
struct table {
	const unsigned char *header;
	size_t size; /* from the header to the end of its segment */
	uintptr_t code, code_size;
};

static uint64_t seed = 88172645463325252u;

static uint64_t draw(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

static int table_find(struct dl_phdr_info *info, size_t size, void *data)
{
	struct table *table = data;
	uintptr_t header = 0;
	int i;

	if (!strstr(info->dlpi_name, "libc.so"))
		return 0;
	for (i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_GNU_EH_FRAME)
			header = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + segment->p_vaddr;

		if (segment->p_type != PT_LOAD)
			continue;
		if (segment->p_flags & PF_X) {
			table->code = start;
			table->code_size = segment->p_memsz;
		}
		if (header - start < segment->p_memsz)
			table->size = start + segment->p_memsz - header;
	}
	table->header = (const unsigned char *)header;
	return 1;
}

/* The table is relative to itself: a copy is for code that lies as far away. */
static bool row_find(
	const struct table *table, const unsigned char *copy, uintptr_t code, struct cfi_row *row)
{
	uintptr_t address = (uintptr_t)copy + (code - (uintptr_t)table->header);

	return cfi_row_find(copy, address, (uintptr_t)copy, (uintptr_t)copy + table->size, row);
}

static size_t whole(const struct table *table, const unsigned char *copy, size_t *wrong)
{
	struct cfi_row row, again;
	size_t found = 0;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		uintptr_t code = table->code + draw() % table->code_size;

		memset(&row, 0, sizeof(row));
		if (!row_find(table, copy, code, &row))
			continue;
		found++;
		memset(&again, 0, sizeof(again));
		if (!cfi_row_find(table->header, code, (uintptr_t)table->header,
			    (uintptr_t)table->header + table->size, &again) ||
			again.cfa_register != row.cfa_register ||
			again.cfa_offset != row.cfa_offset)
			(*wrong)++;
	}
	return found;
}

/* Near the start, where the header and the first entries are, and anywhere. */
static size_t place_draw(const struct table *table)
{
	return draw() % (draw() % 2 ? 64 : table->size);
}

int main(void)
{
	struct table table = {NULL, 0, 0, 0};
	struct cfi_row row;
	unsigned char *copy;
	size_t found, wrong = 0, refused = 0;
	int i, k;

	dl_iterate_phdr(table_find, &table);
	if (!table.header || !table.size || !table.code_size) {
		printf("1..0 # SKIP the C library has no table of unwind information\n");
		return 0;
	}
	copy = malloc(table.size);
	memcpy(copy, table.header, table.size);
	printf("1..2\n");
	found = whole(&table, copy, &wrong);
	printf("%s 1 - most code of the C library has a row, the same in a copy of the table\n",
		found > ROUNDS * 9 / 10 && !wrong ? "ok" : "not ok");
	printf("# %zu rows of %d, %zu differ\n", found, ROUNDS, wrong);
	for (i = 0; i < ROUNDS; i++) {
		size_t at[3];

		for (k = 0; k < 3; k++) {
			at[k] = place_draw(&table);
			if (draw() % 2)
				copy[at[k]] ^= 1u << draw() % 8;
			else
				copy[at[k]] = (unsigned char)draw();
		}
		for (k = 0; k < ADDRESSES; k++)
			refused += !row_find(
				&table, copy, table.code + draw() % table.code_size, &row);
		for (k = 0; k < 3; k++)
			copy[at[k]] = table.header[at[k]];
	}
	printf("%s 2 - damaged tables are read or refused, and no more\n",
		refused && refused < (size_t)ROUNDS * ADDRESSES ? "ok" : "not ok");
	printf("# %zu of %d refused\n", refused, ROUNDS * ADDRESSES);
	free(copy);
	return found <= ROUNDS * 9 / 10 || wrong || !refused;
}
