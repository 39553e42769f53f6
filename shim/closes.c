/* SPDX-License-Identifier: MIT */
/* The functions that close descriptors.  They can be called in signal handlers. */
#undef _FORTIFY_SOURCE
#include <limits.h>
#include <linux/close_range.h>
#include <unistd.h>

#include "shim/opening.h"
#include "shim/sys.h"

int __close(int fd);

#define CLOSE(symbol, member)                                                                      \
	RELIB_EXPORT int symbol(int fd)                                                            \
	{                                                                                          \
		descriptor_closing(fd);                                                            \
		if (next_ready() && next.member)                                                   \
			return next.member(fd);                                                    \
		return (int)system_result(sys_close(fd));                                          \
	}

CLOSE(close, close)
CLOSE(__close, close_old_name)

/* With CLOSE_RANGE_UNSHARE other threads go on; without any, an unload finds what is closed. */
RELIB_EXPORT int close_range(unsigned int first, unsigned int last, int flags)
{
	const bool closes = !(flags & (int)(CLOSE_RANGE_CLOEXEC | CLOSE_RANGE_UNSHARE));
	int result;

	if (closes)
		descriptors_closing(first, last);
	if (next_ready() && next.close_range)
		result = next.close_range(first, last, flags);
	else
		result = (int)system_result(sys_call(SYS_close_range, first, last, flags));
	if (closes)
		descriptors_closed(first, last, !result);
	else if (!result && flags & (int)CLOSE_RANGE_UNSHARE)
		descriptors_unshared();
	return result;
}

RELIB_EXPORT void closefrom(int low)
{
	unsigned int first = low < 0 ? 0 : (unsigned int)low;

	descriptors_closing(first, UINT_MAX);
	if (next_ready() && next.closefrom)
		next.closefrom(low);
	else
		sys_call(SYS_close_range, first, UINT_MAX, 0);
	descriptors_closed(first, UINT_MAX, true);
}
