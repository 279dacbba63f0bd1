/* Which system calls hamletd gives up. Those are listed, not those that it needs: a C
 * library of next year, or a module of nsswitch.conf, may need another one.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/sandbox.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* Leak and race checkers attach to the process as a debugger does. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { CHECKED = true };
#else
enum { CHECKED = false };
#endif

#ifdef __s390x__
enum { CLONE_FLAGS = 1 };
#else
enum { CLONE_FLAGS = 0 };
#endif

static const char *const NEVER[] = {
	/* other programs */
	"execve",
	"execveat",
	"fork",
	"vfork",
	/* other accounts and rights */
	"setuid",
	"setuid32",
	"setgid",
	"setgid32",
	"setreuid",
	"setreuid32",
	"setregid",
	"setregid32",
	"setresuid",
	"setresuid32",
	"setresgid",
	"setresgid32",
	"setfsuid",
	"setfsuid32",
	"setfsgid",
	"setfsgid32",
	"setgroups",
	"setgroups32",
	"capset",
	"chroot",
	"pivot_root",
	"unshare",
	"setns",
	"personality",
	"add_key",
	"request_key",
	"keyctl",
	/* sockets that others connect to: they are open */
	"bind",
	"listen",
	/* names for what is no file of its own */
	"mknod",
	"mknodat",
	"symlink",
	"symlinkat",
	"link",
	"linkat",
	"chown",
	"chown32",
	"lchown",
	"lchown32",
	"fchownat",
	"setxattr",
	"lsetxattr",
	"fsetxattr",
	"setxattrat",
	"removexattr",
	"lremovexattr",
	"fremovexattr",
	"removexattrat",
	"name_to_handle_at",
	"open_by_handle_at",
	/* the machine */
	"mount",
	"umount",
	"umount2",
	"move_mount",
	"fsopen",
	"fsconfig",
	"fsmount",
	"fspick",
	"open_tree",
	"mount_setattr",
	"swapon",
	"swapoff",
	"reboot",
	"kexec_load",
	"kexec_file_load",
	"init_module",
	"finit_module",
	"delete_module",
	"create_module",
	"acct",
	"quotactl",
	"quotactl_fd",
	"syslog",
	"sethostname",
	"setdomainname",
	"settimeofday",
	"clock_settime",
	"clock_settime64",
	"adjtimex",
	"clock_adjtime",
	"clock_adjtime64",
	"stime",
	"iopl",
	"ioperm",
	"modify_ldt",
	"vm86",
	"vm86old",
	"uselib",
	"nfsservctl",
	"vhangup",
	"lookup_dcookie",
	"fanotify_init",
	"perf_event_open",
	"bpf",
	"userfaultfd",
	"memfd_secret",
	/* shared memory and queues of System V and POSIX */
	"shmget",
	"shmat",
	"shmctl",
	"msgget",
	"msgsnd",
	"msgrcv",
	"msgctl",
	"semget",
	"semop",
	"semctl",
	"mq_open",
	"mq_unlink",
};

/* Other processes; what checkers of memory do themselves. */
static const char *const NEVER_OTHERS[] = {"ptrace", "process_vm_readv", "process_vm_writev",
	"process_madvise", "kcmp", "pidfd_open", "pidfd_getfd", "pidfd_send_signal", "kill",
	"tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"};

/* Who asks for these does without, when there are none. clone3 has its flags where no
 * filter sees them. */
static const char *const MISSING[] = {
	"clone3", "io_uring_setup", "io_uring_enter", "io_uring_register"};

/* One that this kernel's headers do not know needs no rule. */
static int deny(scmp_filter_ctx filter, int reason, const char *name)
{
	int number = seccomp_syscall_resolve_name(name);

	return number == __NR_SCMP_ERROR
		? 0
		: seccomp_rule_add(filter, SCMP_ACT_ERRNO(reason), number, 0);
}

static int deny_all(scmp_filter_ctx filter, int reason, const char *const *names, size_t count)
{
	int error = 0;

	for (size_t i = 0; i < count && error == 0; i++)
		error = deny(filter, reason, names[i]);
	return error;
}

static int deny_when(scmp_filter_ctx filter, int number, struct scmp_arg_cmp condition)
{
	return seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), number, 1, &condition);
}

static struct scmp_arg_cmp has_bits(unsigned argument, scmp_datum_t bits)
{
	return SCMP_CMP64(argument, SCMP_CMP_MASKED_EQ, bits, bits);
}

/* Memory that is written and run; programs that gain rights; processes; other sockets. */
static int deny_some(scmp_filter_ctx filter)
{
	static const unsigned bits[] = {S_ISUID, S_ISGID};
	int error = deny_when(filter, SCMP_SYS(mprotect), has_bits(2, PROT_EXEC));

	if (error == 0)
		error = deny_when(filter, SCMP_SYS(pkey_mprotect), has_bits(2, PROT_EXEC));
	if (error == 0)
		error = deny_when(filter, SCMP_SYS(mmap), has_bits(2, PROT_EXEC | PROT_WRITE));
	for (size_t i = 0; i < sizeof(bits) / sizeof(*bits) && error == 0; i++) {
		error = deny_when(filter, SCMP_SYS(chmod), has_bits(1, bits[i]));
		if (error == 0)
			error = deny_when(filter, SCMP_SYS(fchmod), has_bits(1, bits[i]));
		if (error == 0)
			error = deny_when(filter, SCMP_SYS(fchmodat), has_bits(2, bits[i]));
	}
	if (error == 0)
		error = deny_when(filter, SCMP_SYS(socket), SCMP_A0_32(SCMP_CMP_NE, AF_UNIX));
	if (error == 0)
		error = deny_when(filter, SCMP_SYS(socketpair), SCMP_A0_32(SCMP_CMP_NE, AF_UNIX));
	if (error == 0 && !CHECKED)
		error = deny_when(filter, SCMP_SYS(clone),
			SCMP_CMP64(CLONE_FLAGS, SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
	return error;
}

void sandbox_restrict_calls(struct sandbox *sandbox)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int error = filter ? 0 : -ENOMEM;

	if (error == 0)
		error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(EPERM));
	if (error == 0)
		error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (error == 0)
		error = deny_all(filter, EPERM, NEVER, sizeof(NEVER) / sizeof(*NEVER));
	if (error == 0 && !CHECKED)
		error = deny_all(
			filter, EPERM, NEVER_OTHERS, sizeof(NEVER_OTHERS) / sizeof(*NEVER_OTHERS));
	if (error == 0)
		error = deny_all(filter, ENOSYS, MISSING, sizeof(MISSING) / sizeof(*MISSING));
	if (error == 0)
		error = deny_some(filter);
	if (error == 0)
		error = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	sandbox->calls = error == 0;
	if (error != 0)
		sandbox_explain(sandbox, "the kernel takes no filter of system calls (seccomp)");
}
