/* Lanes of clients, and their turns.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/loop/lanes.h"

#include <glib.h>

/* Kept while something waits in it or it is held. */
struct lane {
	lanes_client client;
	STAILQ_HEAD(, lanes_item) items;
	size_t waiting;
	uint64_t held_until;
};

struct lanes {
	GHashTable *by_client; /* numbers that the kernel gives: nobody chooses them to collide */
	GQueue turns; /* of lanes; whose turn is next is first */
	size_t waiting;
};

struct lanes *lanes_new(void)
{
	struct lanes *lanes = g_new0(struct lanes, 1);

	lanes->by_client = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
	g_queue_init(&lanes->turns);
	return lanes;
}

void lanes_free(struct lanes **lanes)
{
	if (!*lanes)
		return;
	g_queue_clear(&(*lanes)->turns);
	g_hash_table_destroy((*lanes)->by_client);
	g_free(*lanes);
	*lanes = NULL;
}

static struct lane *find_lane(struct lanes *lanes, lanes_client client)
{
	struct lane *lane = g_hash_table_lookup(lanes->by_client, &client);

	if (lane)
		return lane;
	lane = g_new0(struct lane, 1);
	lane->client = client;
	STAILQ_INIT(&lane->items);
	g_hash_table_insert(lanes->by_client, &lane->client, lane);
	g_queue_push_tail(&lanes->turns, lane);
	return lane;
}

void lanes_push(struct lanes *lanes, lanes_client client, struct lanes_item *item)
{
	struct lane *lane = find_lane(lanes, client);

	STAILQ_INSERT_TAIL(&lane->items, item, link);
	lane->waiting++;
	lanes->waiting++;
}

static struct lanes_item *take_first(struct lanes *lanes, struct lane *lane)
{
	struct lanes_item *item = STAILQ_FIRST(&lane->items);

	STAILQ_REMOVE_HEAD(&lane->items, link);
	lane->waiting--;
	lanes->waiting--;
	return item;
}

static bool is_done(const struct lane *lane, uint64_t now)
{
	return lane->waiting == 0 && lane->held_until <= now;
}

/* Each lane that is passed over goes to the end, so that all get their turns. */
struct lanes_item *lanes_take(struct lanes *lanes, uint64_t now)
{
	for (guint left = lanes->turns.length; left > 0; left--) {
		struct lane *lane = g_queue_pop_head(&lanes->turns);
		struct lanes_item *item = NULL;

		if (lane->waiting > 0 && lane->held_until <= now)
			item = take_first(lanes, lane);
		if (is_done(lane, now))
			g_hash_table_remove(lanes->by_client, &lane->client);
		else
			g_queue_push_tail(&lanes->turns, lane);
		if (item)
			return item;
	}
	return NULL;
}

void lanes_hold(struct lanes *lanes, lanes_client client, uint64_t until)
{
	find_lane(lanes, client)->held_until = until;
}

uint64_t lanes_ready(const struct lanes *lanes)
{
	uint64_t ready = UINT64_MAX;

	for (const GList *link = lanes->turns.head; link; link = link->next) {
		const struct lane *lane = link->data;
		if (lane->waiting > 0 && lane->held_until < ready)
			ready = lane->held_until;
	}
	return ready;
}

size_t lanes_waiting(const struct lanes *lanes)
{
	return lanes->waiting;
}

size_t lanes_waiting_of(const struct lanes *lanes, lanes_client client)
{
	const struct lane *lane = g_hash_table_lookup(lanes->by_client, &client);

	return lane ? lane->waiting : 0;
}
