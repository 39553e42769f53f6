/* SPDX-License-Identifier: MIT */
/* The same thousands of damaged copies of a plugin in every make check. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutation.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 4000

static uint8_t *bytes_read(size_t *size)
{
	const char *top = getenv("top_builddir");
	uint8_t *bytes;
	char path[4096];
	FILE *in;

	snprintf(path, sizeof(path), "%s/tests/fuzz/.libs/plugin.so", top ? top : ".");
	in = fopen(path, "r");
	if (!in)
		return NULL;
	fseek(in, 0, SEEK_END);
	*size = ftell(in);
	rewind(in);
	bytes = malloc(*size);
	if (fread(bytes, 1, *size, in) != *size)
		*size = 0;
	fclose(in);
	return bytes;
}

static void range_add(uint32_t *offsets, size_t *count, size_t from, size_t size)
{
	for (; size; size--)
		offsets[(*count)++] = from++;
}

/* Offsets of what is read: headers, and sections that are neither code nor debug information. */
static size_t read_offsets(const uint8_t *bytes, uint32_t **offsets)
{
	Elf64_Ehdr header;
	Elf64_Shdr section;
	size_t count = 0, room = 0, i, pass;

	memcpy(&header, bytes, sizeof(header));
	*offsets = NULL;
	for (pass = 0; pass < 2; pass++) {
		room = sizeof(header) + header.e_phnum * sizeof(Elf64_Phdr) +
		       header.e_shnum * sizeof(section);
		if (pass) {
			range_add(*offsets, &count, 0, sizeof(header));
			range_add(*offsets, &count, header.e_phoff,
				header.e_phnum * sizeof(Elf64_Phdr));
			range_add(
				*offsets, &count, header.e_shoff, header.e_shnum * sizeof(section));
		}
		for (i = 0; i < header.e_shnum; i++) {
			memcpy(&section, bytes + header.e_shoff + i * sizeof(section),
				sizeof(section));
			if (section.sh_type == SHT_PROGBITS || section.sh_type == SHT_NOBITS)
				continue;
			room += section.sh_size;
			if (pass)
				range_add(*offsets, &count, section.sh_offset, section.sh_size);
		}
		if (!pass)
			*offsets = malloc(room * sizeof(**offsets));
	}
	return count;
}

int main(void)
{
	size_t size = 0, count, i, k, good = 0, refused = 0;
	uint8_t *whole = bytes_read(&size), *bytes;
	uint32_t *offsets;

	if (!whole || !size) {
		printf("1..0 # SKIP the plugin is not built\n");
		return 0;
	}
	count = read_offsets(whole, &offsets);
	bytes = malloc(size);
	printf("1..2\n");
	printf("%sok 1 - the plugin without damage is read\n",
		LLVMFuzzerTestOneInput(whole, size) ? "" : "not ");
	for (i = 0; i < ROUNDS; i++) {
		memcpy(bytes, whole, size);
		for (k = 0; k < 1 + i % 4; k++)
			mutation_make(bytes + offsets[mutation_draw() % count]);
		if (LLVMFuzzerTestOneInput(bytes, i % 16 ? size : mutation_draw() % size))
			good++;
		else
			refused++;
	}
	printf("%sok 2 - %d damaged ones: %zu read, %zu refused\n", good && refused ? "" : "not ",
		ROUNDS, good, refused);
	free(bytes);
	free(whole);
	free(offsets);
	return 0;
}
