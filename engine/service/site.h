/* What the whole site has laid down, in its settings and entries: immutable, and
 * replaced as a whole. References are counted by the owner's thread.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/origin/origin.h"
#include "engine/service/scope/scope.h"

struct service_settings;

struct site {
	struct origin_trust trust; /* of the strings below */
	char **authserv_ids;
	char **header_names;
	char **trusted; /* of the file */
	struct network *networks;
	struct preferences *preferences;
	unsigned references;
};

/* The caller gets one reference. STATUS_INVALID: a text among own-networks is no network, or a
 * line in the file of trusted senders is no sender. STATUS_IO: that file cannot be read. */
enum status site_new(struct site **site, const struct service_settings *settings,
	struct store_reader *reader, struct failure *failure);
/* Calls `each` for all that site_new would refuse in the settings. */
typedef void site_complaint_fn(void *context, const struct failure *failure);
void site_check(const struct service_settings *settings, site_complaint_fn *each, void *context);

/* The same settings with the entries as they are now. */
enum status site_again(struct site **site, const struct site *former, struct store_reader *reader,
	struct failure *failure);
struct site *site_ref(struct site *site);
void site_unref(struct site **site);
