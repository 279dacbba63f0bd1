/* The table of settings: what each one is called, what it may be, and what people read of it.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "engine/settings/value.h"

/* The sections of hamlet.conf and of its manual, in their order. */
enum section {
	SECTION_PLACES,
	SECTION_RIGHTS,
	SECTION_LIMITS,
	SECTION_DURABILITY,
	SECTION_VERDICTS,
	SECTION_BELIEF,
	SECTION_THRESHOLDS,
	SECTION_HOUSEKEEPING,
	SECTION_LOG,
};

/* What SIGHUP does about a new value. */
enum take_over { RELOAD, RESTART };

/* The texts are plain English for both documents. 'Single quotes' mark what is literal;
 * hamletd(8) becomes a reference, and a key with a dash is recognised. */
struct setting {
	const char *key;
	struct value_rule rule;
	size_t offset; /* of the value in struct settings */
	const char *fallback; /* the default, as the file would write it */
	enum section section;
	enum take_over take_over;
	const char *text; /* for hamlet.conf and hamlet.conf(5) */
	const char *more; /* for hamlet.conf(5) alone, or NULL; "\n\n" begins a paragraph */
};

/* In the order of the documents: settings of a section stand together. */
extern const struct setting settings_table[];
extern const size_t settings_count;

/* By enum section. */
extern const struct settings_section {
	const char *title;
	const char *text; /* what holds for all of them, or NULL */
} settings_sections[];
