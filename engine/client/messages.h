/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Messages from where people keep them, for the front ends that take the arguments
 * of other programs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* False ends the walk, which is then false as well. */
typedef bool messages_fn(void *context, const char *message, size_t length);

/* A file, or all files of a folder (of cur and new in a Maildir); "-" = standard
 * input. With `mbox` a file has many messages. Prints its own errors. */
bool messages_at(const char *path, bool mbox, messages_fn *each, void *context);

/* The user for whom such a program works: $HAMLET_USER, else the login. */
const char *messages_user(void);
