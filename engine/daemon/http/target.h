/* What an HTTP request is about: the path and the parameters of its target (RFC 9112
 * section 3.2). Pure.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

/* More than recipients that can be asked for, so that who asks for too many is told so. */
enum { TARGET_PARAMETERS_MAX = 1100 };

struct parameter {
	const char *name, *value;
};

/* Zeroed, it is an empty target. */
struct target {
	const char *path; /* "" when it is refused */
	struct parameter *parameters;
	size_t count;
	size_t length; /* of the text that was given */
	const char *refusal; /* a sentence, NULL = it is good */

	/* Private. */
	char *text;
};

/* Takes a target of the origin form ("/ping?a=b") or the absolute form
 * ("http://host/ping"), whose host does not matter. %HH is decoded; + is a plus sign, as
 * RFC 3986 has it, since it is common in addresses and blanks are not. Refused is what has
 * a blank, a control character, a NUL (%00) but in a value, where 0x01 takes its place, a %
 * without two hexadecimal digits, or more than TARGET_PARAMETERS_MAX parameters. `text` is
 * copied. */
void target_parse(struct target *target, const char *text);
void target_free(struct target *target);
