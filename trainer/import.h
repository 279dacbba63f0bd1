/* Learns existing mail into a database that no daemon has open. A message that
 * was learned before is left alone, so an interrupted import is resumed by
 * running it again.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "engine/base/status.h"
#include "engine/service/service.h"

struct import_source {
	bool spam;
	const char *path; /* as mail_walk takes it */
};

struct import_counts {
	size_t learned;
	size_t known; /* learned before */
	size_t flipped; /* learned before with the other label */
	size_t empty; /* nothing in it */
	size_t gone; /* moved away while the import ran */
	size_t skipped; /* not readable, or no mail, as mail_walk says */
	size_t mistaken; /* sources without a message that have folders left out */
	double rate; /* messages a second */
};

/* Learns the sources, spam and ham taken in turn as their numbers go, for `user`
 * ("" = global). Says on standard error which sources are empty and what was
 * skipped first. Stops after the running batch when *stop becomes true, or while the
 * messages are looked for, with STATUS_INTERRUPTED: what was counted is durable. Any
 * other failure likewise. */
enum status import_run(struct store *store, const struct service_settings *settings,
	const struct import_source *sources, size_t count, const char *user,
	const volatile sig_atomic_t *stop, struct import_counts *counts, struct failure *failure);
