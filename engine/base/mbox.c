/* Finds the lines that part the messages of an mbox or MMDF file.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/mbox.h"

#include <string.h>

/* A separator is read up to here: what is longer is a line of text. */
enum { SEPARATOR_MAX = 1024 };

struct word {
	const char *at;
	size_t length;
};

/* --- Dates ----------------------------------------------------------------------------- */

static bool is_date_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

/* Is the word three letters of `names`, which are three letters each? */
static bool is_month_or_day(struct word word, const char *names)
{
	if (word.length != 3)
		return false;
	for (; *names; names += 3) {
		if (memcmp(word.at, names, 3) == 0)
			return true;
	}
	return false;
}

static bool is_weekday(struct word word)
{
	if (word.length == 4 && word.at[3] == ',')
		word.length = 3;
	return is_month_or_day(word, "MonTueWedThuFriSatSun");
}

static bool is_month(struct word word)
{
	return is_month_or_day(word, "JanFebMarAprMayJunJulAugSepOctNovDec");
}

static bool is_date_number(struct word word)
{
	for (size_t i = 0; i < word.length; i++) {
		if (!is_date_digit(word.at[i]))
			return false;
	}
	return word.length == 1 || word.length == 2 || word.length == 4;
}

/* 1:05, 01:05, 01:05:34 */
static bool is_time(struct word word)
{
	size_t hour = word.length > 1 && word.at[1] == ':' ? 1 : 2;

	if (word.length != hour + 3 && word.length != hour + 6)
		return false;
	for (size_t i = 0; i < word.length; i++) {
		bool colon = i == hour || i == hour + 3;

		if (colon ? word.at[i] != ':' : !is_date_digit(word.at[i]))
			return false;
	}
	return true;
}

/* +0100, CET, (CET) */
static bool is_zone(struct word word)
{
	if (word.length == 5 && (*word.at == '+' || *word.at == '-')) {
		const struct word digits = {word.at + 1, 4};
		return is_date_number(digits);
	}
	if (word.length > 2 && *word.at == '(' && word.at[word.length - 1] == ')')
		word = (struct word){word.at + 1, word.length - 2};
	for (size_t i = 0; i < word.length; i++) {
		if (!is_upper(word.at[i]))
			return false;
	}
	return word.length >= 1 && word.length <= 5;
}

/* The next word of a line; empty at its end. */
static struct word next_date_word(const char **at, const char *end)
{
	while (*at < end && (**at == ' ' || **at == '\t'))
		(*at)++;
	struct word word = {.at = *at};
	while (*at < end && **at != ' ' && **at != '\t')
		(*at)++;
	word.length = (size_t)(*at - word.at);
	return word;
}

/* What comes after the day of the week: month, day, time and year, in any order. */
static bool is_date(const char *at, const char *end)
{
	unsigned months = 0, times = 0, numbers = 0;
	struct word word;

	while ((word = next_date_word(&at, end)).length > 0) {
		if (is_month(word))
			months++;
		else if (is_time(word))
			times++;
		else if (is_date_number(word))
			numbers++;
		else if (word.length == 6 && memcmp(word.at, "remote", 6) == 0)
			break; /* "remote from HOST", of UUCP */
		else if (!is_zone(word))
			return false;
	}
	return months == 1 && times == 1 && numbers == 2;
}

/* --- Lines ----------------------------------------------------------------------------- */

static bool begins(const char *at, const char *end, const char *text, size_t length)
{
	return (size_t)(end - at) >= length && memcmp(at, text, length) == 0;
}

/* Where the line after this one begins. */
static const char *next_mbox_line(const char *at, const char *end)
{
	const char *newline = memchr(at, '\n', (size_t)(end - at));

	return newline ? newline + 1 : end;
}

static bool is_blank_line(const char *at, const char *next)
{
	return *at == '\n' || (next - at == 2 && at[0] == '\r' && at[1] == '\n');
}

static bool is_quoted(const char *at, const char *end)
{
	const char *from = at;

	while (from < end && *from == '>')
		from++;
	return from > at && begins(from, end, "From ", 5);
}

