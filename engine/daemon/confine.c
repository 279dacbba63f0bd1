/* What the sandbox of hamletd has to let through.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/confine.h"

#include <dlfcn.h>
#include <glib.h>
#include <gnu/libc-version.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* What the C library reads now and then: modules of nsswitch.conf and of iconv are loaded
 * at their first use; logins may be added while we run, so that files in /etc get others in
 * their place; memory is divided among so many processors. */
static const char *const SYSTEM[] = {"/etc", "/usr", "/lib", "/lib64", "/run/systemd/userdb",
	"/var/lib/sss", "/var/cache/nscd", "/var/db/nscd", "/dev/urandom", "/dev/zero",
	"/sys/devices/system/cpu", "/proc/self", "/proc/sys/vm", "/proc/stat"};

/* Where SQLite puts what it sorts and rewrites: the first that can be written. */
static const char *temporary_folder(void)
{
	const char *places[] = {
		g_getenv("SQLITE_TMPDIR"), g_getenv("TMPDIR"), "/var/tmp", "/usr/tmp", "/tmp"};

	for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
		if (places[i] && g_file_test(places[i], G_FILE_TEST_IS_DIR) &&
			access(places[i], W_OK | X_OK) == 0)
			return places[i];
	}
	return "";
}

/* A file is replaced by another one of its name: hence its folder, but never all there is. */
static char *readable_around(const char *file)
{
	char *folder;

	if (!*file)
		return g_strdup("");
	folder = g_path_get_dirname(file);
	if (strcmp(folder, "/") != 0)
		return folder;
	g_free(folder);
	return g_strdup(file);
}

static char *folder_of_library(void)
{
	Dl_info info;
	bool found = dladdr((void *)(uintptr_t)gnu_get_libc_version, &info) != 0;

	return readable_around(found && info.dli_fname ? info.dli_fname : "");
}

static void restrict_files(
	const struct settings *settings, char *const around[4], struct sandbox *sandbox)
{
	struct sandbox_path paths[G_N_ELEMENTS(SYSTEM) + 9];
	size_t count = 0;

	for (; count < G_N_ELEMENTS(SYSTEM); count++)
		paths[count] = (struct sandbox_path){SYSTEM[count], SANDBOX_READ};
	for (size_t i = 0; i < 4; i++)
		paths[count++] = (struct sandbox_path){around[i], SANDBOX_READ};
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	paths[count++] = (struct sandbox_path){"/", SANDBOX_READ}; /* for their reports */
#endif
	paths[count++] = (struct sandbox_path){settings->state_directory, SANDBOX_WRITE};
	paths[count++] = (struct sandbox_path){settings->runtime_directory, SANDBOX_WRITE};
	paths[count++] = (struct sandbox_path){temporary_folder(), SANDBOX_WRITE};
	paths[count++] = (struct sandbox_path){"/dev/null", SANDBOX_WRITE};
	sandbox_restrict_files(paths, count, sandbox);
}

static bool is_wanted(const struct settings *settings)
{
#ifdef HAMLET_COVERAGE
	(void)settings;
	return false;
#else
	return settings->sandbox;
#endif
}

void confine_files(
	const struct settings *settings, const char *config_path, struct sandbox *sandbox)
{
	char *around[] = {readable_around(config_path),
		readable_around(settings->service.trusted_senders),
		readable_around(settings->http_token_file), folder_of_library()};

	if (is_wanted(settings))
		restrict_files(settings, around, sandbox);
	else
		sandbox_explain(
			sandbox, settings->sandbox ? "built for coverage" : "sandbox = false");
	for (size_t i = 0; i < G_N_ELEMENTS(around); i++)
		g_free(around[i]);
}

void confine_calls(const struct settings *settings, struct sandbox *sandbox)
{
	if (is_wanted(settings))
		sandbox_restrict_calls(sandbox);
}
