/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * What the files that carry tasks out share. */
#pragma once

#include "engine/daemon/task/task.h"

/* Has the pool run it; fails the task when there is too much to do. */
void task_submit(struct task *task, void (*run)(struct job *job, struct worker *worker),
	void (*done)(struct job *job));

/* Ends the task: it was done, or task->failure says why not. */
void task_finish(struct task *task);
void task_fail(struct task *task);

/* Kinds of tasks. */
void task_call(struct task *task);
void task_diagnose(struct task *task);
