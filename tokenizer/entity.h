/* HTML character references.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Decodes the reference at `text`, which begins with '&'. Returns the bytes it
 * takes and sets *character, or 0 when it is none. */
size_t entity_decode(const char *text, size_t length, uint32_t *character);
