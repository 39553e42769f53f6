/* SPDX-License-Identifier: MIT */
#ifndef RELIB_ARCH_X86_64_H
#define RELIB_ARCH_X86_64_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <ucontext.h>

/* Bytes below the stack pointer that a leaf function may use. */
#define ARCH_RED_ZONE 128

/*
 * glibc's struct pthread begins at the thread pointer.  Its size differs
 * between versions (2304 in 2.31 to 2.36); a few words more do no harm.
 */
#define ARCH_THREAD_BELOW 0
#define ARCH_THREAD_ABOVE 2304

/* The version of what the C library has had from the beginning. */
#define ARCH_LIBC_FIRST "GLIBC_2.2.5"

/* Indices in struct user_regs_struct, which is the kernel's NT_PRSTATUS. */
enum arch_register {
	ARCH_R15, ARCH_R14, ARCH_R13, ARCH_R12, ARCH_RBP, ARCH_RBX, ARCH_R11, ARCH_R10, ARCH_R9,
	ARCH_R8, ARCH_RAX, ARCH_RCX, ARCH_RDX, ARCH_RSI, ARCH_RDI, ARCH_ORIG_RAX, ARCH_RIP,
	ARCH_CS, ARCH_EFLAGS, ARCH_RSP, ARCH_SS, ARCH_FS_BASE, ARCH_GS_BASE, ARCH_DS, ARCH_ES,
	ARCH_FS, ARCH_GS, ARCH_REGISTERS,
	ARCH_SP = ARCH_RSP,
	ARCH_TP = ARCH_FS_BASE,
	ARCH_RESULT = ARCH_RAX,
};

#define ARCH_NT_VECTORS 0x202		/* NT_X86_XSTATE */
#define ARCH_VECTORS_MAX 16384		/* more than AVX-512 and AMX need (about 11 KiB) */

static inline long arch_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

/*
 * clone on a stack of its own; the child calls run(data) and ends with what it
 * returns.  child_tid is cleared and woken (futex) when the child has ended.
 * The child has the thread pointer of its parent.
 */
static inline long arch_clone(unsigned long flags, void *stack_top, int *child_tid,
			      int (*run)(void *), void *data)
{
	uintptr_t *top = (uintptr_t *)((uintptr_t)stack_top & ~(uintptr_t)15);
	register long r10 __asm__("r10") = (long)child_tid;
	register long r8 __asm__("r8") = 0;
	long result;

	*--top = (uintptr_t)data;
	*--top = (uintptr_t)run;
	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "pop %%rax\n\t"
			 "pop %%rdi\n\t"
			 "call *%%rax\n\t"
			 "mov %%eax, %%edi\n\t"
			 "mov %[exit], %%eax\n\t"
			 "syscall\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(result)
			 : "a"((long)SYS_clone), "D"(flags), "S"(top), "d"(0L), "r"(r10), "r"(r8),
			   [exit] "i"(SYS_exit_group)
			 : "rcx", "r11", "memory");
	return result;
}

/* The thread pointer, also of a thread that libc did not make. */
static inline uintptr_t arch_thread_pointer(void)
{
	uintptr_t base = 0;

	arch_syscall(SYS_arch_prctl, 0x1003 /* ARCH_GET_FS */, (long)&base, 0, 0, 0, 0);
	return base;
}

/*
 * Saves the registers a function must keep for its caller: forces them into
 * the frame of the function that uses it, and copies what they hold now.
 */
#define arch_caller_here(stack_pointer, saved)                                                     \
	do {                                                                                       \
		__builtin_unwind_init();                                                           \
		__asm__ volatile("mov %%rsp, %[sp_]\n\t"                                           \
				 "mov %%rbx, 0(%[to_])\n\t"                                        \
				 "mov %%rbp, 8(%[to_])\n\t"                                        \
				 "mov %%r12, 16(%[to_])\n\t"                                       \
				 "mov %%r13, 24(%[to_])\n\t"                                       \
				 "mov %%r14, 32(%[to_])\n\t"                                       \
				 "mov %%r15, 40(%[to_])"                                           \
				 : [sp_] "=&r"(stack_pointer)                                      \
				 : [to_] "r"(saved)                                                \
				 : "memory");                                                      \
	} while (0)
#define ARCH_CALLER_SAVED 6

/* An address in the function that uses it. */
static inline __attribute__((always_inline)) uintptr_t arch_here(void)
{
	uintptr_t pc;

	__asm__ volatile("lea 0(%%rip), %0" : "=r"(pc));
	return pc;
}

