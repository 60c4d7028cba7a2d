// SPDX-License-Identifier: MIT
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sandbox.h"

/* Above every number that a system call has. */
#define NUMBERS_MOST 1024

/* Whatever they are given. Names that this processor does not have are skipped. */
static const char *const plain[] = {
    /* files that Landlock has allowed, and those that are open */
    "read", "readv", "pread64", "preadv", "preadv2", "write", "writev", "pwrite64", "pwritev",
    "pwritev2", "lseek", "open", "openat", "close", "close_range", "stat", "lstat", "fstat",
    "newfstatat", "statx", "statfs", "fstatfs", "access", "faccessat", "faccessat2", "readlink",
    "readlinkat", "getcwd", "getdents64", "unlink", "unlinkat", "rename", "renameat", "renameat2",
    "truncate", "ftruncate", "fallocate", "fadvise64", "fsync", "fdatasync", "sync_file_range",
    "flock", "fcntl", "fchmod", "fchown", "umask", "dup", "dup3", "utimensat",
    /* connections that are there */
    "accept", "accept4", "recvfrom", "recvmsg", "recvmmsg", "sendto", "sendmsg", "sendmmsg",
    "shutdown", "getsockname", "getpeername", "getsockopt", "setsockopt",
    /* waiting */
    "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd2", "poll",
    "ppoll", "select", "pselect6", "timerfd_create", "timerfd_settime", "timerfd_gettime", "futex",
    "futex_waitv", "nanosleep", "clock_nanosleep", "restart_syscall", "pause", "pipe2",
    /* time, memory, threads, signals to ourselves */
    "clock_gettime", "clock_getres", "gettimeofday", "time", "times", "getrandom", "brk", "munmap",
    "mremap", "madvise", "mlock", "mlock2", "munlock", "mincore", "msync", "membarrier",
    "set_robust_list", "get_robust_list", "set_tid_address", "rseq", "gettid", "getpid", "getppid",
    "exit", "exit_group", "sigaltstack", "rt_sigaction", "rt_sigprocmask", "rt_sigpending",
    "rt_sigreturn", "rt_sigtimedwait", "rt_sigsuspend", "sched_yield", "sched_getaffinity",
    "sched_getparam", "sched_getscheduler", "getpriority", "setpriority", "getrlimit", "getrusage",
    "sysinfo", "uname", "getcpu", "arch_prctl", "getuid", "geteuid", "getgid", "getegid",
    "getresuid", "getresgid", "getgroups", "getpgrp", "getpgid", "getsid", "capget"};

/* Some of what they can do; the rest is answered ENOSYS. */
struct part {
    const char *name;
    struct scmp_arg_cmp is;
};

#define ARGUMENT(number_, op_, ...)                                                                \
    {                                                                                              \
        .arg = (number_), .op = (op_), __VA_ARGS__                                                 \
    }
#define IS(number, value) ARGUMENT(number, SCMP_CMP_EQ, .datum_a = (value))
#define IS_OF(number, mask, value)                                                                 \
    ARGUMENT(number, SCMP_CMP_MASKED_EQ, .datum_a = (mask), .datum_b = (value))

static const struct part parts[] = {
    {"ioctl", IS(1, 0x5401 /* TCGETS, for isatty */)},
    {"ioctl", IS(1, FIONREAD)},
    {"ioctl", IS(1, FIONBIO)},
    {"ioctl", IS(1, FIOCLEX)},
    {"prctl", IS(0, PR_SET_NAME)},
    {"prctl", IS(0, PR_GET_NAME)},
    {"prctl", IS(0, PR_SET_NO_NEW_PRIVS)},
    {"prctl", IS(0, 0x53564d41 /* PR_SET_VMA: names of the allocator's memory */)},
    {"prlimit64", IS(2, 0)}, /* asks, and sets nothing */
    {"sched_setattr", IS(0, 0 /* of the calling thread */)},
    /* Memory is written or run, never both. */
    {"mmap", IS_OF(2, PROT_EXEC, 0)},
    {"mprotect", IS_OF(2, PROT_EXEC, 0)},
    /* Threads, never processes. clone3 is not seen through: the C library takes clone then. */
    {"clone", IS_OF(0, CLONE_THREAD, CLONE_THREAD)},
};

static const struct part socket_parts[] = {
    {"socket", IS(0, AF_INET)},
    {"socket", IS(0, AF_INET6)},
    {"socket", IS(0, AF_UNIX)},
    /* Libraries that find hosts or check certificates are loaded when they are needed. */
    {"mmap", IS_OF(2, PROT_EXEC | PROT_WRITE, PROT_EXEC)},
};

