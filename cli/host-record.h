/* SPDX-License-Identifier: MIT */
/*
 * What the built-in host tells relib test: how far it got, why it failed, and
 * how large the process was.  One page of a file that both have mapped, so that
 * it is true however the host ends, and needs no descriptor while it runs.
 */
#ifndef RELIB_HOST_RECORD_H
#define RELIB_HOST_RECORD_H

#include <stdint.h>

enum host_stage {
	HOST_STARTING,
	HOST_LOADING,
	HOST_CALLING, /* the plugin's entry */
	HOST_UNLOADING,
	HOST_WAITING, /* for a module whose unload was put off */
	HOST_ENDED,   /* all cycles are done, or it gave up: see failure */
};

enum host_failure { HOST_SOUND, HOST_LOAD_FAILED, HOST_NO_ENTRY, HOST_UNLOAD_FAILED };

/* Of the whole process, behind the unload of one cycle.  -1: not known. */
struct measurement {
	uint64_t cycle;
	int64_t resident; /* bytes in memory that are no file's */
	int64_t size;	  /* bytes of mappings that can be accessed */
	int64_t mappings; /* that can be accessed */
	int64_t descriptors;
	int64_t threads;
};

/* No more are taken however many cycles there are: evenly spread over the later half. */
#define MEASUREMENTS_MOST 64u

struct host_record {
	uint32_t stage;	      /* enum host_stage */
	uint32_t failure;     /* enum host_failure */
	uint64_t cycle;	      /* from 1; 0: none was begun */
	uint64_t bad_returns; /* calls of the entry that did not return 0 */
	uint64_t bad_cycle;   /* the first of them */
	int32_t bad_status;
	uint32_t measured;
	struct measurement measurement[MEASUREMENTS_MOST];
	char text[512]; /* what dlerror said */
};
_Static_assert(sizeof(struct host_record) <= 4096, "host_record is one page");

#endif
