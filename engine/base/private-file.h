/* Files of a folder that nobody but its owner may read. Root opens them as that owner:
 * see account.h.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/base/status.h"

/* Opens it for reading and writing; one that is not there is made with mode 0600, whatever
 * the umask. It follows no symbolic link, and takes nothing but a regular file; from root
 * none with a second name, which may be anybody's. The descriptor, or -1 with the failure
 * (which may be NULL). */
int private_file_open(const char *path, struct failure *failure);
