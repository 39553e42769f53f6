/* SPDX-License-Identifier: MIT */
/* What runs while a module is being unloaded and is still mapped. */
#ifndef RELIB_FINALIZE_H
#define RELIB_FINALIZE_H

#endif
