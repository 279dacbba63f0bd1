/* What a site can set of the service: plain values, so that the settings need neither the service
 * nor the store. service.h has it for all who use the service.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What happens to a message, mildest first. */
enum action { ACTION_DELIVER, ACTION_TAG, ACTION_JUNK, ACTION_REJECT };

/* What the site takes for a quick flip and a mass selection. */
struct event_rules {
	int64_t flip_seconds;
	uint64_t mass_selection;
};

/* How long reports are kept; 0 = without end, each. */
struct retention {
	int64_t days; /* since the report came */
	int64_t reports; /* newest of each user */
	int64_t idle_days; /* since the user's last report: then none of them is kept */
	/* Percent of all reports that one expiry takes for their age or their user's
	 * idleness, a hundred reports at least: what the clock decides goes slowly. */
	int64_t most;
	int64_t bytes; /* of the store on disk, without its log: the oldest make room */
};

enum { USER_NAMING_DELIMITERS = 16 };

/* What the site says of names. */
struct user_naming {
	bool fold; /* local parts are the same in capitals and small letters */
	/* Each of these characters begins an address's extension (as Postfix'
	 * recipient_delimiter); "" = there are none. */
	char delimiters[USER_NAMING_DELIMITERS + 1];
};

/* Lists end in NULL; the service copies them. */
struct service_settings {
	double junk_probability; /* a message at or above it is spam; (0, 1) */
	double threshold; /* the score that stands for it */
	double label_error; /* how often reporters press wrongly; [0, 0.5] */
	bool default_consent; /* does a press teach global when nothing else tells */
	uint64_t user_reports; /* newest reports of a user that count, >= 1 */
	uint64_t user_cache_bytes; /* for users' folds in memory */
	uint64_t global_tokens; /* most tokens of the global evidence; 0 = no limit */

	/* Policy where nobody has laid down another. `threshold` is the junk score. */
	double reject_score;
	enum action spam_action;
	double junk_score_min, junk_score_max; /* for what users lay down */
	double own_shift; /* how far a user's presses move the own threshold, in score */
	double reject_uncertainty; /* above it nothing is rejected for its score, in nats */

	/* Whom to believe: see origin.h. */
	const char *const *authserv_ids;
	const char *const *authentication_headers;
	bool authentication_below_received;
	const char *const *own_networks;

	/* A file of trusted senders beside those of the store, one a line, # begins a
	 * comment; NULL or "" = none. */
	const char *trusted_senders;

	struct event_rules events;
	struct retention retention;
	/* Whom a name means: user-name.h. Names in the store are written by it: see
	 * renaming.h. */
	struct user_naming naming;
};

/* The defaults of hamlet.conf without what is text: there are no lists, and no limit of bytes. */
struct service_settings service_defaults(void);
