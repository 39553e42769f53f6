/* SPDX-License-Identifier: MIT */
/* Whether a series of measurements grows, as opposed to having grown once. */
#ifndef RELIB_TREND_H
#define RELIB_TREND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * @value[0] to @value[count - 1], at equal distances.  What goes down again was
 * no growth: a step counts if the value never falls below it later.  It grows if
 * such steps are at least two and a third of all.  Puts into *@by how much it
 * grew from the least to the last.  Too few values, or one that is not known
 * (-1): false.
 */
bool series_grows(const int64_t *value, size_t count, int64_t *by);

#endif
