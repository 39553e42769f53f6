/* SPDX-License-Identifier: MIT */
/*
 * dlopen and dlmopen.  The real ones look at their return address to find the
 * caller's RUNPATH, $ORIGIN and namespace, so they must be jumped to with the
 * caller's frame as it was: a C function that calls them would be the caller.
 */
	.hidden	loader_before_open
	.hidden	next_dlopen
	.hidden	next_dlmopen
	.text

/* Saves the three arguments, asks loader_before_open, and restores them. */
	.macro	interposer name, file, flags, real
	.globl	\name
	.type	\name, @function
\name:
	.cfi_startproc
	endbr64
	pushq	%rdi
	.cfi_adjust_cfa_offset 8
	pushq	%rsi
	.cfi_adjust_cfa_offset 8
	pushq	%rdx
	.cfi_adjust_cfa_offset 8
	movq	\file, %rdi
	movl	\flags, %esi
	leaq	24(%rsp), %rdx
	call	loader_before_open
	popq	%rdx
	.cfi_adjust_cfa_offset -8
	popq	%rsi
	.cfi_adjust_cfa_offset -8
	popq	%rdi
	.cfi_adjust_cfa_offset -8
	movl	%eax, \flags
	jmp	*\real(%rip)
	.cfi_endproc
	.size	\name, . - \name
	.endm

	interposer dlopen, %rdi, %esi, next_dlopen
	interposer dlmopen, %rsi, %edx, next_dlmopen

	.section .note.GNU-stack, "", @progbits
