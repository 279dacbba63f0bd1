/* Who a program of root's works as. A database belongs to an account of its own, which may
 * lay in its folder what it likes: a symbolic or hard link to a file of root's, say. So
 * whatever opens files there does it as the owner of the folder, who can do no more harm
 * by it than without. Programs that root has not started go on as who they are.
 *
 * What the path goes through on the way to the folder is the operator's: root follows a
 * symbolic link there only if root has made it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sys/types.h>

#include "engine/base/status.h"

/* Goes on for good as the owner of the folder that `path` is in, with the groups of that
 * account; a folder that is not there, or is root's, changes nothing. STATUS_INVALID: a
 * link on the way is somebody else's. STATUS_DENIED: this root may not become another. */
enum status account_become(const char *path, struct failure *failure);

/* The same until account_end, for a program that goes on to write where the operator has
 * told it to. A second one takes the place of the first. */
enum status account_begin(const char *path, struct failure *failure);
void account_end(void);

/* Between account_begin and account_end: who started the program, to read what that one
 * has named (people's mail), and back again with what account_pause gave. */
uid_t account_pause(void);
void account_resume(uid_t owner);
