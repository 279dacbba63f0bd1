/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/aside.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* Who wakes up takes the processor from it at once, as from the lowest; but with all
 * processors busy it still gets a tenth of one, since reports may wait for it. */
enum { LOW_PRIORITY = 10 };

struct aside {
	void (*run)(void *data);
	void (*done)(void *data);
	void *data;
	uv_thread_t thread;
	uv_async_t ended;
};

static void work(void *context)
{
	struct aside *aside = context;

	/* Of this thread alone, as Linux has it; without it all works the same. */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), LOW_PRIORITY);
	aside->run(aside->data);
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
	aside->done(aside->data);
	uv_close((uv_handle_t *)ended, on_closed);
}

enum status aside_start(uv_loop_t *loop, void (*run)(void *data), void (*done)(void *data),
	void *data, struct failure *failure)
{
	struct aside *aside = calloc(1, sizeof(*aside));

	if (!aside)
		return failure_set(failure, STATUS_NOMEM, "long work: out of memory");
	*aside = (struct aside){.run = run, .done = done, .data = data};
	aside->ended.data = aside;
	if (uv_async_init(loop, &aside->ended, on_ended) != 0) {
		free(aside);
		return failure_set(failure, STATUS_NOMEM, "long work: no more descriptors");
	}
	if (uv_thread_create(&aside->thread, work, aside) == 0)
		return STATUS_OK;
	uv_close((uv_handle_t *)&aside->ended, on_closed);
	return failure_set(failure, STATUS_NOMEM, "long work: no more threads");
}
