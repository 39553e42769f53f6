/* SPDX-License-Identifier: MIT */
/*
 * The destructors that the C library knows of modules' keys: stub number k goes
 * on to keys_destroy(value, k), so that it can be told for which key it is
 * called.  Each takes KEYS_STUB_SIZE bytes (keys.c).
 */
	.hidden	keys_destroy
	.hidden	keys_stubs
	.globl	keys_stubs
	.text
	.balign	16
	.type	keys_stubs, @function
keys_stubs:
	.cfi_startproc
	.set	number, 0
	.rept	1024
	.balign	16
	endbr64
	movl	$number, %esi
	jmp	keys_destroy
	.set	number, number + 1
	.endr
	.balign	16
	.cfi_endproc
	.size	keys_stubs, . - keys_stubs

	.section .note.GNU-stack, "", @progbits
