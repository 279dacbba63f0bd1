/* hamletd's sandbox: which files it needs once it serves.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/daemon/sandbox.h"
#include "engine/settings/settings.h"

/* Both do nothing when the settings say so, or the program was built for coverage, whose
 * results are written elsewhere; they say so in *sandbox, which is to be zeroed before. */

/* Before the first thread is made. Files that a reload reads are to be in the folders that
 * the settings name now. `config_path` = of the settings. */
void confine_files(
	const struct settings *settings, const char *config_path, struct sandbox *sandbox);

/* When all sockets are open. */
void confine_calls(const struct settings *settings, struct sandbox *sandbox);