/* What else is answered ENOSYS and not the end: callers do without. */
static const char *const absent[] = {"clone3",
                                     "openat2",
                                     "socket",
                                     "ioctl",
                                     "prctl",
                                     "prlimit64",
                                     "mmap",
                                     "mprotect",
                                     "setrlimit",
                                     "sched_setaffinity",
                                     "sched_setscheduler",
                                     "sched_setparam",
                                     "sched_setattr",
                                     "get_mempolicy",
                                     "inotify_init1",
                                     "setsid",
                                     "setpgid",
                                     "pkey_alloc"};

static bool is_one_of(const char *name, const char *const *list, size_t count)
{
    size_t i = 0;

    while (i < count && strcmp(list[i], name) != 0) {
        i++;
    }
    return i < count;
}

#define LENGTH(list) (sizeof(list) / sizeof *(list))

/* ---- the filter ---- */

static int allow_plain(scmp_filter_ctx filter, const char *name)
{
    const int number = seccomp_syscall_resolve_name(name);

    return number < 0 ? 0 : seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
}

static int allow_parts(scmp_filter_ctx filter, const struct part *list, size_t count)
{
    int error = 0;

    for (size_t i = 0; i < count && error == 0; i++) {
        const int number = seccomp_syscall_resolve_name(list[i].name);
        error =
            number < 0 ? 0 : seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, 1, &list[i].is);
    }
    return error;
}

/* Signals go to this process alone; a process is never made. */
static int allow_ourselves(scmp_filter_ctx filter)
{
    static const char *const names[] = {"kill", "tgkill", "rt_tgsigqueueinfo"};
    const struct scmp_arg_cmp self = IS(0, (scmp_datum_t)getpid());
    const struct scmp_arg_cmp no_thread = IS_OF(0, CLONE_THREAD, 0);
    int error =
        seccomp_rule_add_array(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 1, &no_thread);

    for (size_t i = 0; i < LENGTH(names) && error == 0; i++) {
        error = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW,
                                       seccomp_syscall_resolve_name(names[i]), 1, &self);
    }
    return error;
}

/* All other calls that the library knows are the end. */
static int refuse_others(scmp_filter_ctx filter, bool sockets)
{
    static const char *const partly[] = {"kill", "tgkill", "rt_tgsigqueueinfo", "clone"};
    int error = 0;

    for (int number = 0; number < NUMBERS_MOST && error == 0; number++) {
        char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
        if (name && !is_one_of(name, plain, LENGTH(plain)) &&
            !is_one_of(name, absent, LENGTH(absent)) && !is_one_of(name, partly, LENGTH(partly)) &&
            !(sockets && strcmp(name, "connect") == 0)) {
            error = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, number, 0);
        }
        free(name);
    }
    return error;
}

static int fill_filter(scmp_filter_ctx filter, const struct sandbox_calls *calls)
{
    int error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

    error = error ? error : seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    /* A tree and no list: the library may be too old for it. */
    (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    for (size_t i = 0; i < LENGTH(plain) && error == 0; i++) {
        error = allow_plain(filter, plain[i]);
    }
    error = error ? error : allow_parts(filter, parts, LENGTH(parts));
    if (calls->sockets) {
        error = error ? error : allow_plain(filter, "connect");
        error = error ? error : allow_parts(filter, socket_parts, LENGTH(socket_parts));
    }
    error = error ? error : allow_ourselves(filter);
    return error ? error : refuse_others(filter, calls->sockets);
}

bool sandbox_calls_possible(char *why, size_t why_size)
{
#if defined(__x86_64__) || defined(__aarch64__)
    /* 3: KILL_PROCESS, and all threads at once. */
    const bool possible = seccomp_api_get() >= 3;
    const char *reason = "this kernel cannot, or what runs the process forbids it";
#else
    const bool possible = false;
    const char *reason = "not tried on this processor";
#endif
    if (!possible) {
        (void)snprintf(why, why_size, "system calls cannot be filtered (seccomp): %s", reason);
    }
    return possible;
}

bool sandbox_calls_close(const struct sandbox_calls *calls, char *why, size_t why_size)
{
    assert(calls && why);
    if (!sandbox_calls_possible(why, why_size)) {
        return false;
    }
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    int error = filter ? fill_filter(filter, calls) : -ENOMEM;

    error = error ? error : seccomp_load(filter);
    if (filter) {
        seccomp_release(filter);
    }
    if (error) {
        (void)snprintf(why, why_size, "system calls cannot be filtered (seccomp): %s",
                       strerror(-error));
    }
    return error == 0;
}
