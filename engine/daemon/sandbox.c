/* What of the sandbox is in force, in words.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/sandbox.h"

#include <stdio.h>
#include <string.h>

void sandbox_explain(struct sandbox *sandbox, const char *reason)
{
	size_t length = strlen(sandbox->reason);

	snprintf(sandbox->reason + length, sizeof(sandbox->reason) - length, "%s%s",
		length > 0 ? "; " : "", reason);
}

void sandbox_describe(const struct sandbox *sandbox, char *text, size_t size)
{
	char files[48] = "any file";

	if (sandbox->files > 0)
		snprintf(files, sizeof(files), "files%s (Landlock %d)",
			sandbox->network ? " and TCP" : "", sandbox->files);
	if (!sandbox->calls && sandbox->files == 0)
		snprintf(text, size, "none: %s", sandbox->reason);
	else
		snprintf(text, size, "%s%s%s%s%s", sandbox->calls ? "system calls (seccomp)" : "",
			sandbox->calls && sandbox->files > 0 ? ", " : "",
			sandbox->files > 0 ? files : "", *sandbox->reason ? "; not all: " : "",
			sandbox->reason);
}
