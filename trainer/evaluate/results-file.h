/* Results as the TREC spam track's toolkit keeps them, for its evaluation programs
 * (Cormack and Lynam, TREC 2005 to 2007; the fields and their order as in the toolkit's
 * description, https://plg.uwaterloo.ca/~gvcormac/jig/, and run script of 2006):
 *
 *   file=F judge=spam|ham class=spam|ham score=S user=U genre= runid=R
 *
 * The score is the log-odds of spam in nats: any measure that grows with spam will do.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/base/status.h"
#include "trainer/corpus.h"
#include "trainer/evaluate/evaluate.h"

/* Writes a line a scored message. STATUS_IO. */
enum status results_write(const char *path, const struct evaluation *evaluation,
	const struct corpus_index *index, struct failure *failure);

/* A name that is printable, without the blanks that would end a field; to be freed with
 * g_free. */
char *results_field(const char *name);
