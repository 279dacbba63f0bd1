/* The installation's secret: every database has its own, made by service_open.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/base/status.h"
#include "engine/store/store.h"
#include "tokenizer/tokenizer.h"

/* The store's value. */
#define SECRET_NAME "tokenizer-secret"

/* STATUS_NOTFOUND: there is none yet. STATUS_CORRUPT: of a wrong size. */
enum status secret_read(
	struct store_reader *reader, struct tokenizer_secret *secret, struct failure *failure);
