/* The one list of error codes, and the detail that travels with one.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Zero is success, every failure is negative. The texts are lower case and
 * without a full stop, so that they compose into log lines and replies. */
#define STATUS_MAP(X)                                                                              \
	X(NOMEM, -1001, "out of memory")                                                           \
	X(IO, -1002, "input/output error")                                                         \
	X(FULL, -1003, "disk full")                                                                \
	X(READONLY, -1004, "read-only")                                                            \
	X(CORRUPT, -1005, "database is damaged")                                                   \
	X(NEWER, -1006, "database was written by a newer version")                                 \
	X(BUSY, -1007, "in use by another process")                                                \
	X(INVALID, -1008, "invalid argument")                                                      \
	X(LIMIT, -1009, "limit exceeded")                                                          \
	X(NOTFOUND, -1010, "not found")                                                            \
	X(DENIED, -1011, "permission denied")                                                      \
	X(PROTOCOL, -1012, "protocol error")                                                       \
	X(OVERLOAD, -1013, "too busy")                                                             \
	X(TIMEOUT, -1014, "timed out")                                                             \
	X(INTERRUPTED, -1015, "interrupted")                                                       \
	X(UNCERTAIN, -1016, "not known whether it was written")

enum status {
	STATUS_OK = 0,
#define X(name, number, text) STATUS_##name = number,
	STATUS_MAP(X)
#undef X
};

/* A failure carries its code and one sentence for a person: what was being
 * done, with which file or key, and where it helps what to do next. */
struct failure {
	enum status code;
	char detail[256];
};

/* What errno of a file or socket means: FULL, READONLY, DENIED, else IO. */
enum status status_of_errno(int number);

/* The text of a code; never NULL. */
const char *status_text(enum status code);

/* Fills *failure (which may be NULL) and returns code, so that a caller can
 * write `return failure_set(...)`. Too long a detail is cut. */
enum status failure_set(struct failure *failure, enum status code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
