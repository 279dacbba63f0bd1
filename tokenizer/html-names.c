/* The table of names, and a hash without collisions over it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/html-names.h"

#include <stdint.h>
#include <string.h>

#include "tokenizer/ascii.h"

/* A name's number is its place. */
static const struct {
	const char *text;
	unsigned traits;
} NAMES[] = {
	{"", 0},
	{"a", HTML_INLINE | HTML_ANCHOR},
	{"abbr", HTML_INLINE},
	{"action", HTML_LINK},
	{"align", HTML_CHOICE},
	{"alt", HTML_TEXT},
	{"area", HTML_VOID},
	{"b", HTML_INLINE},
	{"background", HTML_LINK},
	{"base", HTML_VOID},
	{"bgcolor", HTML_CHOICE},
	{"big", HTML_INLINE},
	{"body", 0},
	{"border", HTML_CHOICE},
	{"br", HTML_VOID},
	{"cellpadding", HTML_CHOICE},
	{"cellspacing", HTML_CHOICE},
	{"center", 0},
	{"class", HTML_CHOICE},
	{"col", HTML_VOID},
	{"color", HTML_CHOICE},
	{"colspan", 0},
	{"content", HTML_CHOICE},
	{"div", 0},
	{"em", HTML_INLINE},
	{"embed", HTML_VOID},
	{"face", HTML_CHOICE},
	{"font", HTML_INLINE},
	{"form", 0},
	{"h1", 0},
	{"h2", 0},
	{"h3", 0},
	{"head", 0},
	{"height", HTML_CHOICE},
	{"hidden", HTML_HIDDEN},
	{"hr", HTML_VOID},
	{"href", HTML_LINK},
	{"html", 0},
	{"http-equiv", HTML_CHOICE},
	{"i", HTML_INLINE},
	{"id", 0},
	{"img", HTML_VOID},
	{"input", HTML_VOID},
	{"ins", HTML_INLINE},
	{"lang", HTML_CHOICE},
	{"li", 0},
	{"link", HTML_VOID},
	{"meta", HTML_VOID},
	{"name", HTML_CHOICE},
	{"p", 0},
	{"param", HTML_VOID},
	{"rel", 0},
	{"role", 0},
	{"rowspan", 0},
	{"s", HTML_INLINE},
	{"script", HTML_RAW},
	{"size", HTML_CHOICE},
	{"small", HTML_INLINE},
	{"span", HTML_INLINE},
	{"src", HTML_LINK},
	{"strike", HTML_INLINE},
	{"strong", HTML_INLINE},
	{"style", HTML_RAW | HTML_STYLE},
	{"sub", HTML_INLINE},
	{"sup", HTML_INLINE},
	{"table", 0},
	{"target", HTML_CHOICE},
	{"tbody", 0},
	{"td", 0},
	{"th", 0},
	{"title", HTML_TEXT},
	{"tr", 0},
	{"tt", HTML_INLINE},
	{"type", HTML_CHOICE},
	{"u", HTML_INLINE},
	{"ul", 0},
	{"valign", HTML_CHOICE},
	{"wbr", HTML_INLINE | HTML_VOID},
	{"width", HTML_CHOICE},
};
enum { COUNT = sizeof(NAMES) / sizeof(NAMES[0]) };
_Static_assert((int)COUNT <= (int)HTML_NAMES, "every number fits");

static size_t name_slot(uint64_t beginning)
{
	return (size_t)(beginning * UINT64_C(0x9E3779B97F4A7C15) >> 32) & (HTML_NAME_SLOTS - 1);
}

void html_names_init(struct html_names *names)
{
	memset(names->slots, 0, sizeof(names->slots));
	for (size_t i = 1; i < COUNT; i++) {
		names->lengths[i] = strlen(NAMES[i].text);
		names->beginnings[i] = ascii_load(NAMES[i].text, names->lengths[i]);
		size_t slot = name_slot(names->beginnings[i]);
		while (names->slots[slot])
			slot = (slot + 1) & (HTML_NAME_SLOTS - 1);
		names->slots[slot] = (unsigned char)i;
	}
}

static unsigned find(const struct html_names *names, const struct html_name *name)
{
	uint64_t beginning = ascii_load(name->text, name->length);

	for (size_t slot = name_slot(beginning); names->slots[slot];
		slot = (slot + 1) & (HTML_NAME_SLOTS - 1)) {
		unsigned number = names->slots[slot];
		if (names->beginnings[number] == beginning &&
			names->lengths[number] == name->length &&
			(name->length <= 8 ||
				memcmp(NAMES[number].text + 8, name->text + 8, name->length - 8) ==
					0))
			return number;
	}
	return 0;
}

const char *html_names_read(
	const struct html_names *names, const char *at, const char *end, struct html_name *name)
{
	const char *start = at;

	while (at < end && ascii_is(*at, ASCII_NAME))
		at++;
	name->length = at - start < HTML_NAME_SIZE ? (size_t)(at - start) : HTML_NAME_SIZE;
	if (name->length < 8) {
		uint64_t bytes = ascii_lower_eight(ascii_load(start, name->length));
		memcpy(name->text, &bytes, sizeof(bytes));
	} else {
		ascii_lower_copy(name->text, start, name->length);
	}
	name->number = name->length ? find(names, name) : 0;
	name->traits = NAMES[name->number].traits;
	return at;
}
