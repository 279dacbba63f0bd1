/* What would keep hamletd from starting, or from working well, found before anything is
 * made or opened. A start and `hamletd --check` both go through here, so that they cannot
 * differ.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/daemon/loop/front.h"
#include "engine/settings/settings.h"

/* Goes on as the account that the state directory belongs to, if root has started us (see
 * account.h); with `make` makes the two directories before, for that account. Tells of one
 * that is not there and cannot be made. A failure is told, too: nothing is to be opened. */
enum status check_account(
	const struct settings *settings, bool make, struct complaints *complaints);

/* Tells all that is wrong with the settings and with what they name: directories, sockets
 * of the fronts (NULL-terminated) and their group, files, networks, logins. */
void check_settings(const struct settings *settings, const struct front *const *fronts,
	struct complaints *complaints);

/* Tells what a start would say of the database. It is opened for reading; a hamletd that
 * has it is not disturbed. */
void check_database(const struct settings *settings, struct complaints *complaints);
