/* Reads and writes generation files, and checks each number in them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/upkeep/generation.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include <glib.h>

#include "engine/service/secret.h"

static const char MAGIC[8] = {'h', 'a', 'm', 'l', 'e', 't', 'G', '2'};
enum { DIGEST_BYTES = 32, VERSION_AT = sizeof(MAGIC) - 1 };

struct file_header {
	char magic[8];
	unsigned char database[GENERATION_DATABASE_BYTES];
	int64_t seq, time;
	uint64_t count;
};

struct file_report {
	int64_t seq;
	uint64_t message;
	int64_t units[6];
	double margin, error;
};

char *generation_path(const char *database, const char *name)
{
	return g_strconcat(database, "-generation-", name, NULL);
}

/* --- The database ----------------------------------------------------------------- */

enum status generation_identify(
	struct generation *generation, struct store_reader *reader, struct failure *failure)
{
	static const char purpose[] = "generation";
	struct tokenizer_secret secret;
	guint8 whole[DIGEST_BYTES];
	gsize length = sizeof(whole);
	enum status status = secret_read(reader, &secret, failure);

	if (status != STATUS_OK)
		return status;
	GHmac *hmac = g_hmac_new(G_CHECKSUM_SHA256, secret.bytes, sizeof(secret.bytes));
	g_hmac_update(hmac, (const guchar *)purpose, strlen(purpose));
	g_hmac_get_digest(hmac, whole, &length);
	g_hmac_unref(hmac);
	memcpy(generation->database, whole, sizeof(generation->database));
	return STATUS_OK;
}

enum status generation_check_database(const struct generation *generation, const char *path,
	struct store_reader *reader, struct failure *failure)
{
	struct generation own = {0};
	enum status status = generation_identify(&own, reader, failure);

	if (status == STATUS_OK &&
		memcmp(own.database, generation->database, sizeof(own.database)) != 0)
		status = failure_set(failure, STATUS_INVALID,
			"the generation belongs to another database: %s", path);
	return status;
}

/* --- The file --------------------------------------------------------------------- */

static void digest(const void *data, size_t size, unsigned char result[DIGEST_BYTES])
{
	GChecksum *checksum = g_checksum_new(G_CHECKSUM_SHA256);
	gsize length = DIGEST_BYTES;
	const guchar *bytes = data;

	for (size_t at = 0; at < size; at += 1 << 30)
		g_checksum_update(checksum, bytes + at, (gssize)MIN(size - at, (size_t)1 << 30));
	g_checksum_get_digest(checksum, result, &length);
	g_checksum_free(checksum);
}

static void pack(const struct generation_report *report, struct file_report *row)
{
	const struct contribution *global = &report->taught.global;
	const double numbers[6] = {global->head_sum, global->head_gain, global->body_sum,
		global->body_gain, global->bias_sum, global->bias_gain};

	*row = (struct file_report){.seq = report->taught.seq,
		.message = report->message,
		.margin = report->taught.margin,
		.error = report->error};
	for (int i = 0; i < 6; i++)
		row->units[i] = llrint(numbers[i] / STORE_UNIT);
}

static void unpack_reports(const struct file_report *row, struct generation_report *report)
{
	double numbers[6];

	for (int i = 0; i < 6; i++)
		numbers[i] = (double)row->units[i] * STORE_UNIT;
	*report = (struct generation_report){.taught = {.seq = row->seq,
						     .margin = row->margin,
						     .global = {.head_sum = numbers[0],
							     .head_gain = numbers[1],
							     .body_sum = numbers[2],
							     .body_gain = numbers[3],
							     .bias_sum = numbers[4],
							     .bias_gain = numbers[5]}},
		.message = row->message,
		.error = row->error};
}

