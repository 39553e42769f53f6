/* SPDX-License-Identifier: MIT */
/*
 * A plugin that maps memory in every way and leaves it, or gives it back.
 * Sizes are in pages; each function returns an address, which it has forgotten.
 */
#include "plugin.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096L
#define RW (PROT_READ | PROT_WRITE)
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)

/* Not the address of a call that became a jump, which would be the host's. */
static long address_of(void *made)
{
	forget(made);
	return (long)made;
}

static char *anonymous(long pages)
{
	char *made = mmap(NULL, (size_t)(pages * PAGE), RW, ANONYMOUS, -1, 0);

	made[0] = 1;
	return made;
}

PLUGIN long leave_mmap(long pages)
{
	return (long)anonymous(pages);
}

PLUGIN long leave_mmap64(long pages)
{
	return address_of(mmap64(NULL, (size_t)(pages * PAGE), RW, ANONYMOUS, -1, 0));
}

PLUGIN long leave_file(long unused)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	long made = (long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, PAGE);

	(void)unused;
	close(fd);
	return made;
}

/* Its pages are writable and shared: what is written stays in the file. */
PLUGIN long leave_shared(long fd)
{
	char *made = mmap(NULL, PAGE, RW, MAP_SHARED, (int)fd, 0);

	memcpy(made, "stays", 5);
	return (long)made;
}

PLUGIN long leave_segment(long pages)
{
	int id = shmget(IPC_PRIVATE, (size_t)(pages * PAGE), IPC_CREAT | 0600);
	char *made = shmat(id, NULL, 0);

	shmctl(id, IPC_RMID, NULL);
	made[0] = 1;
	return (long)made;
}

PLUGIN long give_back(long pages)
{
	return munmap(anonymous(pages), (size_t)(pages * PAGE));
}

PLUGIN long give_back_segment(long unused)
{
	int id = shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0600);
	void *made = shmat(id, NULL, 0);

	(void)unused;
	shmctl(id, IPC_RMID, NULL);
	return shmdt(made);
}

/* Ten pages: the first, one in the middle and the last are given back, then all. */
PLUGIN long in_parts(long all)
{
	char *made = anonymous(10);

	munmap(made, PAGE);
	munmap(made + 5 * PAGE, PAGE);
	munmap(made + 9 * PAGE, PAGE);
	/* what is not aligned is refused, and changes nothing */
	if (munmap(made + 2 * PAGE + 1, PAGE) == 0)
		return -1;
	if (all)
		munmap(made, 10 * PAGE);
	return (long)made + PAGE;
}

/* Four pages, and others mapped over the middle ones. */
PLUGIN long over(long unused)
{
	char *made = anonymous(4);

	(void)unused;
	mmap(made + PAGE, 2 * PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0);
	return (long)made;
}

/* A ring that is mapped twice, one behind the other: who has its start uses all. */
PLUGIN long ring(long pages)
{
	size_t size = (size_t)(pages * PAGE);
	int fd = memfd_create("ring", MFD_CLOEXEC);
	char *made = mmap(NULL, 2 * size, PROT_NONE, ANONYMOUS, -1, 0);

	if (ftruncate(fd, (off_t)size))
		return -1;
	mmap(made, size, RW, MAP_SHARED | MAP_FIXED, fd, 0);
	mmap(made + size, size, RW, MAP_SHARED | MAP_FIXED, fd, 0);
	close(fd);
	return address_of(made);
}

/* What somebody has reserved. */
PLUGIN long commit(long address)
{
	return address_of(mmap((void *)address, PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0));
}

/* A page of the plugin's own image. */
PLUGIN long image_page(long moved)
{
	static char pages[3 * PAGE] __attribute__((aligned(4096)));
	void *at = pages + PAGE, *made;

	if (moved)
		made = mremap(anonymous(1), PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at);
	else
		made = mmap(at, PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0);
	return address_of(made);
}

/* Where nothing was. */
PLUGIN long fixed(long unused)
{
	(void)unused;
	return address_of(mmap((void *)0x234567800000, PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0));
}

