// SPDX-License-Identifier: MIT
/* Another machine, for a process that this library is preloaded into: MACHINE_CORES that it may run
 * on, MACHINE_MIB of memory, and MACHINE_ROOT with the files of the control groups. What is not
 * named stays as it is. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static long given(const char *name)
{
    const char *text = getenv(name);

    return text ? strtol(text, NULL, 10) : 0;
}

int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
    const long cores = given("MACHINE_CORES");
    int (*next)(pid_t, size_t, cpu_set_t *) = dlsym(RTLD_NEXT, "sched_getaffinity");

    if (cores == 0) {
        return next(pid, size, set);
    }
    CPU_ZERO_S(size, set);
    for (long i = 0; i < cores; i++) {
        CPU_SET_S((size_t)i, size, set);
    }
    return 0;
}

long sysconf(int name)
{
    long (*next)(int) = dlsym(RTLD_NEXT, "sysconf");
    const long mib = given("MACHINE_MIB");

    return name == _SC_PHYS_PAGES && mib > 0 ? mib * 1024 * 1024 / next(_SC_PAGESIZE) : next(name);
}

static int opened(const char *symbol, const char *path, int flags, mode_t mode)
{
    const char *root = getenv("MACHINE_ROOT");
    char other[4096];
    int (*next)(const char *, int, ...) = dlsym(RTLD_NEXT, symbol);

    if (root &&
        (strcmp(path, "/proc/self/cgroup") == 0 || strncmp(path, "/sys/fs/cgroup", 14) == 0)) {
        snprintf(other, sizeof other, "%s%s", root, path);
        path = other;
    }
    return next(path, flags, mode);
}

static mode_t mode_of(int flags, va_list rest)
{
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list rest;

    va_start(rest, flags);
    const mode_t mode = mode_of(flags, rest);
    va_end(rest);
    return opened("open", path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list rest;

    va_start(rest, flags);
    const mode_t mode = mode_of(flags, rest);
    va_end(rest);
    return opened("open64", path, flags, mode);
}
