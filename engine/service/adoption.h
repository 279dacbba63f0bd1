/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * What change.c does with an adoption: see service.h. */
#pragma once

#include "engine/service/generation.h"
#include "engine/service/internal.h"

/* [writer] The next step: as change_run, until adoption_is_done. */
enum status adoption_run(
	struct adoption *adoption, struct receipt *receipt, struct failure *failure);

/* True when the next step writes rows beside the present ones. */
bool adoption_stages(const struct adoption *adoption);

bool adoption_is_done(const struct adoption *adoption);

/* [owner] After adoption_run: queries from now on see the new generation. */
void adoption_publish(struct adoption *adoption);
