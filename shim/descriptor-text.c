/* SPDX-License-Identifier: MIT */
/*
 * What a descriptor is, in words.  /proc knows paths and the kinds of what has
 * none; of sockets the kernel is asked.
 */
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "shim/descriptors.h"
#include "shim/sys.h"
#include "shim/text.h"

union address {
	struct sockaddr any;
	struct sockaddr_in inet;
	struct sockaddr_in6 inet6;
	struct sockaddr_un local;
	struct sockaddr_nl netlink;
	struct sockaddr_vm vm;
	struct sockaddr_storage room;
};

static void text_port(struct text *text, in_port_t port)
{
	text_add(text, ":");
	text_number(text, ntohs(port), 10, 1);
}

static void text_inet(struct text *text, const unsigned char *bytes)
{
	for (int i = 0; i < 4; i++) {
		text_add(text, i ? "." : "");
		text_number(text, bytes[i], 10, 1);
	}
}

static unsigned int group_of(const unsigned char *bytes, int i)
{
	return (unsigned int)bytes[2 * i] << 8 | bytes[2 * i + 1];
}

/* The longest run of zeros, of two groups at least, is written as "::". */
static int zeros_longest(const unsigned char *bytes, int *length)
{
	int start = -1;

	*length = 1;
	for (int i = 0, run = 0; i < 8; i++) {
		run = group_of(bytes, i) ? 0 : run + 1;
		if (run > *length) {
			*length = run;
			start = i - run + 1;
		}
	}
	return start;
}

static void text_inet6(struct text *text, const unsigned char *bytes)
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
	int length, start = zeros_longest(bytes, &length);

	text_add(text, "[");
	if (!memcmp(bytes, mapped, sizeof(mapped))) {
		text_add(text, "::ffff:");
		text_inet(text, bytes + 12);
	} else {
		for (int i = 0; i < 8; i++) {
			if (i == start) {
				text_add(text, "::");
				i += length - 1;
				continue;
			}
			text_add(text, i && i != start + length ? ":" : "");
			text_number(text, group_of(bytes, i), 16, 1);
		}
	}
	text_add(text, "]");
}

/* A path, or a name that no file has: it may contain anything, and begins with NUL. */
static void text_local(struct text *text, const struct sockaddr_un *address, socklen_t size)
{
	size_t length = size - offsetof(struct sockaddr_un, sun_path);

	if (length > sizeof(address->sun_path))
		length = sizeof(address->sun_path);
	if (address->sun_path[0]) {
		text_add_n(text, address->sun_path, strnlen(address->sun_path, length));
		return;
	}
	text_add(text, "@");
	for (size_t i = 1; i < length; i++)
		text_add_n(text, address->sun_path[i] ? &address->sun_path[i] : "@", 1);
}

/* False: it has none, or none of a family that is known here. */
static bool text_address(struct text *text, const union address *address, socklen_t size)
{
	switch (size >= sizeof(sa_family_t) ? address->any.sa_family : AF_UNSPEC) {
	case AF_INET:
		text_inet(text, (const unsigned char *)&address->inet.sin_addr);
		text_port(text, address->inet.sin_port);
		return true;
	case AF_INET6:
		text_inet6(text, (const unsigned char *)&address->inet6.sin6_addr);
		text_port(text, address->inet6.sin6_port);
		return true;
	case AF_UNIX:
		if (size <= offsetof(struct sockaddr_un, sun_path))
			return false;
		text_local(text, &address->local, size);
		return true;
	case AF_VSOCK:
		text_number(text, address->vm.svm_cid, 10, 1);
		text_add(text, ":");
		text_number(text, address->vm.svm_port, 10, 1);
		return true;
	default:
		return false;
	}
}

static int option_of(int fd, int option)
{
	socklen_t size = sizeof(int);
	int value = 0;

	if (sys_call6(SYS_getsockopt, fd, SOL_SOCKET, option, &value, &size, 0))
		return -1;
	return value;
}

