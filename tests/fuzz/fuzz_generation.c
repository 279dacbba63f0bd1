/* A generation file as it is, and with the digest that makes it pass for a whole one.
 * What was read and is written reads the same, and belongs to its own database alone.
 * SPDX-License-Identifier: Apache-2.0 */
#include <glib.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "engine/service/secret.h"
#include "engine/service/upkeep/upkeep.h"
#include "tests/fuzz/memory_file.h"
#include "tests/unit/store-verbs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DIGEST_BYTES = 32 };

static struct store_reader *reader; /* of a store with a secret */
static char *folder, *path;

static void remove_folder(void)
{
	g_unlink(path);
	g_rmdir(folder);
}

static void start(void)
{
	static const struct tokenizer_secret secret = {.bytes = "sixteen bytes..."};
	struct failure failure;
	struct generation generation;
	struct store *store;

	folder = g_dir_make_tmp("fuzz-generation-XXXXXX", NULL);
	if (!folder || store_open(&store, "memory:", STORE_WRITE, &failure) != STATUS_OK ||
		store_reader_open(store, &reader, &failure) != STATUS_OK)
		abort();
	path = g_build_filename(folder, "generation", NULL);
	atexit(remove_folder);
	if (generation_identify(&generation, reader, &failure) != STATUS_NOTFOUND ||
		put_value(store, SECRET_NAME, secret.bytes, sizeof(secret.bytes), &failure) !=
			STATUS_OK)
		abort();
}

static bool is_small(const struct contribution *c)
{
	const double numbers[] = {
		c->head_sum, c->head_gain, c->body_sum, c->body_gain, c->bias_sum, c->bias_gain};
	bool small = true;

	for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
		small = small && fabs(numbers[i]) < 0x1p20; /* exact both ways */
	return small;
}

static bool is_same(const struct generation *one, const struct generation *other)
{
	bool same =
		one->seq == other->seq && one->time == other->time && one->count == other->count;

	for (size_t i = 0; i < one->count && same; i++)
		same = memcmp(&one->reports[i], &other->reports[i], sizeof(*one->reports)) == 0;
	return same;
}

/* Only what numbers in memory hold exactly. */
static void write_again(struct generation *generation)
{
	struct generation again;
	struct failure failure = {0};

	for (size_t i = 0; i < generation->count; i++) {
		if (!is_small(&generation->reports[i].taught.global))
			return;
	}
	if (generation_check_database(generation, "there", reader, &failure) == STATUS_OK)
		return; /* the key was guessed */
	if (generation_identify(generation, reader, &failure) != STATUS_OK ||
		generation_check_database(generation, "there", reader, &failure) != STATUS_OK ||
		generation_write(generation, path, &failure) != STATUS_OK ||
		generation_read(&again, path, &failure) != STATUS_OK ||
		!is_same(generation, &again))
		abort();
	generation_free(&again);
}

static void read_file(const void *data, size_t size)
{
	struct memory_file file = memory_file_open(data, size);
	struct generation generation;
	struct failure failure = {0};

	if (generation_read(&generation, file.path, &failure) == STATUS_OK) {
		write_again(&generation);
		for (size_t i = 0; i < generation.count; i++) {
			const struct generation_report *report = &generation.reports[i];

			if (report->taught.seq <= 0 || !isfinite(report->taught.margin) ||
				!(report->error >= 0 && report->error <= 0.5) ||
				generation_find(&generation, report->taught.seq, report->message) !=
					report ||
				generation_find(&generation, report->taught.seq, ~report->message))
				abort();
		}
	} else if (!*failure.detail) {
		abort();
	}
	generation_free(&generation);
	close(file.descriptor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	GChecksum *checksum = g_checksum_new(G_CHECKSUM_SHA256);
	unsigned char *whole = g_malloc(size + DIGEST_BYTES);
	gsize length = DIGEST_BYTES;

	if (!folder)
		start();
	read_file(data, size);
	if (size > 0)
		memcpy(whole, data, size);
	g_checksum_update(checksum, whole, (gssize)size);
	g_checksum_get_digest(checksum, whole + size, &length);
	read_file(whole, size + DIGEST_BYTES);
	g_checksum_free(checksum);
	g_free(whole);
	return 0;
}
