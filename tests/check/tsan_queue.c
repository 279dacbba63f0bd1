/* Linked into what is built with --with-sanitizer=thread, in place of GLib's functions
 * (ld --wrap): a GAsyncQueue is locked with futexes, which ThreadSanitizer does not
 * see, so it is told here that what was pushed is handed over to who pops it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <glib.h>
#include <sanitizer/tsan_interface.h>

void __real_g_async_queue_push(GAsyncQueue *queue, gpointer data);
gpointer __real_g_async_queue_pop(GAsyncQueue *queue);
void __wrap_g_async_queue_push(GAsyncQueue *queue, gpointer data);
gpointer __wrap_g_async_queue_pop(GAsyncQueue *queue);

/* By what is handed over and not by the queue, so that nothing else is forgiven. */
void __wrap_g_async_queue_push(GAsyncQueue *queue, gpointer data)
{
	__tsan_release(data);
	__real_g_async_queue_push(queue, data);
}

gpointer __wrap_g_async_queue_pop(GAsyncQueue *queue)
{
	gpointer data = __real_g_async_queue_pop(queue);

	__tsan_acquire(data);
	return data;
}
