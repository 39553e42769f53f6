/* SPDX-License-Identifier: MIT */
#include "elf/variable-type.h"

#include "elf/memory.h"

#include <dwarf.h>
#include <inttypes.h>
#include <stdlib.h>

#define DEPTH_MAX 32	 /* of types in types: damaged debug information may go in circles */
#define DIMENSIONS_MAX 8 /* of one array */

bool type_of(Dwarf_Die *die, Dwarf_Die *type)
{
	Dwarf_Attribute attribute;

	return dwarf_attr_integrate(die, DW_AT_type, &attribute) &&
	       dwarf_formref_die(&attribute, type) && dwarf_peel_type(type, type) == 0;
}

uint64_t type_size(Dwarf_Die *type)
{
	Dwarf_Word size;

	return dwarf_aggregate_size(type, &size) == 0 ? size : 0;
}

static void path_add(char **path, char *more)
{
	char *longer = text_format("%s%s", *path, more);

	free(*path);
	free(more);
	*path = longer;
}

/* The lengths of an array's dimensions, outermost first; 0: not known. */
static size_t array_dimensions(Dwarf_Die *array, uint64_t lengths[DIMENSIONS_MAX])
{
	Dwarf_Attribute attribute;
	size_t count = 0;
	Dwarf_Word value;
	Dwarf_Die die;

	if (dwarf_child(array, &die) != 0)
		return 0;
	do {
		if (dwarf_tag(&die) != DW_TAG_subrange_type || count == DIMENSIONS_MAX)
			continue;
		lengths[count] = 0;
		if (dwarf_attr_integrate(&die, DW_AT_count, &attribute) &&
			dwarf_formudata(&attribute, &value) == 0)
			lengths[count] = value;
		else if (dwarf_attr_integrate(&die, DW_AT_upper_bound, &attribute) &&
			 dwarf_formudata(&attribute, &value) == 0)
			lengths[count] = value + 1;
		count++;
	} while (dwarf_siblingof(&die, &die) == 0);
	return count;
}

/* Goes on to the element that @offset is in. */
static bool array_step(Dwarf_Die *type, uint64_t *offset, char **path)
{
	uint64_t lengths[DIMENSIONS_MAX], stride;
	size_t count = array_dimensions(type, lengths), i, k;
	Dwarf_Die element;

	if (!count || !type_of(type, &element) || !type_size(&element))
		return false;
	for (i = 0; i < count; i++) {
		stride = type_size(&element);
		for (k = i + 1; k < count; k++)
			if (__builtin_mul_overflow(stride, lengths[k], &stride))
				return false;
		if (!stride)
			return false;
		path_add(path, text_format("[%" PRIu64 "]", *offset / stride));
		*offset %= stride;
	}
	*type = element;
	return true;
}

/* Where a member begins; false for static ones, and for bases whose place is computed. */
static bool member_start(Dwarf_Die *member, bool in_union, uint64_t *start)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value;

	*start = 0;
	if (dwarf_attr(member, DW_AT_data_member_location, &attribute)) {
		if (dwarf_formudata(&attribute, &value) != 0)
			return false;
		*start = value;
		return true;
	}
	return in_union && !dwarf_hasattr(member, DW_AT_declaration) &&
	       !dwarf_hasattr(member, DW_AT_external);
}

/* Goes on to the member or base that @offset is in; the first one of a union that has it. */
static bool struct_step(Dwarf_Die *type, uint64_t *offset, char **path)
{
	bool in_union = dwarf_tag(type) == DW_TAG_union_type, found = false;
	Dwarf_Die member, member_type, chosen_type;
	uint64_t start, size, chosen_start = 0;
	const char *name = NULL;
	int tag;

	if (dwarf_child(type, &member) != 0)
		return false;
	do {
		tag = dwarf_tag(&member);
		if ((tag != DW_TAG_member && tag != DW_TAG_inheritance) ||
			!member_start(&member, in_union, &start) || *offset < start ||
			!type_of(&member, &member_type))
			continue;
		size = type_size(&member_type);
		/* A member without a size is a flexible array, which comes last. */
		if (size ? *offset - start >= size : dwarf_tag(&member_type) != DW_TAG_array_type)
			continue;
		found = true;
		chosen_type = member_type;
		chosen_start = start;
		name = tag == DW_TAG_member ? dwarf_diename(&member) : NULL;
		if (size)
			break;
	} while (dwarf_siblingof(&member, &member) == 0);
	if (!found)
		return false;
	if (name)
		path_add(path, text_format(".%s", name));
	*offset -= chosen_start;
	*type = chosen_type;
	return true;
}

static bool type_step(Dwarf_Die *type, uint64_t *offset, char **path)
{
	switch (dwarf_tag(type)) {
	case DW_TAG_array_type:
		return array_step(type, offset, path);
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
		return struct_step(type, offset, path);
	default:
		return false;
	}
}

char *type_path(Dwarf_Die *type, uint64_t offset)
{
	char *path = text_copy("");
	Dwarf_Die at = *type;
	int depth;

	for (depth = 0; depth < DEPTH_MAX && type_step(&at, &offset, &path); depth++)
		;
	if (offset)
		path_add(&path, text_format("+0x%" PRIx64, offset));
	return path;
}
