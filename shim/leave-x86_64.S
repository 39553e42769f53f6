/* SPDX-License-Identifier: MIT */
/*
 * Where a function of a module returns to instead of its caller, when an unload
 * waits for that: LEAVE_ENTRIES stubs of 16 bytes.  The return address written
 * over a thread's stack is that of the call; what was there is in leave_to[k],
 * 16 bytes each.
 *
 * An unwinder that finds the stub's address on the stack must go on at the
 * caller, with all registers as they are.  Its rule needs an expression: the
 * caller's address stands where the literal in the stub says.
 */
#define LEAVE_ENTRIES 64

	.hidden	leave_to
	.hidden	leave_stubs
	.hidden	leave_stubs_end
	.hidden	leave_arrived
	.globl	leave_stubs
	.globl	leave_stubs_end
	.text
	.p2align 4
	.type	leave_stubs, @function
leave_stubs:
	.cfi_startproc
	/* a CFA of its own: unwinders tell frames apart by that, and its caller has rsp too */
	.cfi_def_cfa rsp, 8
	.cfi_val_offset rsp, -8
	/* rip stands at: l = (pc & -16) + 8; l + *(uint32_t *)l */
	.cfi_escape 0x10, 16, 12, 0x80, 0, 0x09, 0xf0, 0x1a, 0x23, 8, 0x12, 0x94, 4, 0x22, 0x96
	.set	leave_entry, 0
	.rept	LEAVE_ENTRIES
	nop
	call	leave_common
	.p2align 3
	.long	leave_to + 16 * leave_entry - .
	.long	0
	.set	leave_entry, leave_entry + 1
	.endr
	.cfi_endproc
leave_stubs_end:
	.size	leave_stubs, . - leave_stubs

/*
 * The stack is as after the return, but for the stub's own address that the
 * call pushed where the return address stood.  Results of the function are in
 * rax, rdx, xmm0, xmm1, st0 and st1 (and the upper parts of ymm0, ymm1).
 */
	.type	leave_common, @function
leave_common:
	.cfi_startproc
	endbr64
	pushq	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_offset rbp, -16
	movq	%rsp, %rbp
	.cfi_def_cfa_register rbp
	pushq	%rax
	pushq	%rdx
	pushq	%rbx
	.cfi_offset rbx, -40
	/* room for the state of the processor, whatever it has: at most 12 KiB are in use */
	movl	$0xd, %eax
	xorl	%ecx, %ecx
	cpuid
	movl	%ebx, %ecx
	addl	$63, %ecx
	andl	$-64, %ecx
	subq	%rcx, %rsp
	andq	$-64, %rsp
	/* the header must be zero for xrstor */
	xorl	%eax, %eax
	movq	%rax, 512(%rsp)
	movq	%rax, 520(%rsp)
	movq	%rax, 528(%rsp)
	movq	%rax, 536(%rsp)
	movq	%rax, 544(%rsp)
	movq	%rax, 552(%rsp)
	movq	%rax, 560(%rsp)
	movq	%rax, 568(%rsp)
	movl	$-1, %eax
	movl	$-1, %edx
	xsave	(%rsp)
	movq	8(%rbp), %rdi
	leaq	16(%rbp), %rsi
	movq	(%rbp), %rdx
	movq	-24(%rbp), %rcx
	call	leave_arrived
	movq	%rax, 8(%rbp)
	movl	$-1, %eax
	movl	$-1, %edx
	xrstor	(%rsp)
	movq	-24(%rbp), %rbx
	movq	-16(%rbp), %rdx
	movq	-8(%rbp), %rax
	movq	%rbp, %rsp
	.cfi_def_cfa_register rsp
	popq	%rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbp
	ret
	.cfi_endproc
	.size	leave_common, . - leave_common

	.section .note.GNU-stack, "", @progbits
