/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * A service over a store in memory, with one worker. Each test program has its
 * own. */
#pragma once

#include "engine/service/query/query.h"
#include "engine/service/report/report.h"
#include "engine/service/service.h"
#include "engine/service/upkeep/upkeep.h"
#include "tests/unit/unit.h"

static struct store *store;
static struct service *service;
static struct worker *worker;
static struct service_settings settings;
static struct failure failure;

static void open_service(void)
{
	assert_ok(service_open(&service, store, &settings, &failure));
	assert_ok(worker_open(service, &worker, &failure));
}

static void close_service(void)
{
	worker_close(&worker);
	service_close(&service);
}

static void teardown(void)
{
	close_service();
	store_close(&store);
}

/* One press in a batch of its own; it is done, and to be freed. */
static inline struct press *press_alone(
	const struct press_info *info, const char *text, size_t length)
{
	struct press *press;
	struct batch *batch;

	assert_ok(press_new(service, info, &press, &failure));
	assert_ok(press_run(press, worker, text, length, &failure));
	assert_ok(batch_begin(service, &press, 1, &batch, &failure));
	assert_ok(batch_run(batch, &failure));
	batch_end(service, &batch);
	return press;
}
