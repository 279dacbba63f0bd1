/* Text to words: fed in pieces, a word may go on from one piece to the next.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tokenizer/emit.h"
#include "tokenizer/url.h"

enum { TEXT_MAX_WORD = 40 };

/* Fields are private. */
struct text {
	struct emit *emit;
	const struct field *words;
	const struct field *pairs; /* NULL: no pairs of neighbouring words */
	const struct field *shouts; /* NULL: capitals and !!! do not count */
	const struct url_fields *links; /* NULL: a link is words like any other */
	char word[TEXT_MAX_WORD + 8];
	size_t length; /* of word; more than TEXT_MAX_WORD = cut */
	size_t capitals; /* letters of the word that are upper case ASCII */
	char joint; /* a connector that waits for the word to go on */
	char previous[TEXT_MAX_WORD + 8];
	size_t previous_length;
	uint32_t ideograph; /* the last one, 0 = none */
	size_t bangs; /* run of exclamation marks */
};

/* Begins a text of which only the words count. The optional fields may be set
 * after it. */
void text_begin(struct text *text, struct emit *emit, const struct field *words);

/* Feeds UTF-8 with stray windows-1252 bytes. */
void text_feed(struct text *text, const char *data, size_t length);

/* A word ends here: block element, end of the text. */
void text_break(struct text *text);
