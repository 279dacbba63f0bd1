/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/multipart.h"

#include <stdbool.h>
#include <string.h>

enum delimiter { DOUBTFUL, OPENING, CLOSING };

struct line {
	const char *next; /* after it */
	size_t cut; /* how long its line break is: so is the one before it */
	enum delimiter delimiter;
};

/* The line that begins with the delimiter at `at`. */
static struct line read_line(const char *at, const char *end, size_t size)
{
	const char *newline = memchr(at, '\n', (size_t)(end - at));
	struct line line = {.next = newline ? newline + 1 : end};
	const char *stop = newline ? newline : end;
	const char *rest = at + size;

	line.cut = stop > rest && stop[-1] == '\r' ? 2 : 1;
	stop -= line.cut - 1;
	line.delimiter = stop - rest >= 2 && memcmp(rest, "--", 2) == 0 ? CLOSING : OPENING;
	rest += line.delimiter == CLOSING ? 2 : 0;
	while (rest < stop && (*rest == ' ' || *rest == '\t'))
		rest++;
	if (rest < stop || (line.delimiter == OPENING && !newline))
		line.delimiter = DOUBTFUL;
	return line;
}

size_t multipart_split(const char *content, size_t length, const char *boundary,
	struct multipart_part *parts, size_t room)
{
	const char *end = content + length;
	const char *from = content;
	char delimiter[2 + MULTIPART_MAX_BOUNDARY + 1] = "--";
	size_t size = 2 + strlen(boundary);
	size_t count = 0;
	bool open = false; /* parts[count] has its start */

	if (size == 2 || size >= sizeof(delimiter))
		return 0;
	strcpy(delimiter + 2, boundary);
	for (;;) {
		const char *at = memmem(from, (size_t)(end - from), delimiter, size);
		if (!at || (at > content && at[-1] != '\n'))
			return 0;
		struct line line = read_line(at, end, size);
		if (line.delimiter == DOUBTFUL || (line.delimiter == CLOSING && !open))
			return 0;
		if (open) {
			parts[count].length = (size_t)(at - parts[count].start);
			parts[count++].cut = line.cut;
		}
		if (line.delimiter == CLOSING)
			return count;
		if (count == room)
			return 0;
		parts[count].start = line.next;
		open = true;
		from = line.next;
	}
}
