/* SPDX-License-Identifier: MIT */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Returns 1 if the bytes made sense, so that a driver can tell that some do. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
