/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a plugin's file: checked, and the check written as text and
 * JSON, without a crash.  With libFuzzer:
 *
 *	clang -fsanitize=fuzzer,address ... tests/fuzz/plugin-check.c
 */
#include "cli/check.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static FILE *nowhere(void)
{
	static FILE *out;

	if (!out)
		out = fopen("/dev/null", "w");
	return out;
}

/* Libraries come from the default folders only. */
static int file_check(const char *path)
{
	struct library_search search = {0};
	struct paper paper = {nowhere(), true};
	struct error error;
	struct check *check = check_open(path, NULL, &search, &error);
	struct check_list list = {&check, 1, true};
	int read = check->verdict != VERDICT_UNREADABLE;

	check_list_write_text(&list, &paper);
	check_list_write_json(&list, paper.out);
	check_close(check);
	return read;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int file = memfd_create("plugin", MFD_CLOEXEC), result = 0;
	char path[64];

	if (file < 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	if (write(file, data, size) == (ssize_t)size)
		result = file_check(path);
	close(file);
	return result;
}
