/* Users' stores, and those of domains, in an LRU cache with a byte budget. A report or a
 * new entry never changes a store in place: it drops the user from the cache, and the
 * next query folds the journal anew. So undo and flip are exact by construction, and the
 * same journal gives the same store. All of it is the owner's.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/service/evidence/user-fold.h"

struct users;
struct users *users_new(size_t budget);
void users_free(struct users **users);

/* A place in the cache. A query takes one before it folds and hands in what it
 * folded; a report that came between has taken the place out of the cache, and
 * then what was folded too early is not kept. */
struct user_place;

/* The user's place, made when there is none; NULL when out of memory. Gives back
 * with users_done. */
struct user_place *users_take(struct users *users, const char *user);

/* The store at the place, with a reference for the caller; NULL = not folded. */
struct user_fold *users_fold(struct user_place *place);

/* Ends a use; `folded` (may be NULL) is kept in the cache when the place is
 * still current. Both pointers are set to NULL, the caller's reference goes. */
void users_done(struct users *users, struct user_place **place, struct user_fold **folded);

/* Drops one user or domain; all users of a domain; or all. */
void users_drop(struct users *users, const char *user);
void users_drop_domain(struct users *users, const char *domain);
void users_clear(struct users *users);

/* Changes the budget in bytes; drops the least recently used that pass it. */
void users_limit(struct users *users, size_t budget);

size_t users_count(const struct users *users);
size_t users_bytes(const struct users *users);
