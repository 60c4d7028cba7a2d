// SPDX-License-Identifier: MIT
/* The files of control groups: /proc/self/cgroup, and after each NUL byte one of those that set a
 * limit, wherever that is looked for. They are in memory: the link takes disk_read_small from here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/machine.h"

#define ROOT       "/fuzz"
#define MOUNT      ROOT "/sys/fs/cgroup"
#define READS_MOST 1000000 /* lines of 5 bytes, groups of 1, and 6 files of each */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
struct slice __real_disk_read_small(const char *path, char *text, size_t size);
struct slice __wrap_disk_read_small(const char *path, char *text, size_t size);

static const char *const names[] = {
    ROOT "/proc/self/cgroup", "/cpu.max",    "/cpu.cfs_quota_us",
    "/cpu.cfs_period_us",     "/memory.max", "/memory.high",
    "/memory.limit_in_bytes",
};
enum { GROUPS, CPUS, QUOTA, PERIOD, MEMORY, FILES = sizeof names / sizeof *names };

static int files[FILES];
static bool asked[FILES];
static unsigned reads;

static void must(bool condition)
{
    if (!condition) {
        abort();
    }
}

static struct slice read_file(size_t i, char *text, size_t size)
{
    char place[64];
    (void)snprintf(place, sizeof place, "/proc/self/fd/%d", files[i]);
    return __real_disk_read_small(place, text, size);
}

/* Each name ends the path of its file. */
struct slice __wrap_disk_read_small(const char *path, char *text, size_t size)
{
    const size_t len = strlen(path);
    if (strncmp(path, ROOT "/", sizeof ROOT) != 0) {
        return __real_disk_read_small(path, text, size);
    }
    must(++reads < READS_MOST);
    for (size_t i = 0; i < FILES; i++) {
        const size_t tail = strlen(names[i]);
        if (len >= tail && memcmp(path + len - tail, names[i], tail) == 0) {
            must(i == GROUPS || strncmp(path, MOUNT, sizeof MOUNT - 1) == 0);
            asked[i] = true;
            return read_file(i, text, size);
        }
    }
    must(false);
    return (struct slice){0};
}

static void make_files(struct slice input)
{
    for (size_t i = 0; i < FILES; i++) {
        struct slice content = slice_next(&input, '\0');
        if (files[i] == 0) {
            files[i] = memfd_create(names[i], MFD_CLOEXEC);
            must(files[i] > 0);
        }
        must(ftruncate(files[i], 0) == 0);
        must(pwrite(files[i], content.len > 0 ? content.ptr : "", content.len, 0) ==
             (ssize_t)content.len);
    }
}

/* ---- what must come of it: the least that any file says that was asked for ---- */

static uint64_t number_in(struct slice text)
{
    uint64_t value = 0;
    return slice_to_u64(text, UINT64_MAX, &value) ? value : 0;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return b > 0 && b < a ? b : a;
}

static uint64_t share(uint64_t quota, uint64_t period)
{
    return quota == 0 || period == 0 ? 0 : quota / period + (quota % period > 0);
}

static uint64_t least_memory(uint64_t most)
{
    char text[64];
    for (size_t i = MEMORY; i < FILES; i++) {
        most = asked[i] ? least(most, number_in(read_file(i, text, sizeof text))) : most;
    }
    return most;
}

static uint64_t least_cpus(uint64_t most)
{
    char text[64];
    char other[64];
    if (!asked[CPUS]) {
        return most;
    }
    const struct slice both = read_file(CPUS, text, sizeof text);
    const char *gap = both.len > 0 ? memchr(both.ptr, ' ', both.len) : NULL;
    if (gap) {
        const size_t len = (size_t)(gap - both.ptr);
        most = least(most, share(number_in((struct slice){both.ptr, len}),
                                 number_in(slice_from(both, len + 1))));
    }
    return least(most, share(number_in(read_file(QUOTA, text, sizeof text)),
                             number_in(read_file(PERIOD, other, sizeof other))));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned threads[] = {0, 1, 3, 1024};
    static struct machine alone;
    struct machine machine;

    if (alone.cpus == 0) {
        make_files((struct slice){0});
        machine_read(ROOT, &alone);
    }
    make_files((struct slice){(const char *)data, size});
    reads = 0;
    memset(asked, 0, sizeof asked);
    machine_read(ROOT, &machine);
    must(asked[GROUPS] && machine.cpus == least_cpus(alone.cpus));
    must((machine.cpus < alone.cpus) == (strcmp(machine.cpus_by, "cgroup") == 0));
    must(machine.memory > 0 && machine.memory == least_memory(alone.memory));
    must((machine.memory < alone.memory) == (strcmp(machine.memory_by, "cgroup") == 0));
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        struct machine_use use;
        machine_plan(&machine, threads[i], &use);
        must(use.loops == (threads[i] ? threads[i] : machine.cpus));
        must(use.hashers >= 1 && use.hashers <= machine.cpus);
        must(strlen(use.loops_why) < sizeof use.loops_why - 1);
        must(strlen(use.hashers_why) < sizeof use.hashers_why - 1);
    }
    return 0;
}
