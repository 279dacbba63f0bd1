/* What each client holds, by its number.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/loop/quota.h"

#include <glib.h>
#include <unistd.h>

struct quota {
	GHashTable *held; /* by client: numbers that the kernel gives */
};

struct quota *quota_new(void)
{
	struct quota *quota = g_new0(struct quota, 1);

	quota->held = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	return quota;
}

void quota_free(struct quota **quota)
{
	if (!*quota)
		return;
	g_hash_table_destroy((*quota)->held);
	g_free(*quota);
	*quota = NULL;
}

static void set(struct quota *quota, lanes_client client, size_t held)
{
	if (held > 0)
		g_hash_table_insert(
			quota->held, g_memdup2(&client, sizeof(client)), GSIZE_TO_POINTER(held));
	else
		g_hash_table_remove(quota->held, &client);
}

static size_t held_by(const struct quota *quota, lanes_client client)
{
	return GPOINTER_TO_SIZE(g_hash_table_lookup(quota->held, &client));
}

bool quota_take(struct quota *quota, lanes_client client, size_t most)
{
	size_t held = held_by(quota, client);
	bool exempt = client == 0 || client == (lanes_client)geteuid();

	if (!exempt && held >= most - most / 4)
		return false;
	set(quota, client, held + 1);
	return true;
}

void quota_give(struct quota *quota, lanes_client client)
{
	set(quota, client, held_by(quota, client) - 1);
}
