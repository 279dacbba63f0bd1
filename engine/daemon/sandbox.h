/* What hamletd never needs once it serves, it gives up: who takes it over by a hostile
 * message gains little. The kernel denies it, as far as it can: system calls by seccomp,
 * files and TCP by Landlock. What is denied fails with EPERM or EACCES; nothing is killed.
 * data/systemd/hamletd.service.in denies the same and more, where there is systemd.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum sandbox_access {
	SANDBOX_READ, /* files, and lists of folders */
	SANDBOX_WRITE, /* as well: make, write and remove files */
};

/* A file, or a folder with all that is below it, then as well as now. One that is not there
 * is passed over. */
struct sandbox_path {
	const char *path;
	enum sandbox_access access;
};

/* What came of it; to be zeroed before. */
struct sandbox {
	bool calls; /* system calls are restricted */
	int files; /* version of Landlock's interface that restricts files; 0 = none does */
	bool network; /* nor can TCP connections be made, by Landlock; seccomp denies it too */
	char reason[160]; /* why not all of it; "" = all */
};

/* Restricts the process for good to files at `count` paths. Landlock restricts the thread
 * that calls this and those that it makes later, so that there must be no other yet. */
void sandbox_restrict_files(
	const struct sandbox_path *paths, size_t count, struct sandbox *sandbox);

/* Denies for good, in all threads, the system calls that are never needed, of which are new
 * sockets but for Unix ones, and to bind and listen. */
void sandbox_restrict_calls(struct sandbox *sandbox);

/* Why there is none, or not all. */
void sandbox_explain(struct sandbox *sandbox, const char *reason);

/* One line about what is in force. */
void sandbox_describe(const struct sandbox *sandbox, char *text, size_t size);
