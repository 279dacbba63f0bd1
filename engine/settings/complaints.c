/* Gathers what is wrong with a configuration.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/settings/complaints.h"

#include <stdarg.h>

#include <glib.h>

/* A file of nonsense has as many as it has lines. */
enum { MOST = 100 };

/* Takes over `text`. */
static void add_complaint(struct complaints *complaints, bool error, char *text)
{
	complaints->errors += error;
	if (complaints->count == MOST) {
		g_free(text);
		return;
	}
	complaints->list = g_renew(struct complaint, complaints->list, complaints->count + 1);
	complaints->list[complaints->count++] = (struct complaint){.error = error, .text = text};
}

void complaints_error(struct complaints *complaints, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	add_complaint(complaints, true, g_strdup_vprintf(format, values));
	va_end(values);
}

void complaints_warn(struct complaints *complaints, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	add_complaint(complaints, false, g_strdup_vprintf(format, values));
	va_end(values);
}

void complaints_take(
	struct complaints *complaints, enum status status, const struct failure *failure)
{
	if (status != STATUS_OK)
		add_complaint(complaints, true, g_strdup(failure->detail));
}

enum status complaints_first(const struct complaints *complaints, struct failure *failure)
{
	for (size_t i = 0; i < complaints->count; i++) {
		if (complaints->list[i].error)
			return failure_set(failure, STATUS_INVALID, "%s", complaints->list[i].text);
	}
	return STATUS_OK;
}

void complaints_free(struct complaints *complaints)
{
	for (size_t i = 0; i < complaints->count; i++)
		g_free(complaints->list[i].text);
	g_free(complaints->list);
	*complaints = (struct complaints){0};
}