enum status generation_write(
	const struct generation *generation, const char *path, struct failure *failure)
{
	struct file_header header = {
		.seq = generation->seq, .time = generation->time, .count = generation->count};
	size_t rows = generation->count * sizeof(struct file_report);
	size_t size = sizeof(header) + rows;
	char *data = g_malloc(size + DIGEST_BYTES);
	GError *error = NULL;
	enum status status = STATUS_OK;

	memcpy(header.magic, MAGIC, sizeof(MAGIC));
	memcpy(header.database, generation->database, sizeof(header.database));
	memcpy(data, &header, sizeof(header));
	for (size_t i = 0; i < generation->count; i++) {
		struct file_report row;
		pack(&generation->reports[i], &row);
		memcpy(data + sizeof(header) + i * sizeof(row), &row, sizeof(row));
	}
	digest(data, size, (unsigned char *)data + size);
	if (!g_file_set_contents_full(path, data, (gssize)(size + DIGEST_BYTES),
		    G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600, &error)) {
		bool full = g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC);
		status = failure_set(failure, full ? STATUS_FULL : STATUS_IO, "writing %s: %s",
			path, error->message);
		g_error_free(error);
	}
	g_free(data);
	return status;
}

static bool is_possible(const struct generation_report *report, int64_t before)
{
	return report->taught.seq > before && isfinite(report->taught.margin) &&
		report->error >= 0 && report->error <= 0.5;
}

static enum status parse_generation(
	struct generation *generation, const char *data, size_t size, struct failure *failure)
{
	struct file_header header;
	unsigned char expected[DIGEST_BYTES];
	int64_t before = 0;

	if (size < sizeof(header) + DIGEST_BYTES)
		return failure_set(failure, STATUS_CORRUPT, "too short");
	memcpy(&header, data, sizeof(header));
	if (memcmp(header.magic, MAGIC, VERSION_AT) == 0 &&
		header.magic[VERSION_AT] != MAGIC[VERSION_AT])
		return failure_set(failure, STATUS_CORRUPT,
			"it is of another version of Hamlet, retrain instead");
	size -= DIGEST_BYTES;
	digest(data, size, expected);
	if (memcmp(header.magic, MAGIC, sizeof(MAGIC)) != 0 ||
		header.count != (size - sizeof(header)) / sizeof(struct file_report) ||
		(size - sizeof(header)) % sizeof(struct file_report) != 0 ||
		memcmp(expected, data + size, DIGEST_BYTES) != 0)
		return failure_set(failure, STATUS_CORRUPT, "damaged, or of another kind");
	*generation = (struct generation){.seq = header.seq,
		.time = header.time,
		.count = header.count,
		.reports = g_new(struct generation_report, header.count + 1)};
	memcpy(generation->database, header.database, sizeof(header.database));
	for (size_t i = 0; i < generation->count; i++) {
		struct file_report row;
		memcpy(&row, data + sizeof(header) + i * sizeof(row), sizeof(row));
		unpack_reports(&row, &generation->reports[i]);
		if (!is_possible(&generation->reports[i], before))
			return failure_set(failure, STATUS_CORRUPT, "impossible numbers");
		before = row.seq;
	}
	return STATUS_OK;
}

enum status generation_read(
	struct generation *generation, const char *path, struct failure *failure)
{
	GError *error = NULL;
	GMappedFile *file = g_mapped_file_new(path, FALSE, &error);
	struct failure reason = {0};
	enum status status;

	*generation = (struct generation){0};
	if (!file) {
		status = g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT) ? STATUS_NOTFOUND
										  : STATUS_IO;
		failure_set(failure, status, "reading a generation: %s", error->message);
		g_error_free(error);
		return status;
	}
	status = parse_generation(generation, g_mapped_file_get_contents(file),
		g_mapped_file_get_length(file), &reason);
	g_mapped_file_unref(file);
	if (status != STATUS_OK)
		failure_set(failure, status, "reading generation %s: %s", path, reason.detail);
	return status;
}

void generation_free(struct generation *generation)
{
	g_free(generation->reports);
	*generation = (struct generation){0};
}

const struct generation_report *generation_find(
	const struct generation *generation, int64_t seq, uint64_t message)
{
	size_t low = 0, high = generation->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (generation->reports[middle].taught.seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == generation->count || generation->reports[low].taught.seq != seq ||
		generation->reports[low].message != message)
		return NULL;
	return &generation->reports[low];
}
