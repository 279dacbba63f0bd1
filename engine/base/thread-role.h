/* Which part the running thread plays, so that a function can say who may call it. A thread
 * that has taken no part may do everything: a program without threads has no other.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <assert.h>

enum thread_role {
	THREAD_ANY,
	THREAD_OWNER, /* of the service: the daemon's loop */
	THREAD_WORKER, /* it has a worker, and reads */
	THREAD_WRITER, /* it writes: at most one at a time */
};

/* Gives this thread a part. Returns the former one. */
enum thread_role thread_take_role(enum thread_role role);
enum thread_role thread_role(void);

static inline void thread_assert(enum thread_role wanted)
{
	enum thread_role role = thread_role();

	assert(role == wanted || role == THREAD_ANY);
	(void)role;
	(void)wanted;
}

/* At the beginning of a function. A mistake of ours ends the program. */
#define ASSERT_OWNER()  thread_assert(THREAD_OWNER)
#define ASSERT_WORKER() thread_assert(THREAD_WORKER)
#define ASSERT_WRITER() thread_assert(THREAD_WRITER)
