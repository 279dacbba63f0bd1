/* A file in memory for targets that read one by its name.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct memory_file {
	int descriptor;
	char path[32];
};

static inline struct memory_file memory_file_open(const void *data, size_t size)
{
	struct memory_file file = {.descriptor = memfd_create("fuzz", MFD_CLOEXEC)};

	if (file.descriptor < 0 || write(file.descriptor, data, size) != (ssize_t)size)
		abort();
	snprintf(file.path, sizeof(file.path), "/proc/self/fd/%d", file.descriptor);
	return file;
}
