/* From the configuration to the parts that it governs, at start and on SIGHUP.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/daemon/loop/writer.h"
#include "engine/settings/settings.h"

struct server;

struct writer_settings reload_writer_settings(const struct settings *settings);

/* Tells the log what it is to show. */
void reload_log(struct server *server);

/* Reads the configuration anew. A bad one is logged and changes nothing. */
void reload(struct server *server);
