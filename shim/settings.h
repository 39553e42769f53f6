/* SPDX-License-Identifier: MIT */
/*
 * What the environment asks for (RELIB_*), read once when the library is
 * initialised.  Wrong values are taken as not given: the shim never complains
 * inside somebody else's program; the command line checks them first.
 */
#ifndef RELIB_SETTINGS_H
#define RELIB_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/session-format.h"

#define SETTINGS_FRAMES_MAX 64
#define SETTINGS_FRAMES_DEFAULT 16

struct settings {
	unsigned int frames;	  /* RELIB_FRAMES: recorded per allocation, 0 = the caller only */
	enum session_leaks leaks; /* RELIB_LEAKS=free|report|off */
	enum session_threads threads; /* RELIB_THREADS=defer|refuse */
	enum session_fds fds;	      /* RELIB_FDS=report|close */
	enum session_names names;     /* RELIB_NAMES=report|remove */
	uint32_t timeout_ms;	      /* RELIB_UNLOAD_TIMEOUT, seconds; 0: wait for ever */
	bool timeout_abandon;	      /* RELIB_UNLOAD_TIMEOUT_ACTION=report|abandon */
	uint64_t guard;	     /* RELIB_GUARD, MiB of unloaded addresses held back; here bytes */
	uint64_t quarantine; /* RELIB_QUARANTINE, MiB; here in bytes */
	/* copies: a host that writes its title over environ would take the originals away */
	char track[4096];   /* RELIB_TRACK: globs joined by ':', "" = every module */
	char through[1024]; /* RELIB_THROUGH: globs of libraries to look behind */
	char run[128];	    /* RELIB_RUN: names the run that a session belongs to */
	char base[1024];    /* RELIB_DIR or its default: where sessions go; "" = nowhere */
};

extern struct settings settings;

/* Reads the environment of envp (environ may not be set up yet). */
void settings_read(char *const *envp);

/*
 * True when one of the globs in list (joined by ':') matches the whole path
 * or its last component.
 */
bool settings_list_matches(const char *list, const char *path);

#endif
