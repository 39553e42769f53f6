/* SPDX-License-Identifier: MIT */
/* Paths and names can hold any bytes; what is written for programs is UTF-8. */
#ifndef RELIB_UTF8_H
#define RELIB_UTF8_H

/* A copy, to be freed, in which bytes that are not UTF-8 are replaced by U+FFFD. */
char *utf8_text(const char *text);

#endif
