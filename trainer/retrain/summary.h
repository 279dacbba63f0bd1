/* What a retraining found: for the terminal, as one HTML page that needs no network
 * and no script, and as JSON.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "trainer/retrain/retrain.h"

void summary_print(const struct retraining *retraining);

enum status summary_write_html(const char *path, const struct retraining *retraining, bool adopted,
	struct failure *failure);
enum status summary_write_json(const char *path, const struct retraining *retraining, bool adopted,
	struct failure *failure);
