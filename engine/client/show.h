/* What the daemon answered, for a person to read.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <jansson.h>
#include <stddef.h>

/* Text of a mail, safe for a terminal: control characters and what is no UTF-8
 * are escaped, at most `width` characters. */
void show_text(const char *text, size_t length, size_t width);

/* "spam 7.3 / 5.0 (probability 0.991, ...)". */
void show_score(const json_t *verdict);

/* The tokens that decided, and the sum that gave the score. */
void show_why(const json_t *verdict);

/* What became of a report. */
void show_answer(const json_t *answer);

/* The steps of a diagnosis, with the strongest reasons. */
void show_diagnosis(const json_t *diagnosis);

/* A policy and how it came to be. */
void show_policy(const json_t *policy);
void show_user(const json_t *user);

/* Entries, one a line; what a change did. */
void show_entries(const json_t *entries);
void show_receipt(const json_t *receipt);

/* Every counter on a line, groups as prefixes. */
void show_stats(const json_t *stats);
