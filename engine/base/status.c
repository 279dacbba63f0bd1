/* Texts of the error codes, and the one function that fills in a failure.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

const char *status_text(enum status code)
{
	switch (code) {
	case STATUS_OK:
		return "success";
#define X(name, number, text)                                                                      \
	case STATUS_##name:                                                                        \
		return text;
		STATUS_MAP(X)
#undef X
	}
	return "unknown error";
}

enum status status_of_errno(int number)
{
	switch (number) {
	case ENOSPC:
	case EDQUOT:
		return STATUS_FULL;
	case EROFS:
		return STATUS_READONLY;
	case EACCES:
	case EPERM:
		return STATUS_DENIED;
	default:
		return STATUS_IO;
	}
}

enum status failure_set(struct failure *failure, enum status code, const char *format, ...)
{
	if (failure) {
		va_list arguments;

		failure->code = code;
		va_start(arguments, format);
		vsnprintf(failure->detail, sizeof(failure->detail), format, arguments);
		va_end(arguments);
	}
	return code;
}
