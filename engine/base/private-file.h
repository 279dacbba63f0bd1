/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Files of a folder that nobody but its owner may read. A command that root runs makes
 * them for the account that the folder belongs to, as SQLite does for what it makes
 * beside a database: else that account, hamletd's, would be locked out of them. */
#pragma once

/* Opens it for reading and writing; one that is not there is made with mode 0600, whatever
 * the umask, and given to the folder's owner. -1 with errno. */
int private_file_open(const char *path);

/* Gives a file that the caller has made to the folder's owner, if the caller is root. What
 * is not possible is left: who may not read it then is told. */
void private_file_give(const char *path);
