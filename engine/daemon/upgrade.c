/* Databases of other versions and of other rules of names.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/upgrade.h"

#include <stdio.h>
#include <time.h>

#include "engine/daemon/notify.h"
#include "engine/service/upkeep/upkeep.h"

static const char DELETE_COPY[] =
	"delete it when all is well: it holds what people reported, and erasures do not reach it";

/* How often a renaming says how far it is, and how long systemd is to wait for more. */
enum { TELL_SECONDS = 10, WAIT_SECONDS = 300 };

void upgrade_tell(struct log *log, const struct store *store)
{
	const struct store_migration *migration = store_migration(store);
	bool kept = *migration->copy != '\0';

	if (migration->to == 0)
		return;
	log_event(log, kept ? LOG_INFO : LOG_WARNING, "database-migrated",
		(struct log_field[]){log_number("from", migration->from),
			log_number("to", migration->to),
			kept ? log_text("copy", migration->copy)
			     : log_text("no_copy", migration->reason),
			log_text("note", kept ? DELETE_COPY : "an older version needs a backup"),
			{0}});
}

/* --- Names ---------------------------------------------------------------------- */

struct progress {
	struct log *log;
	time_t told;
};

static void keep_systemd_waiting(void)
{
	char state[64];

	snprintf(state, sizeof(state), "EXTEND_TIMEOUT_USEC=%d000000\nSTATUS=Renaming users",
		WAIT_SECONDS);
	notify_send(state);
}

static void on_piece(void *context, const struct renaming *renaming)
{
	struct progress *progress = context;
	time_t now = time(NULL);

	if (now >= progress->told && now < progress->told + TELL_SECONDS)
		return;
	progress->told = now;
	keep_systemd_waiting();
	log_event(progress->log, LOG_INFO, "users-renaming",
		(struct log_field[]){log_number("looked_at", renaming->looked_at),
			log_number("renamed", renaming->renamed),
			log_number("reports", renaming->reports), {0}});
}

static void tell_renaming(struct log *log, const struct renaming *renaming)
{
	bool kept = *renaming->copy != '\0';

	if (renaming->renamed == 0)
		return;
	log_event(log, kept ? LOG_INFO : LOG_WARNING, "users-renamed",
		(struct log_field[]){log_number("looked_at", renaming->looked_at),
			log_number("renamed", renaming->renamed),
			log_number("reports", renaming->reports),
			log_number("global_is_folded_anew", renaming->refold),
			kept ? log_text("copy", renaming->copy)
			     : log_text("no_copy", renaming->reason),
			log_text("note", kept ? DELETE_COPY : "nothing takes it back"), {0}});
}

void upgrade_names(struct log *log, struct store *store, const struct user_naming *naming,
	struct failure *failure)
{
	struct progress progress = {.log = log, .told = time(NULL)};
	struct renaming renaming;

	*failure = (struct failure){0};
	renaming_run(store, naming, on_piece, &progress, &renaming, failure);

	tell_renaming(log, &renaming);
	if (renaming.nobodies > 0)
		log_event(log, LOG_WARNING, "users-are-nobody",
			(struct log_field[]){log_number("names", renaming.nobodies),
				log_text("consequence",
					"nobody can ask for them any more; their reports go with "
					"time"),
				{0}});
	if (renaming.refold)
		keep_systemd_waiting();
}

void upgrade_tell_missed(struct log *log, const struct failure *failure)
{
	if (failure->code == STATUS_OK)
		return;
	log_event(log, LOG_ERROR, "users-not-renamed",
		(struct log_field[]){log_text("reason", failure->detail),
			log_text("consequence",
				"users written by other rules are not found; the next start tries "
				"again"),
			{0}});
}
