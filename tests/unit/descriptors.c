/* SPDX-License-Identifier: MIT */
/*
 * The table of descriptors by itself, with numbers that no process has so many
 * of, ranges whose close fails, and a vfork child; and sockets in words.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shim/arena.h"
#include "shim/balances.h"
#include "shim/descriptors.h"
#include "shim/settings.h"
#include "shim/thread.h"
#include "tests/unit/suite.h"

static const struct origin origin = {.place = 7, .generation = 3}, host;

__thread struct thread thread_self;
struct settings settings;
struct session_header *session;

/* What is counted, without a session. */
#define RECORDS 32
static struct session_balance balances[2]; /* 1 is all there is */
static struct session_leftover leftovers[RECORDS];
static uint32_t leftover_count = 1;
static bool no_leftovers;

void *session_record(enum session_table table, uint32_t index)
{
	return table == SESSION_BALANCES ? (void *)&balances[index] : (void *)&leftovers[index];
}

uint32_t balance_acquire(struct origin from, enum session_resource kind, uint64_t bytes)
{
	(void)bytes;
	ck_assert_int_eq(kind, SESSION_DESCRIPTOR);
	ck_assert_uint_eq(from.place, origin.place);
	balances[1].acquired++;
	balances[1].generation = 5;
	return 1;
}

void balance_give_back(uint32_t balance, uint64_t count, uint64_t bytes)
{
	ck_assert_uint_eq(balance, 1);
	balances[1].given_back += count + bytes;
}

void balance_give_back_before(uint32_t balance, uint64_t count, uint64_t bytes)
{
	balance_give_back(balance, count, bytes);
}

uint32_t leftover_add(const struct session_leftover *like, const char *text, const char *why)
{
	(void)text;
	(void)why;
	balances[1].taken_back += like->state == SESSION_TAKEN_BACK;
	if (no_leftovers)
		return 0;
	leftovers[leftover_count] = *like;
	return leftover_count++;
}

void leftover_state(uint32_t leftover, enum session_leftover_state state)
{
	if (leftover)
		leftovers[leftover].state = state;
}

void *arena_take(size_t size)
{
	return calloc(1, size);
}

static void begin(void)
{
	memset(balances, 0, sizeof(balances));
	leftover_count = 1;
	no_leftovers = false;
	settings.fds = SESSION_FDS_REPORT;
	ck_assert_uint_eq(descriptors_held, 0);
}

#define COUNTS(opened, given, held)                                                                \
	do {                                                                                       \
		ck_assert_uint_eq(balances[1].acquired, opened);                                   \
		ck_assert_uint_eq(balances[1].given_back, given);                                  \
		ck_assert_uint_eq(descriptors_held, held);                                         \
	} while (0)

START_TEST(any_number)
{
	static const int numbers[] = {0, 1, 16383, 16384, 1 << 20, (1 << 30) - 1, INT_MAX};
	const unsigned int count = sizeof(numbers) / sizeof(*numbers);

	begin();
	for (unsigned int i = 0; i < count; i++)
		descriptor_opened(numbers[i], origin);
	COUNTS(count, 0, count);
	descriptor_opened(-1, origin);
	descriptor_closing(-1);
	descriptor_closing(2);
	descriptor_closing(1 << 25);
	COUNTS(count, 0, count);
	for (unsigned int i = 0; i < count; i++)
		descriptor_closing(numbers[i]);
	COUNTS(count, count, 0);
}
END_TEST

START_TEST(number_used_again)
{
	begin();
	descriptor_opened(100, origin);
	descriptor_opened(100, origin);
	COUNTS(2, 1, 1);
	descriptor_opened(100, host);
	COUNTS(2, 2, 0);
	descriptor_in_stream(100, 9);
	COUNTS(2, 2, 1);
	descriptor_closing(100);
	COUNTS(2, 2, 0);
	descriptor_opened(100, origin);
	descriptor_in_stream(100, 9);
	COUNTS(3, 3, 1);
	descriptor_opened(100, host);
	COUNTS(3, 3, 0);
}
END_TEST

