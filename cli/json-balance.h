/* SPDX-License-Identifier: MIT */
/* What generations acquired besides memory, as JSON.  The schema is docs/json.md. */
#ifndef RELIB_JSON_BALANCE_H
#define RELIB_JSON_BALANCE_H

#include "cli/balance.h"
#include "cli/json.h"

/* Arrays: of the records of one generation. */
struct json_object *json_balances(const struct leaks *leaks, const struct leaks_generation *told);
struct json_object *json_leftovers(const struct leaks *leaks, const struct leaks_generation *told);

/* Of a module: the sums of all its generations by kind; what each reload adds. */
struct json_object *json_resources(const struct leaks *leaks, const struct balance_sum sums[KINDS]);
struct json_object *json_growth(const struct leaks *leaks, const struct growth *growth);

/* What all modules left and was not given back later, by kind. */
struct json_object *json_left(const struct leaks *leaks);

/* {"count", "bytes"} */
struct json_object *json_amount(struct tally tally);

#endif
