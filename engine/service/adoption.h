/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * What change.c does with an adoption: see service.h. */
#pragma once

#include "engine/service/generation.h"
#include "engine/service/internal.h"

/* [writer] As change_run. */
enum status adoption_run(
	struct adoption *adoption, struct receipt *receipt, struct failure *failure);

/* [owner] After adoption_run: queries from now on see the new generation. */
void adoption_publish(struct adoption *adoption);