PLUGIN long by_syscall(long unused)
{
	long made = syscall(SYS_mmap, NULL, 4 * PAGE, RW, ANONYMOUS, -1, 0L);

	(void)unused;
	made = syscall(SYS_mremap, made, 4 * PAGE, 600 * PAGE, MREMAP_MAYMOVE);
	syscall(SYS_munmap, made, 2 * PAGE);
	return made + 2 * PAGE;
}

PLUGIN long unmapped_by_syscall(long unused)
{
	(void)unused;
	return syscall(SYS_munmap, anonymous(3), 3 * PAGE);
}

static char *remapped(char *from, long pages, long to_pages)
{
	char *made =
		mremap(from, (size_t)(pages * PAGE), (size_t)(to_pages * PAGE), MREMAP_MAYMOVE);

	forget(made);
	return made;
}

PLUGIN long grow(long unused)
{
	char *made = anonymous(2);
	char *behind = mmap(made + 2 * PAGE, PAGE, RW, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	char *grown = remapped(made, 2, 600);

	(void)unused;
	if (behind != MAP_FAILED)
		munmap(behind, PAGE);
	return (long)grown;
}

PLUGIN long shrink(long unused)
{
	(void)unused;
	return address_of(remapped(anonymous(8), 8, 3));
}

/* To an address of its choice, where it has two pages already. */
PLUGIN long move(long unused)
{
	char *made = anonymous(2), *target = anonymous(6);

	(void)unused;
	return address_of(
		mremap(made, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target + PAGE));
}

/* The pages are moved away, and new ones are where they were. */
PLUGIN long left_behind(long unused)
{
	char *made = anonymous(2);
	void *moved = mremap(made, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);

	(void)unused;
	munmap(made, 2 * PAGE);
	return address_of(moved);
}

/* Too large to be; all stays as it was. */
PLUGIN long refused(long unused)
{
	char *made = anonymous(2);

	(void)unused;
	return mremap(made, 2 * PAGE, PAGE << 40, 0) == MAP_FAILED ? (long)made : -1;
}

PLUGIN long allocate(long pages)
{
	return address_of(malloc((size_t)(pages * PAGE)));
}

/* --- who refers to whom --- */

/* The only reference to a block is in a mapping. */
PLUGIN long mapping_to_block(long pages)
{
	char **made = (char **)anonymous(pages);

	made[pages * PAGE / (long)sizeof(*made) - 1] = malloc(777);
	return (long)made;
}

/* The only reference to a mapping is in a block. */
PLUGIN long block_to_mapping(long pages)
{
	char **block = malloc(333);

	block[5] = anonymous(pages) + 100;
	return (long)block;
}

PLUGIN long cycle(long unused)
{
	char **one = (char **)anonymous(1), **other = (char **)anonymous(1);
	char **block = malloc(555);

	(void)unused;
	one[1] = (char *)other;
	other[2] = (char *)block;
	block[3] = (char *)one;
	return (long)one;
}

/* A tebibyte, of which one page was used; guard pages that cannot be read lie around it. */
PLUGIN long sparse(long unused)
{
	char *made = mmap(NULL, 1l << 40, PROT_NONE, ANONYMOUS | MAP_NORESERVE, -1, 0);
	char **page = (char **)(made + (1l << 39));

	(void)unused;
	mprotect(page, 1l << 30, RW);
	page[7] = malloc(99);
	return (long)made;
}

/* At an address far below all others, as code that is made at run time is. */
PLUGIN long below(long unused)
{
	char *made = mmap(NULL, PAGE, RW, ANONYMOUS | MAP_32BIT, -1, 0);

	(void)unused;
	made[0] = 1;
	return (long)made;
}

/* Code that returns at once, as the handler of a signal. */
PLUGIN long handler(long signal_number)
{
	unsigned char *made = (unsigned char *)anonymous(1);

	made[0] = 0xc3;
	mprotect(made, PAGE, PROT_READ | PROT_EXEC);
	signal((int)signal_number, (void (*)(int))(uintptr_t)made);
	return (long)made;
}

/* Four pages where nothing else is, and one more below that the kernel adds. */
PLUGIN long stack_like(long unused)
{
	volatile char *made = mmap((void *)0x2345678a0000, 4 * PAGE, RW,
		ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED_NOREPLACE, -1, 0);

	(void)unused;
	made[-8] = 1;
	return (long)made - PAGE;
}
