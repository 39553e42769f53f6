/* SPDX-License-Identifier: MIT */
/*
 * dlopen, dlmopen and dlclose, where a C function would not do.
 *
 * dlopen and dlmopen.  The real ones look at their return address to find the
 * caller's RUNPATH, $ORIGIN and namespace, so they must be jumped to with the
 * caller's frame as it was: a C function that calls them would be the caller.
 */
	.hidden	loader_before_open
	.hidden	next_dlopen
	.hidden	next_dlmopen
	.hidden	dlclose_from
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

/*
 * dlclose.  What its caller keeps in registers, and the stack above the return
 * address, are alive; everything below is not, however this library's own
 * functions lay out their frames.  Only here, before the first of them, can
 * both be noted exactly.  Fills a struct world_caller (see dlclose.c).
 */
	.globl	dlclose
	.type	dlclose, @function
dlclose:
	.cfi_startproc
	endbr64
	leaq	8(%rsp), %rax
	subq	$88, %rsp
	.cfi_adjust_cfa_offset 88
	movq	%rax, 0(%rsp)
	movq	%rbx, 8(%rsp)
	movq	%rbp, 16(%rsp)
	movq	%r12, 24(%rsp)
	movq	%r13, 32(%rsp)
	movq	%r14, 40(%rsp)
	movq	%r15, 48(%rsp)
	movl	$6, 72(%rsp)
	movq	$0, 80(%rsp)
	movq	%rsp, %rsi
	call	dlclose_from
	addq	$88, %rsp
	.cfi_adjust_cfa_offset -88
	ret
	.cfi_endproc
	.size	dlclose, . - dlclose

	.section .note.GNU-stack, "", @progbits
