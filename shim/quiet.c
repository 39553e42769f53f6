/* SPDX-License-Identifier: MIT */
#include "shim/quiet.h"

#include <sys/auxv.h>
#include <sys/uio.h>

#include "shim/arch.h"
#include "shim/leave.h"
#include "shim/lock.h"
#include "shim/sys.h"
#include "shim/tasks.h"

#define CHUNK 16384u			 /* bytes of a stack that are read at once */
#define STACK_MOST ((uintptr_t)64 << 20) /* of a thread's live stack */
#define LIST_SIZE 4096u

struct quiet {
	bool (*is_code)(void *data, uintptr_t address);
	void *data;
	pid_t self, leader;
	int tasks; /* from tasks_open */
	long seen;
};

/* One look at a time. */
static uintptr_t chunk[CHUNK / sizeof(uintptr_t)];
static uint64_t list[LIST_SIZE / sizeof(uint64_t)];

/* The last two words of the line are the stack pointer and the instruction. */
static bool place_read(int tasks, pid_t tid, uintptr_t *sp, uintptr_t *pc)
{
	char text[256];
	uintptr_t numbers[2] = {0, 0};
	long length = task_file_read(tasks, tid, "syscall", text, sizeof(text));

	/* "running", or a number first */
	if (length < 8 || (text[0] != '-' && (text[0] < '0' || text[0] > '9')))
		return false;
	for (long i = 0; i + 2 < length; i++) {
		if (text[i] != ' ' || text[i + 1] != '0' || text[i + 2] != 'x')
			continue;
		numbers[0] = numbers[1];
		numbers[1] = 0;
		for (i += 3; i < length && text[i] > ' '; i++)
			numbers[1] =
				numbers[1] << 4 |
				(uintptr_t)(text[i] <= '9' ? text[i] - '0' : text[i] - 'a' + 10);
		i--;
	}
	*sp = numbers[0];
	*pc = numbers[1];
	return *sp && *pc;
}

/* A copy made by the kernel: the stack may be unmapped meanwhile. */
static size_t chunk_read(const struct quiet *quiet, uintptr_t from, size_t size)
{
	struct iovec here = {chunk, size}, there = {(void *)from, size};
	long result =
		sys_call6(SYS_process_vm_readv, quiet->leader, (long)&here, 1, (long)&there, 1, 0);

	return result > 0 ? (size_t)result / sizeof(uintptr_t) : 0;
}

/*
 * From the stack pointer to the thread's descriptor, which lies at the top of
 * its stack and begins with its own address.  The first thread's stack ends
 * with what the program was started with.  On any other stack (a signal's, a
 * coroutine's) there is no telling what lies on the thread's own.
 */
static bool stack_is_quiet(const struct quiet *quiet, pid_t tid, uintptr_t sp)
{
	uintptr_t end = sp + STACK_MOST;
	bool first = tid == quiet->leader;
	size_t words;

	if (first) {
		end = getauxval(AT_RANDOM) & ~(uintptr_t)7;
		if (sp >= end || end - sp > STACK_MOST)
			return false;
	}
	for (uintptr_t at = sp & ~(uintptr_t)7; at < end; at += words * sizeof(uintptr_t)) {
		/* up to a page's end, so that what can be read is read */
		size_t size = CHUNK - (at & 4095);

		words = chunk_read(quiet, at, end - at < size ? end - at : size);
		if (!words)
			return false;
		for (size_t i = 0; i < words; i++) {
			uintptr_t word = leave_resolve(chunk[i]);

			if (quiet->is_code(quiet->data, word))
				return false;
			if (!first && word == at + i * sizeof(uintptr_t) && !(word & 63) &&
				i + 2 < words && chunk[i + 2] == word)
				return true;
		}
	}
	return first;
}

static int thread_visit(void *data, pid_t tid)
{
	struct quiet *quiet = data;
	uintptr_t sp, pc;

	quiet->seen++;
	if (tid == quiet->self)
		return 0;
	if (!place_read(quiet->tasks, tid, &sp, &pc) || quiet->is_code(quiet->data, pc) ||
		!stack_is_quiet(quiet, tid, sp))
		return 1;
	return 0;
}

bool quiet_others(bool (*is_code)(void *data, uintptr_t address), void *data)
{
	struct quiet quiet = {
		.is_code = is_code,
		.data = data,
		.self = (pid_t)lock_self(),
		.leader = (pid_t)sys_call(SYS_getpid, 0, 0, 0),
	};
	struct task_state state;
	bool is_quiet = false;

	if (arch_on_valgrind() || (quiet.tasks = tasks_open()) < 0)
		return false;
	/* a filter of system calls may kill for what it does not expect */
	if (task_read(quiet.tasks, quiet.self, &state) && !state.seccomp)
		is_quiet = !tasks_each(quiet.tasks, list, sizeof(list), thread_visit, &quiet) &&
			   /* the list of one that ends may lack another, too */
			   tasks_count(quiet.tasks) == quiet.seen;
	sys_close(quiet.tasks);
	return is_quiet;
}