static void text_family(struct text *text, int family, int type, int protocol)
{
	static const char *const families[] = {
		[AF_UNIX] = "unix",
		[AF_NETLINK] = "netlink",
		[AF_PACKET] = "packet",
		[AF_ALG] = "alg",
		[AF_VSOCK] = "vsock",
	};
	const size_t count = sizeof(families) / sizeof(*families);
	const bool inet = family == AF_INET || family == AF_INET6;

	if (inet && protocol == IPPROTO_TCP && type == SOCK_STREAM)
		text_add(text, "tcp");
	else if (inet && protocol == IPPROTO_UDP && type == SOCK_DGRAM)
		text_add(text, "udp");
	else if (inet && type == SOCK_RAW)
		text_add(text, "raw");
	else if (family >= 0 && (size_t)family < count && families[family])
		text_add(text, families[family]);
	else
		text_add(text, inet ? "inet" : "socket");
	if (family == AF_NETLINK || (inet && type == SOCK_RAW)) {
		text_add(text, " protocol ");
		text_number(text, (unsigned int)protocol, 10, 1);
	} else if (family < 0 || (size_t)family >= count || (!families[family] && !inet)) {
		text_add(text, " family ");
		text_number(text, (unsigned int)family, 10, 1);
	}
}

static void text_socket(struct text *text, int fd)
{
	int family = option_of(fd, SO_DOMAIN);
	union address here, there;
	socklen_t here_size = sizeof(here), there_size = sizeof(there);

	text_family(text, family, option_of(fd, SO_TYPE), option_of(fd, SO_PROTOCOL));
	if (family == AF_NETLINK)
		return;
	if (sys_call(SYS_getsockname, fd, &here, &here_size))
		here_size = 0;
	if (sys_call(SYS_getpeername, fd, &there, &there_size))
		there_size = 0;
	text_add(text, " ");
	if (!text_address(text, &here, here_size))
		text_add(text, "unnamed");
	if (there_size > (family == AF_UNIX ? offsetof(struct sockaddr_un, sun_path) : 0)) {
		text_add(text, " -> ");
		text_address(text, &there, there_size);
	} else if (option_of(fd, SO_ACCEPTCONN) == 1) {
		text_add(text, " listening");
	}
}

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* "anon_inode:[eventpoll]", "anon_inode:inotify" */
static void text_kind(struct text *text, const char *kind)
{
	size_t length = strlen(kind);

	if (*kind == '[' && length > 2) {
		kind++;
		length -= 2;
	}
	if (length == 9 && begins(kind, "eventpoll"))
		text_add(text, "epoll");
	else
		text_add_n(text, kind, length);
}

/* What the link in /proc says; a deleted file's path ends in " (deleted)". */
static void text_link(struct text *text, const char *link)
{
	static const char memfd[] = "/memfd:", deleted[] = " (deleted)";
	size_t length = strlen(link);

	if (begins(link, "anon_inode:")) {
		text_kind(text, link + strlen("anon_inode:"));
	} else if (begins(link, memfd) && length > sizeof(deleted) + sizeof(memfd)) {
		text_add(text, "memfd ");
		text_add_n(text, link + sizeof(memfd) - 1,
			length - (sizeof(memfd) - 1) - (sizeof(deleted) - 1));
	} else if (begins(link, "/secretmem")) {
		text_add(text, "memfd_secret");
	} else if (begins(link, "pidfd:")) {
		text_add(text, "pidfd");
	} else {
		text_add(text, link);
	}
}

/* Where there is no /proc. */
static void text_mode(struct text *text, unsigned int mode)
{
	text_add(text, S_ISREG(mode)	? "file"
		       : S_ISDIR(mode)	? "directory"
		       : S_ISCHR(mode)	? "character device"
		       : S_ISBLK(mode)	? "block device"
		       : S_ISFIFO(mode) ? "pipe"
					: "");
}

/* The calling thread's own: the process's first thread may have ended. */
static long link_read(int fd, char *link, size_t size)
{
	static const char *const folders[] = {"/proc/thread-self/fd/", "/proc/self/fd/"};
	long length = -1;

	for (int i = 0; i < 2 && length < 0; i++) {
		char path[64];
		struct text text = text_in(path, sizeof(path));

		text_add(&text, folders[i]);
		text_number(&text, (unsigned int)fd, 10, 1);
		length = sys_call6(SYS_readlinkat, AT_FDCWD, path, link, size - 1, 0, 0);
	}
	link[length < 0 ? 0 : length] = 0;
	return length;
}

bool descriptor_text(int fd, char *room, unsigned long size)
{
	struct text text = text_in(room, size);
	struct stat stat;
	char link[4200];

	if (sys_call(SYS_fstat, fd, &stat, 0))
		return sys_call(SYS_fcntl, fd, F_GETFD, 0) >= 0;
	if (S_ISSOCK(stat.st_mode))
		text_socket(&text, fd);
	else if (link_read(fd, link, sizeof(link)) > 0)
		text_link(&text, link);
	else
		text_mode(&text, stat.st_mode);
	return true;
}
