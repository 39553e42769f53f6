/* SPDX-License-Identifier: MIT */
#include "cli/program.h"

#include "elf/image.h"
#include "elf/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* 0 if @path can be run, else the errno that execve would give. */
static int program_error(const char *path)
{
	struct stat info;

	if (stat(path, &info) < 0)
		return errno;
	if (S_ISDIR(info.st_mode))
		return EISDIR;
	if (!S_ISREG(info.st_mode))
		return EACCES;
	/* The superuser may run only what somebody may run; access() says the same. */
	return access(path, X_OK) == 0 ? 0 : errno;
}

static char *program_refused(const char *name, int code, struct error *error)
{
	if (code == ENOENT || code == ENOTDIR)
		error_exit(error, STATUS_NOT_FOUND, "%s: no such program", name);
	else if (code == EISDIR)
		error_exit(error, STATUS_NOT_EXECUTABLE, "%s: is a folder, not a program", name);
	else if (code == EACCES)
		error_exit(error, STATUS_NOT_EXECUTABLE,
			"%s: is not executable: chmod +x it, or give its interpreter first", name);
	else
		error_exit(error, STATUS_NOT_EXECUTABLE, "%s: cannot be run: %s", name,
			strerror(code));
	error->code = code;
	return NULL;
}

char *program_find(const char *name, struct error *error)
{
	const char *from = getenv("PATH"), *end;
	int code, refused = ENOENT;
	char *path;

	if (strchr(name, '/')) {
		code = program_error(name);
		return code ? program_refused(name, code, error) : text_copy(name);
	}
	if (!*name)
		return program_refused("''", ENOENT, error);
	for (from = from ? from : "/bin:/usr/bin"; from; from = *end ? end + 1 : NULL) {
		end = strchrnul(from, ':');
		path = text_format(
			"%.*s%s%s", (int)(end - from), from, end > from ? "/" : "./", name);
		code = program_error(path);
		if (!code)
			return path;
		/* A folder of PATH that may not be searched is no answer. */
		if (code == EACCES && access(path, F_OK) == 0)
			refused = code;
		free(path);
	}
	if (refused == ENOENT) {
		error_exit(error, STATUS_NOT_FOUND, "%s: no such program in PATH%s", name,
			access(name, F_OK) == 0 ? ": for the file here, say ./ before it" : "");
		return NULL;
	}
	return program_refused(name, refused, error);
}

/* The program that runs a script, NULL if @path is none.  To be freed. */
static char *script_interpreter(const char *path)
{
	char line[256], *from;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return NULL;
	n = read(fd, line, sizeof(line) - 1);
	close(fd);
	if (n < 3 || line[0] != '#' || line[1] != '!')
		return NULL;
	line[n] = '\0';
	from = line + 2 + strspn(line + 2, " \t");
	from[strcspn(from, " \t\r\n")] = '\0';
	return text_copy(from);
}

static char *image_objection(const struct image *image)
{
	const char *path = image->path;
	struct error error;

	if (image_check_machine(image, &error) < 0)
		return text_format(
			"%s cannot be followed: it is not a 64-bit program of this machine", path);
	if (!image_interpreter(image))
		return text_format("%s is a static program: the preload library does not act in "
				   "it, nothing will be recorded",
			path);
	if ((image->stat.st_mode & S_ISUID && image->stat.st_uid != geteuid()) ||
		(image->stat.st_mode & S_ISGID && image->stat.st_gid != getegid()))
		return text_format("%s is setuid or setgid: the loader ignores the preload "
				   "library, nothing will be recorded",
			path);
	return NULL;
}

char *program_objection(const char *path)
{
	char *interpreter = script_interpreter(path), *objection = NULL;
	struct image image;
	struct error error;

	if (image_open(&image, interpreter ? interpreter : path, &error) == 0)
		objection = image_objection(&image);
	image_close(&image);
	free(interpreter);
	return objection;
}
