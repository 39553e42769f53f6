/* SPDX-License-Identifier: MIT */
/* The loader's cache is read in both layouts, and damage to it is harmless. */
#include "elf/loader-cache.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HERE 0x0303
#define OTHER 0x0003 /* 32-bit */
#define HEADER_SIZE 48
#define ENTRY_SIZE 24

static unsigned char bytes[1024];
static size_t size;
static char path[] = "/tmp/relib-cache-XXXXXX";

static void put32(size_t at, uint32_t value)
{
	memcpy(bytes + at, &value, sizeof(value));
}

static uint32_t put_text(size_t start, const char *text)
{
	uint32_t offset = size - start;

	strcpy((char *)bytes + size, text);
	size += strlen(text) + 1;
	return offset;
}

static void put_entry(size_t start, int n, int32_t flags, const char *name, const char *file)
{
	size_t at = start + HEADER_SIZE + n * ENTRY_SIZE;

	put32(at, flags);
	put32(at + 4, put_text(start, name));
	put32(at + 8, put_text(start, file));
}

/* Three libraries, behind @old entries of the old layout (-1: there is none). */
static void cache_make(int old)
{
	size_t start = 0;

	memset(bytes, 0, sizeof(bytes));
	if (old >= 0) {
		memcpy(bytes, "ld.so-1.7.0", 11);
		put32(12, old);
		start = (16 + old * 12 + 7) & ~7;
	}
	memcpy(bytes + start, "glibc-ld.so.cache1.1", 20);
	put32(start + 20, 3);
	size = start + HEADER_SIZE + 3 * ENTRY_SIZE;
	put_entry(start, 0, OTHER, "liba.so.1", "/lib32/liba.so.1");
	put_entry(start, 1, HERE, "liba.so.1", "/lib/fast/liba.so.1");
	put_entry(start, 2, HERE, "liba.so.1", "/lib/liba.so.1");
}

static struct loader_cache *cache_open(size_t length)
{
	FILE *out = fopen(path, "w");

	fwrite(bytes, 1, length, out);
	fclose(out);
	return loader_cache_open(path);
}

static void setup(void)
{
	int file;

	strcpy(path + strlen(path) - 6, "XXXXXX");
	file = mkstemp(path);
	ck_assert_int_ge(file, 0);
	close(file);
}

static void teardown(void)
{
	unlink(path);
}

START_TEST(libraries_of_this_machine_are_found)
{
	struct loader_cache *cache;
	int old;

	for (old = -1; old < 4; old++) {
		cache_make(old);
		cache = cache_open(size);
		ck_assert_ptr_nonnull(cache);
		ck_assert_str_eq(loader_cache_find(cache, "liba.so.1", 0), "/lib/fast/liba.so.1");
		ck_assert_str_eq(loader_cache_find(cache, "liba.so.1", 1), "/lib/liba.so.1");
		ck_assert_ptr_null(loader_cache_find(cache, "liba.so.1", 2));
		ck_assert_ptr_null(loader_cache_find(cache, "liba.so", 0));
		loader_cache_close(cache);
	}
}
END_TEST

START_TEST(the_machines_own_cache_knows_the_c_library)
{
	struct loader_cache *cache = loader_cache_open("/etc/ld.so.cache");
	const char *found;

	if (cache) {
		found = loader_cache_find(cache, "libc.so.6", 0);
		ck_assert_ptr_nonnull(found);
		ck_assert_int_eq(access(found, R_OK), 0);
	}
	loader_cache_close(cache);
}
END_TEST

START_TEST(what_is_no_cache_is_refused)
{
	ck_assert_ptr_null(loader_cache_open("/nonexistent/ld.so.cache"));
	ck_assert_ptr_null(loader_cache_open("/tmp"));
	cache_make(-1);
	ck_assert_ptr_null(cache_open(0));
	ck_assert_ptr_null(cache_open(HEADER_SIZE - 1));
	ck_assert_ptr_null(cache_open(HEADER_SIZE + ENTRY_SIZE));
	bytes[3] ^= 1;
	ck_assert_ptr_null(cache_open(size));
}
END_TEST

START_TEST(no_damage_leads_out_of_the_file)
{
	struct loader_cache *cache;
	const char *found;
	size_t at, length, n;

	for (at = 0; at < size * 2; at++) {
		cache_make(at % 2);
		bytes[at / 2] ^= at % 3 ? 0xff : 0x80;
		length = at % 5 ? size : at / 2;
		cache = cache_open(length);
		for (n = 0; cache && (found = loader_cache_find(cache, "liba.so.1", n)); n++)
			ck_assert_uint_lt(strlen(found), size);
		loader_cache_close(cache);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("elf-cache");

	suite_add(suite, "libraries_of_this_machine_are_found", libraries_of_this_machine_are_found,
		setup, teardown);
	suite_test(suite, the_machines_own_cache_knows_the_c_library);
	suite_add(
		suite, "what_is_no_cache_is_refused", what_is_no_cache_is_refused, setup, teardown);
	suite_add(suite, "no_damage_leads_out_of_the_file", no_damage_leads_out_of_the_file, setup,
		teardown);
	return suite_run(suite);
}
