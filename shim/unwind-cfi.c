/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "shim/unwind-cfi.h"

/* Pointer encodings (LSB 10.5.1). */
#define PE_OMIT 0xff
#define PE_FORMAT 0x0f
#define PE_APPLY 0x70

#define STATES 4 /* depth of remember_state */

struct reader {
	const unsigned char *at, *end;
	bool bad;
};

static uint64_t read_bytes(struct reader *reader, unsigned int size)
{
	uint64_t value = 0;

	if ((size_t)(reader->end - reader->at) < size || reader->at > reader->end) {
		reader->bad = true;
		reader->at = reader->end;
		return 0;
	}
	memcpy(&value, reader->at, size); /* little-endian */
	reader->at += size;
	return value;
}

static unsigned char read_byte(struct reader *reader)
{
	if (reader->at >= reader->end) {
		reader->bad = true;
		return 0;
	}
	return *reader->at++;
}

static uint64_t read_uleb(struct reader *reader)
{
	uint64_t value = 0;
	unsigned int shift = 0;
	unsigned char byte;

	do {
		byte = read_byte(reader);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while ((byte & 0x80) && !reader->bad);
	return value;
}

static int64_t read_sleb(struct reader *reader)
{
	uint64_t value = 0;
	unsigned int shift = 0;
	unsigned char byte;

	do {
		byte = read_byte(reader);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while ((byte & 0x80) && !reader->bad);
	if (shift < 64 && (byte & 0x40))
		value |= ~UINT64_C(0) << shift;
	return (int64_t)value;
}

static uintptr_t read_encoded(struct reader *reader, unsigned char encoding, uintptr_t data_base)
{
	uintptr_t here = (uintptr_t)reader->at, value;

	switch (encoding & PE_FORMAT) {
	case 0x00:
	case 0x04:
	case 0x0c:
		value = (uintptr_t)read_bytes(reader, 8);
		break;
	case 0x01:
		value = (uintptr_t)read_uleb(reader);
		break;
	case 0x02:
		value = (uintptr_t)read_bytes(reader, 2);
		break;
	case 0x03:
		value = (uintptr_t)read_bytes(reader, 4);
		break;
	case 0x09:
		value = (uintptr_t)read_sleb(reader);
		break;
	case 0x0a:
		value = (uintptr_t)(int64_t)(int16_t)read_bytes(reader, 2);
		break;
	case 0x0b:
		value = (uintptr_t)(int64_t)(int32_t)read_bytes(reader, 4);
		break;
	default:
		reader->bad = true;
		return 0;
	}
	switch (encoding & PE_APPLY) {
	case 0x00:
		break;
	case 0x10:
		value += here;
		break;
	case 0x30:
		value += data_base;
		break;
	default:
		reader->bad = true;
	}
	return value;
}

struct cie {
	uint64_t code_align;
	int64_t data_align;
	unsigned int return_register;
	unsigned char fde_encoding;
	bool has_augmentation, signal_frame;
	struct reader program;
};

/* An entry's content behind its length; *id_at is where its id stands. */
static bool entry_open(
	struct reader *reader, const unsigned char *at, uintptr_t low, uintptr_t high)
{
	uint64_t length;

	if ((uintptr_t)at < low || (uintptr_t)at > high - 4)
		return false;
	*reader = (struct reader){at, (const unsigned char *)high, false};
	length = read_bytes(reader, 4);
	if (length == 0xffffffff)
		length = read_bytes(reader, 8);
	if (reader->bad || !length || length > (uint64_t)(reader->end - reader->at))
		return false;
	reader->end = reader->at + length;
	return true;
}

static bool cie_read(struct cie *cie, const unsigned char *at, uintptr_t low, uintptr_t high)
{
	const char *augmentation;
	struct reader reader;
	unsigned char version, encoding;
	uint64_t length;

	memset(cie, 0, sizeof(*cie));
	if (!entry_open(&reader, at, low, high) || read_bytes(&reader, 4))
		return false;
	version = read_byte(&reader);
	augmentation = (const char *)reader.at;
	while (!reader.bad && read_bytes(&reader, 1))
		;
	if (version == 4)
		read_bytes(&reader, 2);
	cie->code_align = read_uleb(&reader);
	cie->data_align = read_sleb(&reader);
	cie->return_register =
		(unsigned int)(version == 1 ? read_bytes(&reader, 1) : read_uleb(&reader));
	if (*augmentation == 'z') {
		cie->has_augmentation = true;
		length = read_uleb(&reader);
		if (reader.bad || length > (uint64_t)(reader.end - reader.at))
			return false;
		cie->program = (struct reader){reader.at + length, reader.end, false};
		for (augmentation++; *augmentation; augmentation++) {
			switch (*augmentation) {
			case 'R':
				cie->fde_encoding = read_byte(&reader);
				break;
			case 'P':
				encoding = read_byte(&reader);
				read_encoded(&reader, encoding & 0x7f, 0);
				break;
			case 'L':
				read_bytes(&reader, 1);
				break;
			case 'S':
				cie->signal_frame = true;
				break;
			case 'B':
				break;
			default:
				return false;
			}
		}
	} else if (*augmentation) {
		return false;
	} else {
		cie->program = reader;
	}
	return !reader.bad && cie->return_register == 16;
}

static enum cfi_register register_of(uint64_t dwarf)
{
	switch (dwarf) {
	case 6:
		return CFI_BP;
	case 7:
		return CFI_SP;
	case 16:
		return CFI_RA;
	default:
		return CFI_REGISTERS; /* not followed */
	}
}

struct cfi_program {
	const struct cie *cie;
	struct cfi_row row, initial, states[STATES];
	unsigned int depth;
	uintptr_t address;
};

static void rule_set(struct cfi_program *program, uint64_t dwarf, struct cfi_rule rule)
{
	enum cfi_register which = register_of(dwarf);

	if (which != CFI_REGISTERS)
		program->row.rule[which] = rule;
}

static void rule_restore(struct cfi_program *program, uint64_t dwarf)
{
	enum cfi_register which = register_of(dwarf);

	if (which != CFI_REGISTERS)
		program->row.rule[which] = program->initial.rule[which];
}

static struct cfi_rule rule_expression(struct reader *reader, enum cfi_how how)
{
	uint64_t length = read_uleb(reader);
	struct cfi_rule rule = {.how = (uint8_t)how, .expression = reader->at};

	if (length > (uint64_t)(reader->end - reader->at)) {
		reader->bad = true;
		return rule;
	}
	reader->at += length;
	rule.expression_end = reader->at;
	return rule;
}

#define AT(n) ((struct cfi_rule){.how = CFI_AT, .offset = (n)})
#define HOW(h) ((struct cfi_rule){.how = (h)})

/* In units of the data alignment; damaged numbers may be too large. */
static int64_t factored(const struct cfi_program *program, uint64_t number)
{
	return (int64_t)(number * (uint64_t)program->cie->data_align);
}

/* Those that lead on to another address. */
static bool program_advance(struct cfi_program *program, struct reader *reader, unsigned char op)
{
	const struct cie *cie = program->cie;

	switch (op) {
	case 0x01: /* set_loc */
		program->address = read_encoded(reader, cie->fde_encoding, 0);
		return true;
	case 0x02: /* advance_loc1, 2, 4 */
		program->address += read_bytes(reader, 1) * cie->code_align;
		return true;
	case 0x03:
		program->address += read_bytes(reader, 2) * cie->code_align;
		return true;
	case 0x04:
		program->address += read_bytes(reader, 4) * cie->code_align;
		return true;
	default:
		return false;
	}
}

/* Those that define the canonical frame address. */
static bool program_cfa(struct cfi_program *program, struct reader *reader, unsigned char op)
{
	struct cfi_row *row = &program->row;
	struct cfi_rule rule;

	switch (op) {
	case 0x0c: /* def_cfa */
		row->cfa_register = (unsigned int)read_uleb(reader);
		row->cfa_offset = (int64_t)read_uleb(reader);
		return true;
	case 0x0d: /* def_cfa_register */
		row->cfa_register = (unsigned int)read_uleb(reader);
		return true;
	case 0x0e: /* def_cfa_offset */
		row->cfa_offset = (int64_t)read_uleb(reader);
		return true;
	case 0x0f: /* def_cfa_expression */
		rule = rule_expression(reader, CFI_SAME);
		row->cfa_register = ~0u;
		row->expression = rule.expression;
		row->expression_end = rule.expression_end;
		return true;
	case 0x12: /* def_cfa_sf */
		row->cfa_register = (unsigned int)read_uleb(reader);
		row->cfa_offset = factored(program, (uint64_t)read_sleb(reader));
		return true;
	case 0x13: /* def_cfa_offset_sf */
		row->cfa_offset = factored(program, (uint64_t)read_sleb(reader));
		return true;
	default:
		return false;
	}
}

/* Those that say where a register is. */
static bool program_rule(struct cfi_program *program, struct reader *reader, unsigned char op)
{
	uint64_t number = read_uleb(reader);

	switch (op) {
	case 0x05: /* offset_extended */
		rule_set(program, number, AT(factored(program, read_uleb(reader))));
		return true;
	case 0x06: /* restore_extended */
		rule_restore(program, number);
		return true;
	case 0x07: /* undefined */
		rule_set(program, number, HOW(CFI_UNDEFINED));
		return true;
	case 0x08: /* same_value */
		rule_set(program, number, HOW(CFI_SAME));
		return true;
	case 0x09: /* register */
	case 0x14: /* val_offset */
		read_uleb(reader);
		rule_set(program, number, HOW(CFI_OTHER));
		return true;
	case 0x10: /* expression */
		rule_set(program, number, rule_expression(reader, CFI_AT_EXPRESSION));
		return true;
	case 0x11: /* offset_extended_sf */
		rule_set(program, number, AT(factored(program, (uint64_t)read_sleb(reader))));
		return true;
	case 0x15: /* val_offset_sf */
		read_sleb(reader);
		rule_set(program, number, HOW(CFI_OTHER));
		return true;
	case 0x16: /* val_expression */
		rule_expression(reader, CFI_OTHER);
		rule_set(program, number, HOW(CFI_OTHER));
		return true;
	default:
		return false;
	}
}

/* The instructions that take no operand in their first byte.  False: unknown. */
static bool program_extended(struct cfi_program *program, struct reader *reader, unsigned char op)
{
	switch (op) {
	case 0x00: /* nop */
		return true;
	case 0x0a: /* remember_state */
		if (program->depth == STATES)
			return false;
		program->states[program->depth++] = program->row;
		return true;
	case 0x0b: /* restore_state */
		if (!program->depth)
			return false;
		program->row = program->states[--program->depth];
		return true;
	case 0x2e: /* GNU_args_size */
		read_uleb(reader);
		return true;
	default:
		return program_advance(program, reader, op) || program_cfa(program, reader, op) ||
		       program_rule(program, reader, op);
	}
}

/* Runs the instructions until the row for address stands. */
static bool program_run(struct cfi_program *program, struct reader reader, uintptr_t address)
{
	while (reader.at < reader.end && program->address <= address && !reader.bad) {
		unsigned char op = read_byte(&reader);

		switch (op & 0xc0) {
		case 0x40: /* advance_loc */
			program->address += (op & 0x3f) * program->cie->code_align;
			break;
		case 0x80: /* offset */
			rule_set(program, op & 0x3f, AT(factored(program, read_uleb(&reader))));
			break;
		case 0xc0: /* restore */
			rule_restore(program, op & 0x3f);
			break;
		default:
			if (!program_extended(program, &reader, op))
				return false;
		}
	}
	return !reader.bad;
}

/* The FDE that may cover address: the last in the sorted table that begins before it. */
static const unsigned char *fde_find(
	const unsigned char *header, uintptr_t address, uintptr_t low, uintptr_t high)
{
	struct reader reader = {header, (const unsigned char *)high, false};
	const int32_t *table;
	uint64_t count, from = 0;

	/* the form that linkers write: pairs of 32 bits, relative to the header */
	if ((uintptr_t)header < low || high - (uintptr_t)header < 12 || header[0] != 1 ||
		header[1] == PE_OMIT || header[2] == PE_OMIT || header[3] != 0x3b)
		return NULL;
	reader.at += 4;
	read_encoded(&reader, header[1], (uintptr_t)header);
	count = read_encoded(&reader, header[2], (uintptr_t)header);
	table = (const int32_t *)reader.at;
	if (reader.bad || !count || count > (uint64_t)(reader.end - reader.at) / 8 ||
		(uintptr_t)table % sizeof(*table))
		return NULL;
	if ((uintptr_t)header + (uintptr_t)(intptr_t)table[0] > address)
		return NULL;
	while (count > 1) {
		uint64_t half = count / 2;

		if ((uintptr_t)header + (uintptr_t)(intptr_t)table[2 * (from + half)] <= address) {
			from += half;
			count -= half;
		} else {
			count = half;
		}
	}
	return header + table[2 * from + 1];
}

static bool fde_row(const unsigned char *at, uintptr_t address, uintptr_t low, uintptr_t high,
	struct cfi_row *row)
{
	struct cfi_program program = {.depth = 0};
	struct reader reader;
	const unsigned char *id_at;
	uintptr_t start, size;
	uint64_t back, length;
	struct cie cie;

	if (!entry_open(&reader, at, low, high))
		return false;
	id_at = reader.at;
	back = read_bytes(&reader, 4);
	if (!back || back > (uint64_t)((uintptr_t)id_at - low) ||
		!cie_read(&cie, id_at - back, low, high))
		return false;
	start = read_encoded(&reader, cie.fde_encoding, 0);
	size = read_encoded(&reader, cie.fde_encoding & PE_FORMAT, 0);
	if (reader.bad || address - start >= size)
		return false;
	if (cie.has_augmentation) {
		length = read_uleb(&reader);
		if (length > (uint64_t)(reader.end - reader.at))
			return false;
		reader.at += length;
	}
	program.cie = &cie;
	if (!program_run(&program, cie.program, UINTPTR_MAX))
		return false;
	program.initial = program.row;
	program.address = start;
	if (!program_run(&program, reader, address))
		return false;
	*row = program.row;
	row->signal_frame = cie.signal_frame;
	return true;
}

bool cfi_row_find(const unsigned char *header, uintptr_t address, uintptr_t low, uintptr_t high,
	struct cfi_row *row)
{
	const unsigned char *fde = fde_find(header, address, low, high);

	return fde && fde_row(fde, address, low, high, row);
}
