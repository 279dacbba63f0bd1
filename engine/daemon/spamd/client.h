/* A client of SPAMD: spamd.c takes its request in, request.c carries it out.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/daemon/loop/transport.h"
#include "engine/daemon/task/task.h"
#include "engine/protocol/spamd.h"

struct spamd_client {
	struct connection connection; /* first: see struct stream_protocol */
	struct spamd_session *session; /* until the reply leaves */
	bool begun; /* a byte has come */

	/* Of request.c. */
	const struct spamd_request *request; /* the session's */
	struct buffer reply;
	struct task task;
};

/* request.c: carries out the session's request, which is complete. Ends in a reply that
 * leaves, perhaps before this returns. */
void spamd_start_request(struct spamd_client *client);

/* request.c: the commands' names, as the counters have them. */
void spamd_name_commands(struct counters *counters);
