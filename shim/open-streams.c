/* SPDX-License-Identifier: MIT */
#include "shim/open-streams.h"

/* Public symbols of glibc without a header any more. */
extern void *_IO_iter_begin(void) __attribute__((weak));
extern void *_IO_iter_end(void) __attribute__((weak));
extern void *_IO_iter_next(void *at) __attribute__((weak));
extern FILE *_IO_iter_file(void *at) __attribute__((weak));
extern void _IO_list_lock(void) __attribute__((weak));
extern void _IO_list_unlock(void) __attribute__((weak));

bool open_streams_each(bool (*visit)(FILE *stream, void *data), void *data)
{
	bool found = false;

	if (!_IO_iter_begin || !_IO_iter_end || !_IO_iter_next || !_IO_iter_file ||
		!_IO_list_lock || !_IO_list_unlock)
		return false;
	_IO_list_lock();
	for (void *at = _IO_iter_begin(); at != _IO_iter_end() && !found; at = _IO_iter_next(at))
		found = visit(_IO_iter_file(at), data);
	_IO_list_unlock();
	return found;
}

static bool is_same(FILE *stream, void *data)
{
	return stream == data;
}

bool open_streams_have(const void *stream)
{
	return open_streams_each(is_same, (void *)stream);
}
