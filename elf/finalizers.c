/* SPDX-License-Identifier: MIT */
#include "elf/finalizers.h"

#include "elf/function-names.h"
#include "elf/memory.h"
#include "elf/relocation.h"

#include <stdlib.h>
#include <string.h>

#define FINALIZER_MAX 4096

/* What a slot of the array will hold, as ELF address; 0 when it is another object's function. */
static uint64_t slot_value(const struct dynamic *d, uint64_t slot)
{
	const struct dynamic_relocation *r;
	const void *bytes;
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < d->relocation_count; i++) {
		r = &d->relocations[i];
		if (r->at != slot)
			continue;
		if (r->type == RELOCATION_RELATIVE)
			return r->addend;
		if (r->type == RELOCATION_ABSOLUTE && d->symbols[r->symbol].defined)
			return d->symbols[r->symbol].value + r->addend;
		return 0;
	}
	/* Relative relocations in the packed form (DT_RELR) leave the addend in place. */
	if ((bytes = dynamic_bytes(d, slot, sizeof(value))))
		memcpy(&value, bytes, sizeof(value));
	return value;
}

static void finalizer_add(struct finalizers *f, const struct dynamic *d, uint64_t address)
{
	const char *name = function_name(d, address);

	if (!name)
		f->unnamed++;
	else if (strcmp(name, "__do_global_dtors_aux") != 0 && strcmp(name, "_fini") != 0)
		*(const char **)array_append(&f->names, &f->count, sizeof(*f->names)) = name;
}

#if defined(__x86_64__)
/* The _fini of crti.o and crtn.o, when nothing was put between the two. */
static bool fini_is_empty(const struct dynamic *d, uint64_t address)
{
	static const unsigned char code[] = {
		0xf3, 0x0f, 0x1e, 0xfa, 0x48, 0x83, 0xec, 0x08, 0x48, 0x83, 0xc4, 0x08, 0xc3};
	const unsigned char *bytes = dynamic_bytes(d, address, sizeof(code));

	if (bytes && memcmp(bytes, code, sizeof(code)) == 0)
		return true;
	bytes = dynamic_bytes(d, address, sizeof(code) - 4);
	return bytes && memcmp(bytes, code + 4, sizeof(code) - 4) == 0;
}
#else
static bool fini_is_empty(const struct dynamic *d, uint64_t address)
{
	const char *name = function_name(d, address);

	return name && strcmp(name, "_fini") == 0;
}
#endif

void finalizers_read(struct finalizers *f, const struct dynamic *d)
{
	const struct dynamic_symbol *finalize = dynamic_symbol(d, "__cxa_finalize");
	uint64_t address, size, i, n;

	memset(f, 0, sizeof(*f));
	if (dynamic_value(d, DT_FINI_ARRAY, &address) && dynamic_value(d, DT_FINI_ARRAYSZ, &size) &&
		size <= dynamic_extent(d, address)) {
		n = size / sizeof(address);
		for (i = n < FINALIZER_MAX ? n : FINALIZER_MAX; i; i--)
			finalizer_add(f, d, slot_value(d, address + (i - 1) * sizeof(address)));
	}
	/* Without symbols, one of them is that of the start files. */
	if (f->unnamed && finalize && !function_names_are_full(d))
		f->unnamed--;
	if (dynamic_value(d, DT_FINI, &address) && !fini_is_empty(d, address))
		finalizer_add(f, d, address);
}

void finalizers_free(struct finalizers *f)
{
	free(f->names);
	memset(f, 0, sizeof(*f));
}
