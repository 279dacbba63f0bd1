/* Keeps the users who were asked for last, within a limit of bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/evidence/user-cache.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

struct user_place {
	char *user;
	struct user_fold *fold; /* NULL while nobody has folded it */
	size_t bytes;
	unsigned uses;
	bool current; /* in the cache; otherwise freed with the last use */
	GList link; /* in the order of use */
};

struct users {
	GTree *places; /* by user; owns nothing. No hash table: who sends mail chooses names,
			* and could choose those that collide. */
	GQueue order; /* most recently used first */
	size_t bytes;
	size_t budget;
};

static gint compare_users(gconstpointer a, gconstpointer b)
{
	return strcmp(a, b);
}

struct users *users_new(size_t budget)
{
	struct users *users = calloc(1, sizeof(*users));

	if (!users)
		return NULL;
	users->places = g_tree_new(compare_users);
	g_queue_init(&users->order);
	users->budget = budget;
	return users;
}

static void free_place(struct user_place *place)
{
	user_fold_unref(&place->fold);
	free(place->user);
	free(place);
}

static void remove_place(struct users *users, struct user_place *place)
{
	g_tree_remove(users->places, place->user);
	g_queue_unlink(&users->order, &place->link);
	users->bytes -= place->bytes;
	place->current = false;
	if (place->uses == 0)
		free_place(place);
}

void users_clear(struct users *users)
{
	while (users->order.tail)
		remove_place(users, users->order.tail->data);
}

void users_free(struct users **users)
{
	if (!*users)
		return;
	users_clear(*users);
	g_tree_unref((*users)->places);
	free(*users);
	*users = NULL;
}

static void enforce_budget(struct users *users)
{
	while (users->bytes > users->budget && users->order.tail)
		remove_place(users, users->order.tail->data);
}

void users_limit(struct users *users, size_t budget)
{
	users->budget = budget;
	enforce_budget(users);
}

static struct user_place *add_place(struct users *users, const char *user)
{
	struct user_place *place = calloc(1, sizeof(*place));

	if (!place || !(place->user = strdup(user))) {
		free(place);
		return NULL;
	}
	place->current = true;
	place->bytes = sizeof(*place) + strlen(user) + 1;
	place->link.data = place;
	users->bytes += place->bytes;
	g_tree_insert(users->places, place->user, place);
	return place;
}

struct user_place *users_take(struct users *users, const char *user)
{
	struct user_place *place = g_tree_lookup(users->places, user);

	if (place)
		g_queue_unlink(&users->order, &place->link);
	else
		place = add_place(users, user);
	if (place) {
		g_queue_push_head_link(&users->order, &place->link);
		place->uses++;
	}
	return place;
}

struct user_fold *users_fold(struct user_place *place)
{
	if (place->fold)
		place->fold->references++;
	return place->fold;
}

void users_done(struct users *users, struct user_place **place, struct user_fold **folded)
{
	struct user_place *mine = *place;

	if (mine->current && !mine->fold && *folded) {
		size_t bytes = user_fold_bytes(*folded);
		mine->fold = *folded;
		*folded = NULL;
		mine->bytes += bytes;
		users->bytes += bytes;
	}
	user_fold_unref(folded);
	mine->uses--;
	if (!mine->current && mine->uses == 0)
		free_place(mine);
	*place = NULL;
	enforce_budget(users);
}

void users_drop(struct users *users, const char *user)
{
	struct user_place *place = g_tree_lookup(users->places, user);

	if (place)
		remove_place(users, place);
}

void users_drop_domain(struct users *users, const char *domain)
{
	char own[STORE_MAX_USER + 1];
	GList *next;

	for (GList *link = users->order.head; link; link = next) {
		struct user_place *place = link->data;

		next = link->next;
		entries_domain(place->user, own);
		if (strcmp(own, domain) == 0)
			remove_place(users, place);
	}
}

size_t users_count(const struct users *users)
{
	return (size_t)g_tree_nnodes(users->places);
}

size_t users_bytes(const struct users *users)
{
	return users->bytes;
}
