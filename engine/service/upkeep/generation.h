/* A generation of the global evidence as the trainer makes it: what each report of the
 * journal adds. The tokens are in the journal; so a generation stays exact when
 * reports come, change or are erased after it was made.
 *
 * The file: "hamletG2", then for a machine of the same byte order 16 bytes that tell
 * the database, the last report trained on, the time, the number of reports; for each
 * report its number and the identity of its message, six sums and gains in units of
 * 2^-30 (head, body, bias), margin and label error; last a SHA-256 of all before. There
 * are no names and no tokens in it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/store/store.h"

enum { GENERATION_DATABASE_BYTES = 16 };

struct generation_report {
	struct store_retrained taught;
	uint64_t message; /* its identity: numbers are given anew after a backup came back */
	double error; /* of the reporter's labels, [0, 0.5] */
};

struct generation {
	unsigned char database[GENERATION_DATABASE_BYTES]; /* it was made of */
	int64_t seq; /* reports after it were not looked at */
	int64_t time; /* it was made, seconds since 1970 */
	struct generation_report *reports; /* ascending by seq */
	size_t count;
};

/* Path of a generation beside its database: DATABASE-generation-NAME, with `name` =
 * "challenger" (made by the trainer) or "previous" (the way back). To be freed with
 * g_free. */
char *generation_path(const char *database, const char *name);

/* Fills in `database`: a digest that the installation's secret (service_open) is the key
 * of (HMAC-SHA-256, RFC 2104, cut). STATUS_NOTFOUND: there is no secret yet. */
enum status generation_identify(
	struct generation *generation, struct store_reader *reader, struct failure *failure);

/* STATUS_INVALID: it was made of another database than the reader's. `path` = where it
 * was read, for the message. */
enum status generation_check_database(const struct generation *generation, const char *path,
	struct store_reader *reader, struct failure *failure);

/* Writes it to a file of the owner's alone, whole or not at all. */
enum status generation_write(
	const struct generation *generation, const char *path, struct failure *failure);

/* Reads it; freed by the caller with generation_free. STATUS_NOTFOUND;
 * STATUS_CORRUPT: not such a file, cut short, or with impossible numbers. */
enum status generation_read(
	struct generation *generation, const char *path, struct failure *failure);
void generation_free(struct generation *generation);

/* The report with this number about this message; NULL when there is none. */
const struct generation_report *generation_find(
	const struct generation *generation, int64_t seq, uint64_t message);
