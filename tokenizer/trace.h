/* Fields that servers on the way wrote: Received, authentication results,
 * signatures. Values are unfolded.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "tokenizer/header-state.h"

/* Hosts, networks and the shape of each clause (RFC 5321 section 4.4). */
void trace_received(struct header_state *state, const char *value, size_t length);

/* Authentication-Results (RFC 8601) and its kin, under `words`. */
void trace_results(
	struct header_state *state, const struct field *words, const char *value, size_t length);

/* The domain that signed (RFC 6376), under `words`. */
void trace_signer(
	struct header_state *state, const struct field *words, const char *value, size_t length);
