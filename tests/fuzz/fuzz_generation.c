/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * A generation file as it is, and with the digest that makes it pass for a whole one. */
#include <glib.h>
#include <math.h>
#include <string.h>

#include "engine/service/generation.h"
#include "tests/fuzz/memory_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DIGEST_BYTES = 32 };

static void read_file(const void *data, size_t size)
{
	struct memory_file file = memory_file_open(data, size);
	struct generation generation;
	struct failure failure = {0};

	if (generation_read(&generation, file.path, &failure) == STATUS_OK) {
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
