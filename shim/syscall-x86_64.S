/* SPDX-License-Identifier: MIT */
/*
 * syscall().  Some calls return twice or on another stack, so all but those of
 * syscall_kinds are jumped on to, with every register but rax as it came; and
 * so is what notes the others, a C function with the parameters of this one.
 */
	.hidden	syscall_kinds
	.hidden	syscall_next
	.hidden	syscall_noted
	.hidden	syscall_resolve
	.globl	syscall
	.text
	.p2align 4
	.type	syscall, @function
syscall:
	.cfi_startproc
	endbr64
	cmpq	$511, %rdi
	ja	1f
	leaq	syscall_kinds(%rip), %rax
	cmpb	$0, (%rax,%rdi)
	jne	syscall_noted
1:	movq	syscall_next(%rip), %rax
	testq	%rax, %rax
	jz	2f
	jmp	*%rax
	/* before the constructor: who is next is looked up */
2:	pushq	%rdi
	.cfi_adjust_cfa_offset 8
	pushq	%rsi
	.cfi_adjust_cfa_offset 8
	pushq	%rdx
	.cfi_adjust_cfa_offset 8
	pushq	%rcx
	.cfi_adjust_cfa_offset 8
	pushq	%r8
	.cfi_adjust_cfa_offset 8
	pushq	%r9
	.cfi_adjust_cfa_offset 8
	subq	$8, %rsp
	.cfi_adjust_cfa_offset 8
	call	syscall_resolve
	addq	$8, %rsp
	.cfi_adjust_cfa_offset -8
	popq	%r9
	.cfi_adjust_cfa_offset -8
	popq	%r8
	.cfi_adjust_cfa_offset -8
	popq	%rcx
	.cfi_adjust_cfa_offset -8
	popq	%rdx
	.cfi_adjust_cfa_offset -8
	popq	%rsi
	.cfi_adjust_cfa_offset -8
	popq	%rdi
	.cfi_adjust_cfa_offset -8
	jmp	*%rax
	.cfi_endproc
	.size	syscall, . - syscall

	.section .note.GNU-stack, "", @progbits
