/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * What is past its time leaves the journal and, with it, the evidence that it gave:
 * tokens without any are deleted, users without reports forgotten, and the room goes back
 * to the file system. What change.c does with it: see change_expire in service.h. */
#pragma once

#include "engine/service/internal.h"

struct expiry;

/* [owner] By the retention that the settings have now: later ones are for the next. */
struct expiry *expiry_new(struct service *service, const struct clock_reading *clock);
void expiry_free(struct expiry **expiry);

/* [writer] The next step: as change_run, until expiry_is_done. */
enum status expiry_run(struct expiry *expiry, struct expired *expired, struct failure *failure);
/* [writer] The disk is full: from now on it goes in little steps, and rows later. */
void expiry_tighten(struct expiry *expiry);

bool expiry_is_done(const struct expiry *expiry);

/* [owner] Drops what was folded of users whose reports went. */
void expiry_publish(struct expiry *expiry);

/* [writer] Looks whether the store is larger than the settings allow, and notes it for
 * service_is_over_budget. */
void expiry_note_size(struct service *service);
