/* The value of a style attribute (CSS Style Attributes, section 2).
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tokenizer/emit.h"

/* Emits each declaration "property:value" in lower case without white space. Returns
 * whether one of them hides the element. */
bool html_style_scan(
	struct emit *emit, const struct field *field, const char *style, size_t length);
