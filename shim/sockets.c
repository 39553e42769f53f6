/* SPDX-License-Identifier: MIT */
/* Sockets, and the descriptors that come through them. */
#undef _FORTIFY_SOURCE
#include <string.h>
#include <sys/socket.h>

#include "shim/opening.h"

#ifndef SCM_PIDFD
#define SCM_PIDFD 4
#endif

RELIB_EXPORT int socket(int family, int type, int protocol)
{
	OPENING(socket, family, type, protocol);
}

RELIB_EXPORT int socketpair(int family, int type, int protocol, int pair[2])
{
	OPENING_PAIR(socketpair, pair, family, type, protocol, pair);
}

RELIB_EXPORT int accept(int fd, __SOCKADDR_ARG address, socklen_t *restrict size)
{
	int made;

	if (!next_ready() || !next.accept)
		return function_missing();
	made = next.accept(fd, address.__sockaddr__, size);
	if (made >= 0)
		descriptor_opened(made, CALL_ORIGIN());
	return made;
}

RELIB_EXPORT int accept4(int fd, __SOCKADDR_ARG address, socklen_t *restrict size, int flags)
{
	int made;

	if (!next_ready() || !next.accept4)
		return function_missing();
	made = next.accept4(fd, address.__sockaddr__, size, flags);
	if (made >= 0)
		descriptor_opened(made, CALL_ORIGIN());
	return made;
}

void message_received(const struct msghdr *message, struct origin origin)
{
	struct cmsghdr *part = CMSG_FIRSTHDR(message);
	size_t count;
	int fd;

	if (!origin.place && !descriptors_are_held())
		return;
	for (; part; part = CMSG_NXTHDR((struct msghdr *)message, part)) {
		if (part->cmsg_level != SOL_SOCKET || part->cmsg_len < CMSG_LEN(0) ||
			(part->cmsg_type != SCM_RIGHTS && part->cmsg_type != SCM_PIDFD))
			continue;
		count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(fd);
		for (size_t i = 0; i < count; i++) {
			memcpy(&fd, CMSG_DATA(part) + i * sizeof(fd), sizeof(fd));
			descriptor_opened(fd, origin);
		}
	}
}

RELIB_EXPORT ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t result;

	if (!next_ready() || !next.recvmsg)
		return function_missing();
	result = next.recvmsg(fd, message, flags);
	if (result >= 0 && message->msg_control && message->msg_controllen)
		message_received(message, CALL_ORIGIN());
	return result;
}

RELIB_EXPORT int recvmmsg(
	int fd, struct mmsghdr *messages, unsigned int most, int flags, struct timespec *timeout)
{
	struct origin origin;
	int count;

	if (!next_ready() || !next.recvmmsg)
		return function_missing();
	count = next.recvmmsg(fd, messages, most, flags, timeout);
	if (count > 0) {
		origin = CALL_ORIGIN();
		for (int i = 0; i < count; i++)
			if (messages[i].msg_hdr.msg_control && messages[i].msg_hdr.msg_controllen)
				message_received(&messages[i].msg_hdr, origin);
	}
	return count;
}
