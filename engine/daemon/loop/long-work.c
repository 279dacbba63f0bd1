/* Long work: a thread of its own, and the loop told of its end.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/loop/long-work.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* Other threads take the processor from such a thread as soon as they wake up, as from one
 * of the lowest priority. With all processors busy it still gets a tenth of one: reports
 * may wait for it. */
enum { LOW_PRIORITY = 10 };

struct long_work {
	void (*run)(void *data);
	void (*done)(void *data);
	void *data;
	uv_thread_t thread;
	uv_async_t ended;
};

static void run_in_thread(void *context)
{
	struct long_work *work = context;

	/* Of this thread alone, as Linux has it; without it all works the same. */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), LOW_PRIORITY);
	work->run(work->data);
	uv_async_send(&work->ended);
}

static void on_work_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void on_ended(uv_async_t *ended)
{
	struct long_work *work = ended->data;

	uv_thread_join(&work->thread);
	work->done(work->data);
	uv_close((uv_handle_t *)ended, on_work_closed);
}

enum status long_work_start(uv_loop_t *loop, void (*run)(void *data), void (*done)(void *data),
	void *data, struct failure *failure)
{
	struct long_work *work = calloc(1, sizeof(*work));

	if (!work)
		return failure_set(failure, STATUS_NOMEM, "long work: out of memory");
	*work = (struct long_work){.run = run, .done = done, .data = data};
	work->ended.data = work;
	if (uv_async_init(loop, &work->ended, on_ended) != 0) {
		free(work);
		return failure_set(failure, STATUS_NOMEM, "long work: no more descriptors");
	}
	if (uv_thread_create(&work->thread, run_in_thread, work) == 0)
		return STATUS_OK;
	uv_close((uv_handle_t *)&work->ended, on_work_closed);
	return failure_set(failure, STATUS_NOMEM, "long work: no more threads");
}
