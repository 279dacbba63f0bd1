/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * The answer to a support case ("why is this in Junk?", "why did this spam get
 * through?"), step by step. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/service/service.h"

enum { DIAGNOSIS_STEPS = 7 };

struct diagnosis_step {
	const char *name; /* "list", "policy", "authentication", ... */
	char finding[720]; /* a sentence or two */
	char advice[720]; /* what to do next; "" = nothing */
};

struct diagnosis {
	struct diagnosis_step steps[DIAGNOSIS_STEPS];
};

/* What is known of the case. */
struct diagnosis_case {
	const struct verdict *verdict;
	const struct origin *origin;
	const struct past *past;
	bool trusted; /* the author is on the site's list of trusted senders */
	const char *user; /* "" = nobody in particular */
	bool has_authserv_ids; /* the site has said how its mail servers sign */
};

void diagnose(struct diagnosis *diagnosis, const struct diagnosis_case *given);
