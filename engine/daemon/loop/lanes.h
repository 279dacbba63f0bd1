/* A line in which each client has a lane of its own, and the lanes have their turns: who
 * hands in thousands waits for thousands, all others for one of each. Loop thread only.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/* Who hands in: a uid, or one of these. */
typedef int64_t lanes_client;
enum { CLIENT_SELF = -1 /* the daemon */, CLIENT_TCP = -2 /* all who come over TCP */ };

/* Embedded in what waits; private. */
struct lanes_item {
	STAILQ_ENTRY(lanes_item) link;
};

struct lanes;

struct lanes *lanes_new(void);
void lanes_free(struct lanes **lanes); /* nothing may wait */

void lanes_push(struct lanes *lanes, lanes_client client, struct lanes_item *item);

/* The next one whose turn it is; NULL = nothing waits, or who does is to wait longer. */
struct lanes_item *lanes_take(struct lanes *lanes, uint64_t now);

/* The client's next item is not taken before that time, in whatever unit `now` has. */
void lanes_hold(struct lanes *lanes, lanes_client client, uint64_t until);

/* When lanes_take gives something, as far as holding goes: a time up to `now` = at once;
 * UINT64_MAX = nothing waits. */
uint64_t lanes_ready(const struct lanes *lanes);

size_t lanes_waiting(const struct lanes *lanes);
size_t lanes_waiting_of(const struct lanes *lanes, lanes_client client);
