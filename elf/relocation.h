/* SPDX-License-Identifier: MIT */
/* The few relocations that say something of loading and unloading, by machine. */
#ifndef RELIB_RELOCATION_H
#define RELIB_RELOCATION_H

#include <elf.h>

#if defined(__x86_64__)
#define RELOCATION_RELATIVE R_X86_64_RELATIVE
#define RELOCATION_ABSOLUTE R_X86_64_64
#define RELOCATION_STATIC_TLS R_X86_64_TPOFF64
#elif defined(__aarch64__)
#define RELOCATION_RELATIVE R_AARCH64_RELATIVE
#define RELOCATION_ABSOLUTE R_AARCH64_ABS64
#define RELOCATION_STATIC_TLS R_AARCH64_TLS_TPREL
#else
#error "unknown machine"
#endif

#endif
