/* The part of each thread, kept by the thread itself.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/thread-role.h"

static _Thread_local enum thread_role role_of_thread;

enum thread_role thread_take_role(enum thread_role role)
{
	enum thread_role former = role_of_thread;

	role_of_thread = role;
	return former;
}

enum thread_role thread_role(void)
{
	return role_of_thread;
}