START_TEST(range)
{
	begin();
	for (int fd = 16000; fd < 17000; fd++)
		descriptor_opened(fd, origin);
	descriptors_closing(16100, 16899);
	COUNTS(1000, 0, 1000);
	descriptors_closed(16100, 16899, false);
	COUNTS(1000, 0, 1000);
	descriptors_closing(16100, 16899);
	/* two of them are open again before we are told that all were closed */
	descriptor_opened(16500, origin);
	descriptor_opened(16501, host);
	descriptor_closing(16502);
	COUNTS(1001, 3, 998);
	descriptors_closed(16100, 16899, true);
	COUNTS(1001, 800, 201);
	/* a range that failed before left no marks */
	descriptors_closing(0, 15999);
	descriptors_closed(0, UINT_MAX, true);
	COUNTS(1001, 800, 201);
	descriptors_closing(0, UINT_MAX);
	descriptors_closed(0, UINT_MAX, true);
	COUNTS(1001, 1001, 0);
}
END_TEST

START_TEST(vfork_child)
{
	const struct descriptor_place nothing = {0};

	begin();
	descriptor_opened(100, origin);
	descriptor_opened(101, origin);
	thread_self.vforked = true;
	descriptor_closing(100);
	descriptor_opened(101, host);
	descriptor_opened(102, origin);
	descriptor_in_stream(101, 9);
	descriptor_replaced(101, host, &nothing);
	descriptors_closing(0, UINT_MAX);
	descriptors_closed(0, UINT_MAX, true);
	thread_self.vforked = false;
	COUNTS(2, 0, 2);
	descriptors_closing(0, UINT_MAX);
	descriptors_closed(0, UINT_MAX, true);
	COUNTS(2, 2, 0);
}
END_TEST

START_TEST(settled)
{
	int fds[4];

	begin();
	for (int i = 0; i < 4; i++) {
		fds[i] = eventfd(0, 0);
		descriptor_opened(fds[i], origin);
	}
	close(fds[0]);
	descriptor_in_stream(fds[1], 9);
	descriptors_settle(4);
	COUNTS(4, 1, 4);
	descriptors_settle(5);
	COUNTS(4, 2, 3);
	ck_assert_uint_eq(leftover_count, 3);
	ck_assert_int_eq(leftovers[1].number, fds[2]);
	descriptors_settle(5);
	ck_assert_uint_eq(leftover_count, 3);
	descriptor_closing(fds[2]);
	ck_assert_int_eq(leftovers[1].state, SESSION_GIVEN_BACK);
	ck_assert_int_eq(leftovers[2].state, SESSION_LEFT);
	descriptor_closing(fds[1]);
	descriptor_closing(fds[3]);
	COUNTS(4, 4, 0);
	for (int i = 1; i < 4; i++)
		ck_assert(!close(fds[i]));
}
END_TEST

START_TEST(settled_without_room)
{
	int fd = eventfd(0, 0);

	begin();
	no_leftovers = true;
	descriptor_opened(fd, origin);
	descriptors_settle(5);
	COUNTS(1, 0, 1);
	descriptor_closing(fd);
	COUNTS(1, 1, 0);
	ck_assert(!close(fd));
}
END_TEST

START_TEST(settled_with_close)
{
	int fds[2];

	begin();
	settings.fds = SESSION_FDS_CLOSE;
	ck_assert(!pipe(fds));
	descriptor_opened(fds[0], origin);
	descriptor_opened(fds[1], origin);
	/* behind our back another file has the number */
	close(fds[1]);
	ck_assert_int_eq(open("/dev/null", O_RDONLY), fds[1]);
	descriptors_settle(5);
	COUNTS(2, 1, 0);
	ck_assert_uint_eq(balances[1].taken_back, 1);
	ck_assert_int_eq(fcntl(fds[0], F_GETFD), -1);
	ck_assert(!close(fds[1]));
}
END_TEST

