/* The numbered files of data/schema, embedded at build time.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

extern const char *const migrations[]; /* SQL; [0] leads from version 0 to 1 */
extern const size_t migrations_count;
