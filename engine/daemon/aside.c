/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/aside.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { LOWEST_PRIORITY = 19 };

struct aside {
	void (*run)(void *data, struct worker *worker);
	void (*done)(void *data);
	void *data;
	struct worker *worker;
	uv_thread_t thread;
	uv_async_t ended;
};

static void work(void *context)
{
	struct aside *aside = context;

	/* Of this thread alone, as Linux has it; without it all works the same. */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), LOWEST_PRIORITY);
	aside->run(aside->data, aside->worker);
	uv_async_send(&aside->ended);
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void on_ended(uv_async_t *ended)
{
	struct aside *aside = ended->data;

	uv_thread_join(&aside->thread);
	worker_close(&aside->worker);
	aside->done(aside->data);
	uv_close((uv_handle_t *)ended, on_closed);
}

enum status aside_start(uv_loop_t *loop, struct service *service,
	void (*run)(void *data, struct worker *worker), void (*done)(void *data), void *data,
	struct failure *failure)
{
	struct aside *aside = calloc(1, sizeof(*aside));
	enum status status;

	if (!aside)
		return failure_set(failure, STATUS_NOMEM, "long work: out of memory");
	*aside = (struct aside){.run = run, .done = done, .data = data};
	aside->ended.data = aside;
	status = worker_open(service, &aside->worker, failure);
	if (status == STATUS_OK && uv_async_init(loop, &aside->ended, on_ended) != 0)
		status = failure_set(failure, STATUS_NOMEM, "long work: no more descriptors");
	if (status != STATUS_OK) {
		worker_close(&aside->worker);
		free(aside);
		return status;
	}
	if (uv_thread_create(&aside->thread, work, aside) == 0)
		return STATUS_OK;
	worker_close(&aside->worker);
	uv_close((uv_handle_t *)&aside->ended, on_closed);
	return failure_set(failure, STATUS_NOMEM, "long work: no more threads");
}
