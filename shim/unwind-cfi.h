/* SPDX-License-Identifier: MIT */
/*
 * Call frame information, as compilers write it into .eh_frame (DWARF 5, 6.4;
 * Linux Standard Base, 10.6).
 */
#ifndef RELIB_UNWIND_CFI_H
#define RELIB_UNWIND_CFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cfi_register { CFI_BP, CFI_SP, CFI_RA, CFI_REGISTERS };

enum cfi_how {
	CFI_SAME,
	CFI_UNDEFINED,
	CFI_AT,		   /* saved at CFA + offset */
	CFI_AT_EXPRESSION, /* saved where the expression says */
	CFI_OTHER,	   /* a way that is not followed */
};

struct cfi_rule {
	uint8_t how;
	int64_t offset;
	const unsigned char *expression, *expression_end;
};

/* The row of the table for one code address. */
struct cfi_row {
	unsigned int cfa_register; /* DWARF number; ~0: by expression */
	int64_t cfa_offset;
	const unsigned char *expression, *expression_end;
	struct cfi_rule rule[CFI_REGISTERS];
	bool signal_frame;
};

/*
 * Finds the row for address in the table that an .eh_frame_hdr indexes.
 * Memory between limit_low and limit_high is all that may be read.
 */
bool cfi_row_find(const unsigned char *header, uintptr_t address, uintptr_t limit_low,
	uintptr_t limit_high, struct cfi_row *row);

#endif
