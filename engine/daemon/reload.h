/* From the configuration to the parts that it governs, at start and on SIGHUP.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

struct server;

/* Tells the log what it is to show. */
void reload_log(struct server *server);

/* Reads the configuration anew. A bad one is logged and changes nothing. */
void reload(struct server *server);
