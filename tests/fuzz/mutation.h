/* SPDX-License-Identifier: MIT */
/* Damage that is the same in every run. */
#ifndef TESTS_MUTATION_H
#define TESTS_MUTATION_H

#include <stdint.h>

uint64_t mutation_draw(void);	   /* a number */
void mutation_make(uint8_t *byte); /* another value, more often a telling one */

#endif