/* What the kernel wants; libc's struct sigaction is laid out differently. */
struct arch_sigaction {
	void (*handler)(int, siginfo_t *, void *);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

#define ARCH_SA_RESTORER 0x04000000

/* Byte for byte the sequence by which debuggers and unwinders know a signal frame. */
__attribute__((naked, unused)) static void arch_restorer(void)
{
	__asm__("movq $15, %rax\n\tsyscall");
}

/*
 * The kernel's signal frame, of which a handler gets the parts: the return
 * address (to the restorer), the kernel's ucontext, the siginfo.  Above it lie
 * the vector registers, to which the ucontext points.
 */
struct arch_signal_frame {
	void (*restorer)(void);
	unsigned char context[304];
	unsigned char info[128];
};

static inline struct arch_signal_frame *arch_signal_frame_of(const void *context)
{
	return (struct arch_signal_frame *)((const char *)context - sizeof(void *));
}

/* Goes on as if the kernel had called the handler with that frame. */
__attribute__((noreturn)) static inline void arch_signal_enter(
	struct arch_signal_frame *frame, void (*handler)(int, siginfo_t *, void *), int number)
{
	__asm__ volatile("mov %[frame_], %%rsp\n\t"
			 "jmp *%[handler_]"
			 :
			 : [frame_] "r"(frame), [handler_] "r"(handler), "a"(0L),
			   "D"((long)number), "S"(frame->info), "d"(frame->context)
			 : "memory");
	__builtin_unreachable();
}

/* Bits of the page fault's error code in a signal frame. */
#define ARCH_FAULT_WRITE 2

/* Registers of an interrupted thread, in the order of NT_PRSTATUS, but for its thread pointer. */
static inline void arch_context_registers(const ucontext_t *context, uintptr_t *to)
{
	static const signed char from[ARCH_REGISTERS] = {
		REG_R15, REG_R14, REG_R13, REG_R12, REG_RBP, REG_RBX, REG_R11, REG_R10, REG_R9,
		REG_R8,	 REG_RAX, REG_RCX, REG_RDX, REG_RSI, REG_RDI, -1,      REG_RIP, -1,
		REG_EFL, REG_RSP, -1,	   -1,	    -1,	     -1,      -1,      -1,	-1,
	};
	unsigned int i;

	for (i = 0; i < ARCH_REGISTERS; i++)
		to[i] = from[i] < 0 ? 0 : (uintptr_t)context->uc_mcontext.gregs[from[i]];
}

/* The vector registers in a signal frame and their size. */
static inline const unsigned char *arch_context_vectors(const ucontext_t *context, size_t *size)
{
	const unsigned char *area = (const unsigned char *)context->uc_mcontext.fpregs;
	const uint32_t *software;

	*size = 0;
	if (!area)
		return NULL;
	software = (const uint32_t *)(area + 464);	/* struct _fpx_sw_bytes */
	*size = 512;
	if (software[0] == 0x46505853 && software[4] >= 512 && software[4] <= ARCH_VECTORS_MAX)
		*size = software[4];
	return area;
}

/*
 * System calls that give up with EINTR whenever the thread is stopped, even if
 * no handler runs, and may simply be made again.  (The others restart by
 * themselves.)
 */
static inline bool arch_call_gave_up(const uintptr_t *registers)
{
	if ((long)registers[ARCH_RAX] != -EINTR)
		return false;
	switch ((long)registers[ARCH_ORIG_RAX]) {
	case SYS_epoll_wait:
	case SYS_epoll_pwait:
#ifdef SYS_epoll_pwait2
	case SYS_epoll_pwait2:
#endif
	case SYS_rt_sigtimedwait:
	case SYS_semop:
	case SYS_semtimedop:
	case SYS_io_getevents:
	case SYS_accept:
	case SYS_accept4:
	case SYS_recvfrom:
	case SYS_recvmsg:
		return true;
	default:
		return false;
	}
}

/*
 * A client request to valgrind, a no-op elsewhere: the sequence of instructions
 * that its documentation promises never to change.
 */
static inline uintptr_t arch_valgrind_request(uintptr_t number, uintptr_t argument)
{
	volatile uintptr_t request[6] = { number, argument, 0, 0, 0, 0 };
	uintptr_t result = 0;

	__asm__ volatile("rolq $3, %%rdi; rolq $13, %%rdi\n\t"
			 "rolq $61, %%rdi; rolq $51, %%rdi\n\t"
			 "xchgq %%rbx, %%rbx"
			 : "+d"(result)
			 : "a"(request)
			 : "cc", "memory", "rdi");
	return result;
}

/* Whether valgrind runs us: RUNNING_ON_VALGRIND. */
static inline bool arch_on_valgrind(void)
{
	return arch_valgrind_request(0x1001, 0) != 0;
}

/* VALGRIND_DISABLE_ERROR_REPORTING and its end: a look reads what programs must not. */
static inline void arch_valgrind_quiet(bool quiet)
{
	arch_valgrind_request(0x1801, quiet ? 1 : (uintptr_t)-1);
}

/* Whether a thread's descriptor may begin here: it holds its own address twice. */
static inline bool arch_is_thread(const uintptr_t *at)
{
	return at[0] == (uintptr_t)at && at[2] == (uintptr_t)at;
}

/* A code address that the C library keeps in disguise, with the thread's guard. */
static inline uintptr_t arch_pointer_shown(uintptr_t hidden, uintptr_t thread_pointer)
{
	return (hidden >> 17 | hidden << 47) ^ *(const uintptr_t *)(thread_pointer + 0x30);
}

#endif