bool mbox_is_separator(const char *line, const char *end)
{
	if (!begins(line, end, "From ", 5))
		return false;
	size_t most = (size_t)(end - line) < SEPARATOR_MAX ? (size_t)(end - line) : SEPARATOR_MAX;
	const char *newline = memchr(line, '\n', most);
	const char *stop = newline ? newline : line + most;

	if (stop[-1] == '\r')
		stop--;
	/* A sender may have any words, those of a date as well. */
	const char *at = line + 5;
	for (struct word word = next_date_word(&at, stop); word.length > 0;
		word = next_date_word(&at, stop)) {
		if (is_weekday(word) && is_date(at, stop))
			return true;
	}
	return false;
}

/* --- MMDF ------------------------------------------------------------------------------ */

static bool is_mmdf_separator(const char *line, const char *end)
{
	static const char SEPARATOR[] = "\1\1\1\1";

	if (!begins(line, end, SEPARATOR, 4))
		return false;
	line += 4;
	if (line < end && *line == '\r')
		line++;
	return line == end || *line == '\n';
}

static size_t read_mmdf_message(struct mbox *mbox)
{
	const char *start = mbox->at;

	while (mbox->at < mbox->end && !is_mmdf_separator(mbox->at, mbox->end))
		mbox->at = next_mbox_line(mbox->at, mbox->end);
	return (size_t)(mbox->at - start);
}

/* Each message has a separator before it and one after it. */
static bool next_of_mmdf(struct mbox *mbox, const char **message, size_t *length)
{
	while (mbox->at < mbox->end && is_mmdf_separator(mbox->at, mbox->end))
		mbox->at = next_mbox_line(mbox->at, mbox->end);
	*message = mbox->at;
	*length = read_mmdf_message(mbox);
	return *length > 0;
}

/* --- Files ----------------------------------------------------------------------------- */

struct mbox mbox_open(const char *data, size_t length)
{
	struct mbox mbox = {.at = data, .end = data + length};

	while (mbox.at < mbox.end) {
		const char *next = next_mbox_line(mbox.at, mbox.end);

		if (!is_blank_line(mbox.at, next))
			break;
		mbox.at = next;
	}
	mbox.mmdf = is_mmdf_separator(mbox.at, mbox.end);
	return mbox;
}

bool mbox_is_mbox(const char *data, size_t length)
{
	struct mbox mbox = mbox_open(data, length);

	return mbox.mmdf || begins(mbox.at, mbox.end, "From ", 5);
}

/* Reads up to the next separator or the end. The empty line before either is left out. */
static size_t read_message(struct mbox *mbox)
{
	const char *start = mbox->at, *blank = mbox->at;

	/* `blank` is the last line if that was empty, and the start counts as such. */
	while (mbox->at < mbox->end) {
		const char *next = next_mbox_line(mbox->at, mbox->end);

		if (blank && mbox_is_separator(mbox->at, mbox->end))
			break;
		blank = is_blank_line(mbox->at, next) ? mbox->at : NULL;
		mbox->at = next;
	}
	return (size_t)((blank ? blank : mbox->at) - start);
}

bool mbox_next(struct mbox *mbox, const char **message, size_t *length)
{
	if (mbox->mmdf)
		return next_of_mmdf(mbox, message, length);
	*length = 0;
	while (mbox->at < mbox->end && *length == 0) {
		if (begins(mbox->at, mbox->end, "From ", 5))
			mbox->at = next_mbox_line(mbox->at, mbox->end);
		*message = mbox->at;
		*length = read_message(mbox);
	}
	return *length > 0;
}

void mbox_skip(struct mbox *mbox)
{
	if (mbox->mmdf)
		read_mmdf_message(mbox);
	else
		read_message(mbox);
}

/* --- Quoting --------------------------------------------------------------------------- */

bool mbox_is_quoted(const char *message, size_t length)
{
	const char *end = message + length;

	for (const char *at = message; at < end; at = next_mbox_line(at, end)) {
		if (is_quoted(at, end))
			return true;
	}
	return false;
}

void mbox_unquote(const char *message, size_t length, struct buffer *out)
{
	const char *end = message + length, *copied = message;

	for (const char *at = message; at < end; at = next_mbox_line(at, end)) {
		if (!is_quoted(at, end))
			continue;
		buffer_append(out, copied, (size_t)(at - copied));
		copied = at + 1;
	}
	buffer_append(out, copied, (size_t)(end - copied));
}
