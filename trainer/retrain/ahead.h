/* Walks the journal with a thread that reads and unpacks ahead, while the caller works
 * on what was read before: two processors are busy, and memory is bounded.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/store/store.h"

/* As store_counting_reports; `each` is called in the caller's thread. The reader must
 * not be used by `each`, nor by anybody else meanwhile. */
enum status ahead_counting_reports(
	struct store_reader *reader, store_report_fn *each, void *context, struct failure *failure);