/* The host's number, with something of the module over it, and then as it was. */
START_TEST(over_the_hosts)
{
	struct descriptor_place before;
	int fd = open("/dev/null", O_RDONLY), other = open("/dev/zero", O_RDONLY), saved = dup(fd);

	begin();
	settings.fds = SESSION_FDS_CLOSE;
	before = descriptor_place_held(fd);
	dup2(other, fd);
	descriptor_replaced(fd, origin, &before);
	COUNTS(1, 0, 1);
	before = descriptor_place_held(fd);
	dup2(saved, fd);
	descriptor_replaced(fd, origin, &before);
	COUNTS(1, 1, 0);
	before = descriptor_place_held(fd);
	dup2(other, fd);
	descriptor_replaced(fd, origin, &before);
	descriptors_settle(5);
	COUNTS(2, 1, 1);
	ck_assert_int_eq(leftovers[1].state, SESSION_LEFT);
	ck_assert(!close(fd) && !close(saved) && !close(other));
	descriptor_closing(fd);
	COUNTS(2, 2, 0);
}
END_TEST

static const char *text_of(int fd)
{
	static char text[512];

	ck_assert(descriptor_text(fd, text, sizeof(text)));
	close(fd);
	return text;
}

/* Each address is written as inet_ntop does, whatever groups of it are zero. */
START_TEST(inet6)
{
	unsigned int bound = 0;
	int on = 1;

	for (unsigned int zero = 0; zero < 257; zero++) {
		struct sockaddr_in6 address = {.sin6_family = AF_INET6};
		int fd = socket(AF_INET6, SOCK_DGRAM, 0);
		char wanted[80], text[64];

		for (int i = 0; i < 8; i++)
			if (!(zero >> i & 1))
				address.sin6_addr.s6_addr[2 * i + 1] = (unsigned char)(zero + 16);
		if (!address.sin6_addr.s6_addr[1])
			address.sin6_addr.s6_addr[0] = zero & 2 ? 0 : 0x20;
		if (zero == 256)
			inet_pton(AF_INET6, "::ffff:127.0.0.1", &address.sin6_addr);
		if (fd < 0)
			return;	       /* no such family here */
		if ((zero & 63) == 63) /* inet_ntop writes what used to be an IPv4 address as one */
			address.sin6_addr.s6_addr[0] = 0x20;
		setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on));
		if (bind(fd, (struct sockaddr *)&address, sizeof(address))) {
			close(fd);
			continue;
		}
		snprintf(wanted, sizeof(wanted),
			"udp [%s]:", inet_ntop(AF_INET6, &address.sin6_addr, text, sizeof(text)));
		bound++;
		ck_assert_msg(!strncmp(text_of(fd), wanted, strlen(wanted)), "%s", wanted);
	}
	ck_assert_uint_gt(bound, 100);
}
END_TEST

START_TEST(connected)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_port = htons(9)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	const char *text;

	ck_assert(!connect(fd, (struct sockaddr *)&address, sizeof(address)));
	text = text_of(fd);
	ck_assert(!strncmp(text, "udp 127.0.0.1:", 14));
	ck_assert_str_eq(strstr(text, " -> "), " -> 127.0.0.1:9");
}
END_TEST

START_TEST(cut)
{
	char room[8];
	int fd = open("/dev/null", O_RDONLY);

	ck_assert(descriptor_text(fd, room, sizeof(room)));
	ck_assert_str_eq(room, "/dev/nu");
	close(fd);
	ck_assert(!descriptor_text(fd, room, sizeof(room)));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("descriptors");

	alarm(60);
	suite_test(suite, any_number);
	suite_test(suite, number_used_again);
	suite_test(suite, range);
	suite_test(suite, vfork_child);
	suite_test(suite, settled);
	suite_test(suite, settled_without_room);
	suite_test(suite, settled_with_close);
	suite_test(suite, over_the_hosts);
	suite_test(suite, inet6);
	suite_test(suite, connected);
	suite_test(suite, cut);
	return suite_run(suite);
}
