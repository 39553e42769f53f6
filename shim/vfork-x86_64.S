/* SPDX-License-Identifier: MIT */
/*
 * vfork.  The child runs on the caller's stack while the parent waits, and
 * writes over what stands below it: the return address too.  So it is kept in a
 * register, which the kernel leaves as it is, and nothing of ours is on the
 * stack.  What else the parent needs is in another one.
 */
#include <sys/syscall.h>

	.hidden	vfork_begin
	.hidden	vfork_parent
	.text
	.globl	vfork
	.type	vfork, @function
	.globl	__vfork
	.type	__vfork, @function
vfork:
__vfork:
	.cfi_startproc
	endbr64
	subq	$8, %rsp
	.cfi_adjust_cfa_offset 8
	call	vfork_begin
	addq	$8, %rsp
	.cfi_adjust_cfa_offset -8
	movl	%eax, %esi
	popq	%rdi
	.cfi_adjust_cfa_offset -8
	.cfi_register rip, rdi
	movl	$SYS_vfork, %eax
	syscall
	pushq	%rdi
	.cfi_adjust_cfa_offset 8
	.cfi_offset rip, -8
	testl	%eax, %eax
	jz	child
	movl	%eax, %edi
	jmp	vfork_parent
child:
	ret
	.cfi_endproc
	.size	vfork, . - vfork
	.size	__vfork, . - __vfork

	.section .note.GNU-stack, "", @progbits
