/* Reads and writes how often a reporter is wrong, as an entry.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/scope/reputation.h"

#include <glib.h>

#include "engine/service/scope/entries.h"

char *reputation_value(double error)
{
	char number[G_ASCII_DTOSTR_BUF_SIZE];

	return g_strdup(g_ascii_formatd(number, sizeof(number), "%.6f", CLAMP(error, 0, 0.5)));
}

double reputation_parse(const char *value)
{
	char *end = NULL;
	double error = g_ascii_strtod(value, &end);

	return end != value && !*end && error >= 0 && error <= 0.5 ? error : -1;
}

static enum status take_error(void *context, const struct store_entry *entry)
{
	double error = reputation_parse(entry->value);

	if (error >= 0)
		*(double *)context = error;
	return STATUS_OK;
}

enum status reputation_read(struct store_reader *reader, const char *user, double unknown,
	double *error, struct failure *failure)
{
	*error = unknown;
	return *user ? store_entries(reader, user, ENTRY_REPUTATION, take_error, error, failure)
		     : STATUS_OK;
}
