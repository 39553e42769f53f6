/* SPDX-License-Identifier: MIT */
/* Streams of fopencookie whose functions are a module's, until it goes. */
#ifndef RELIB_COOKIES_H
#define RELIB_COOKIES_H

#include <stdbool.h>
#include <stdint.h>

/* data of a STREAM_COOKIE: nobody's function is called any more. */
bool cookie_is_harmless(uint64_t data);

#endif
