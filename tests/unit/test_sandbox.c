/* The sandbox: what is denied in it, and that what hamletd needs is not. Each test enters it
 * in a child of its own. Where the kernel has no such thing, that is what is said.
 * SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/daemon/sandbox.h"
#include "tests/unit/folder.h"
#include "tests/unit/unit.h"

static const char *state, *outside;

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(in_folder(name), "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

static void set_up(void)
{
	state = in_folder("state");
	outside = in_folder("outside");
	ck_assert_int_eq(mkdir(state, 0700), 0);
	write_file("outside", "secret");
	write_file("state/known", "known");
}

/* Runs `work` in a child; what it returns is 0 when all was as it should be. */
static int in_child(int (*work)(void))
{
	int status = 0;
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0)
		_exit(work());
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255; /* 255: it was killed */
}

/* Each condition is one line; the line number says which one failed. */
#define WANT(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "# line %d: %s (%s)\n", __LINE__, #condition,              \
				strerror(errno));                                                  \
			return 1;                                                                  \
		}                                                                                  \
	} while (0)

enum { UNAVAILABLE = 77 };

/* --- System calls --------------------------------------------------------------------- */

static bool is_denied(long result)
{
	return result == -1 && errno == EPERM;
}

static int calls_are_denied(void)
{
	struct sandbox sandbox = {0};
	char *const arguments[] = {(char *)"true", NULL};

	sandbox_restrict_calls(&sandbox);
	if (!sandbox.calls)
		return UNAVAILABLE;
	WANT(*sandbox.reason == '\0');
	WANT(is_denied(execve("/bin/true", arguments, NULL)));
	WANT(is_denied(syscall(SYS_execveat, AT_FDCWD, "/bin/true", arguments, NULL, 0)));
	WANT(is_denied(mount("none", state, "tmpfs", 0, NULL)));
	WANT(is_denied(chroot(state)));
	WANT(is_denied(setuid(65534)));
	WANT(is_denied(setgroups(0, NULL)));
	WANT(is_denied(syscall(SYS_bpf, 0, NULL, 0)));
	WANT(is_denied(syscall(SYS_keyctl, 0, 0, 0, 0, 0)));
	WANT(is_denied(syscall(SYS_init_module, NULL, 0, "")));
	WANT(is_denied(syscall(SYS_unshare, 0)));
	WANT(is_denied(socket(AF_INET, SOCK_STREAM, 0)));
	WANT(is_denied(socket(AF_INET6, SOCK_DGRAM, 0)));
	WANT(is_denied(socket(AF_NETLINK, SOCK_RAW, 0)));
	WANT(is_denied(symlink("x", state)));
	WANT(is_denied(chmod(outside, 04755)));
	WANT(is_denied(chmod(outside, 02755)));
	WANT(mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
			MAP_FAILED &&
		errno == EPERM);
	WANT(syscall(SYS_io_uring_setup, 1, NULL) == -1 && errno == ENOSYS);
#ifndef __SANITIZE_ADDRESS__
	WANT(is_denied(ptrace(PTRACE_TRACEME, 0, NULL, NULL)));
	WANT(is_denied(kill(getppid(), 0)));
	WANT(is_denied(fork()));
#endif
	return 0;
}

static void *nothing(void *argument)
{
	return argument;
}

static void *run_another(void *denied)
{
	char *const arguments[] = {(char *)"true", NULL};

	*(bool *)denied = is_denied(execve("/bin/true", arguments, NULL));
	return NULL;
}

static int what_is_needed_goes_on(void)
{
	struct sandbox sandbox = {0};
	bool denied = false;
	pthread_t thread;
	int fd;

	sandbox_restrict_calls(&sandbox);
	if (!sandbox.calls)
		return UNAVAILABLE;
	WANT(pthread_create(&thread, NULL, nothing, NULL) == 0);
	WANT(pthread_join(thread, NULL) == 0);
	WANT(pthread_create(&thread, NULL, run_another, &denied) == 0);
	WANT(pthread_join(thread, NULL) == 0 && denied);
	WANT(getpwuid(0) != NULL);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	WANT(fd >= 0 && close(fd) == 0);
	WANT(chmod(outside, 0640) == 0);
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	WANT(memory != MAP_FAILED && munmap(memory, 4096) == 0);
	return 0;
}

START_TEST(system_calls_that_are_never_needed_are_denied)
{
	int result = in_child(calls_are_denied);

	ck_assert(result == 0 || result == UNAVAILABLE);
}
END_TEST

START_TEST(threads_sockets_and_logins_go_on)
{
	int result = in_child(what_is_needed_goes_on);

	ck_assert(result == 0 || result == UNAVAILABLE);
}
END_TEST

/* --- Files ------------------------------------------------------------------------------ */

static bool restrict_files(struct sandbox *sandbox)
{
	const struct sandbox_path paths[] = {{state, SANDBOX_WRITE}, {"/etc", SANDBOX_READ},
		{"/not/there", SANDBOX_WRITE}, {"/dev/null", SANDBOX_WRITE}};

	sandbox_restrict_files(paths, sizeof(paths) / sizeof(*paths), sandbox);
	return sandbox->files > 0;
}

static int try(const char *path, int flags)
{
	int fd = open(path, flags, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0 ? 0 : errno;
}

static int other_files_are_denied(void)
{
	struct sandbox sandbox = {0};
	char path[96], other[96];

	if (!restrict_files(&sandbox))
		return UNAVAILABLE;
	WANT(try(outside, O_RDONLY) == EACCES);
	WANT(try(outside, O_WRONLY) == EACCES);
	WANT(try(folder, O_RDONLY | O_DIRECTORY) == EACCES);
	WANT(try("/root", O_RDONLY | O_DIRECTORY) == EACCES);
	snprintf(path, sizeof(path), "%s/new", folder);
	WANT(try(path, O_CREAT | O_WRONLY) == EACCES);
	WANT(unlink(outside) == -1 && errno == EACCES);
	WANT(try("/etc/passwd", O_RDONLY) == 0);
	WANT(try("/etc/passwd", O_WRONLY) != 0);
	WANT(try("/dev/null", O_RDWR) == 0);
	snprintf(path, sizeof(path), "%s/known", state);
	snprintf(other, sizeof(other), "%s/renamed", state);
	WANT(try(path, O_RDWR | O_TRUNC) == 0);
	WANT(rename(path, other) == 0);
	WANT(unlink(other) == 0);
	WANT(try(path, O_CREAT | O_EXCL | O_RDWR) == 0);
	WANT(symlink(outside, other) == -1);
	return 0;
}

static int others_cannot_be_run(void)
{
	struct sandbox sandbox = {0};
	char *const arguments[] = {(char *)"true", NULL};

	if (!restrict_files(&sandbox))
		return UNAVAILABLE;
	WANT(execve("/bin/true", arguments, NULL) == -1 && errno == EACCES);
	return 0;
}

static void *wait_for_ever(void *argument)
{
	for (;;)
		pause();
	return argument;
}

static int threads_are_seen(void)
{
	struct sandbox sandbox = {0};
	pthread_t thread;

	WANT(pthread_create(&thread, NULL, wait_for_ever, NULL) == 0);
	WANT(!restrict_files(&sandbox) && *sandbox.reason);
	WANT(try(outside, O_RDONLY) == 0);
	return 0;
}

START_TEST(files_of_others_are_out_of_reach)
{
	int result = in_child(other_files_are_denied);

	ck_assert(result == 0 || result == UNAVAILABLE);
	result = in_child(others_cannot_be_run);
	ck_assert(result == 0 || result == UNAVAILABLE);
}
END_TEST

/* It would hold for one of them. */
START_TEST(files_are_not_restricted_beside_other_threads)
{
	ck_assert_int_eq(in_child(threads_are_seen), 0);
}
END_TEST

/* --- What is said ----------------------------------------------------------------------- */

START_TEST(what_is_in_force_is_one_line)
{
	static const struct {
		struct sandbox sandbox;
		const char *line;
	} rows[] = {
		{{.calls = true, .files = 7, .network = true},
			"system calls (seccomp), files and TCP (Landlock 7)"},
		{{.calls = true, .reason = "the kernel has no Landlock"},
			"system calls (seccomp); not all: the kernel has no Landlock"},
		{{.files = 1, .reason = "no filter"}, "files (Landlock 1); not all: no filter"},
		{{.reason = "sandbox = false"}, "none: sandbox = false"},
	};
	char line[200];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		sandbox_describe(&rows[i].sandbox, line, sizeof(line));
		ck_assert_str_eq(line, rows[i].line);
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("sandbox");
	TCase *tcase = tcase_create("sandbox");

	tcase_add_checked_fixture(tcase, set_up, remove_folder);
	tcase_add_test(tcase, system_calls_that_are_never_needed_are_denied);
	tcase_add_test(tcase, threads_sockets_and_logins_go_on);
	tcase_add_test(tcase, files_of_others_are_out_of_reach);
	tcase_add_test(tcase, files_are_not_restricted_beside_other_threads);
	tcase_add_test(tcase, what_is_in_force_is_one_line);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
