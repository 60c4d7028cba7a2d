// SPDX-License-Identifier: MIT
#include "base/machine.h"

#include <assert.h>
#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/disk.h"

#define PATH_LEN   4608
#define GROUPS_LEN 16384 /* of /proc/self/cgroup */
#define VALUE_LEN  64
#define MIB        (UINT64_C(1024) * 1024)

/* ---- small files ---- */

static void lower(uint64_t *limit, uint64_t value)
{
    *limit = value > 0 && value < *limit ? value : *limit;
}

/* A number; what is none (`max`, `-1`) sets no limit. */
static uint64_t number_of(struct slice text)
{
    uint64_t value = 0;

    return text.ptr && slice_to_u64(text, UINT64_MAX, &value) ? value : 0;
}

static struct slice read_value(const char *folder, const char *name, char text[static VALUE_LEN])
{
    char path[PATH_LEN];
    const int len = snprintf(path, sizeof path, "%s/%s", folder, name);

    return len > 0 && (size_t)len < sizeof path ? disk_read_small(path, text, VALUE_LEN)
                                                : (struct slice){0};
}

/* ---- control groups ---- */

struct limits {
    uint64_t cpus; /* UINT64_MAX: none */
    uint64_t memory;
};

static void lower_cpus(struct limits *limits, uint64_t quota, uint64_t period)
{
    if (quota > 0 && period > 0) {
        lower(&limits->cpus, quota / period + (quota % period != 0));
    }
}

/* What the group sets and all above it, of either version. In a container `path` may be one that is
 * only seen outside: what is not there is stepped over, up to the group at the mount, which then is
 * ours. */
static void read_groups(const char *mount, struct slice path, struct limits *limits)
{
    char folder[PATH_LEN];
    char text[VALUE_LEN];
    char other[VALUE_LEN];
    const size_t least = strlen(mount);
    size_t len = least + path.len;

    if (len >= sizeof folder) {
        len = least;
    }
    memcpy(folder, mount, least);
    memcpy(folder + least, path.ptr, len - least);
    for (;;) {
        folder[len] = '\0';
        struct slice rest = read_value(folder, "cpu.max", text);
        const struct slice quota = slice_next(&rest, ' ');
        lower_cpus(limits, number_of(quota), number_of(rest));
        lower_cpus(limits, number_of(read_value(folder, "cpu.cfs_quota_us", text)),
                   number_of(read_value(folder, "cpu.cfs_period_us", other)));
        lower(&limits->memory, number_of(read_value(folder, "memory.max", text)));
        lower(&limits->memory, number_of(read_value(folder, "memory.high", text)));
        lower(&limits->memory, number_of(read_value(folder, "memory.limit_in_bytes", text)));
        if (len <= least) {
            return;
        }
        do {
            len--;
        } while (len > least && folder[len] != '/');
    }
}

static bool names(struct slice list, const char *name)
{
    while (list.ptr) {
        if (slice_eq(slice_next(&list, ','), slice_of(name))) {
            return true;
        }
    }
    return false;
}

/* `ID:CONTROLLERS:PATH` (cgroups(7)); no controllers: version 2. */
static void read_line(const char *root, struct slice line, struct limits *limits)
{
    char mount[PATH_LEN];
    struct slice rest = line;

    (void)slice_next(&rest, ':');
    const struct slice controllers = slice_next(&rest, ':');
    if (!rest.ptr) {
        return;
    }
    static const char *const folders[] = {"", "cpu", "memory"}; /* version 2; version 1 */
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        const char *name = folders[i];
        if (*name ? names(controllers, name) : controllers.len == 0) {
            (void)snprintf(mount, sizeof mount, "%s/sys/fs/cgroup%s%s", root, *name ? "/" : "",
                           name);
            read_groups(mount, rest, limits);
        }
    }
}

/* ---- the machine ---- */

/* The cores that the process may run on. */
static unsigned affinity(void)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) {
        return (unsigned)CPU_COUNT(&set);
    }
    return cores > 0 ? (unsigned)cores : 1; /* more than the set has room for */
}

void machine_read(const char *root, struct machine *machine)
{
    assert(root && machine);
    struct limits limits = {UINT64_MAX, UINT64_MAX};
    char path[PATH_LEN];
    char text[GROUPS_LEN];
    const long pages = sysconf(_SC_PHYS_PAGES);
    const long page = sysconf(_SC_PAGESIZE);
    struct rlimit space = {.rlim_cur = RLIM_INFINITY};

    (void)snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    struct slice rest = disk_read_small(path, text, sizeof text);
    while (rest.ptr) {
        read_line(root, slice_next(&rest, '\n'), &limits);
    }
    *machine = (struct machine){.cpus = affinity(), .cpus_by = "affinity"};
    if (limits.cpus < machine->cpus) {
        machine->cpus = (unsigned)limits.cpus;
        machine->cpus_by = "cgroup";
    }
    machine->memory = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : 0;
    machine->memory_by = "machine";
    if (limits.memory != UINT64_MAX && (!machine->memory || limits.memory < machine->memory)) {
        machine->memory = limits.memory;
        machine->memory_by = "cgroup";
    }
    if (getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY &&
        (!machine->memory || space.rlim_cur < machine->memory)) {
        machine->memory = space.rlim_cur;
        machine->memory_by = "address space";
    }
}

/* ---- what is taken of it ---- */

void machine_plan(const struct machine *machine, unsigned threads, struct machine_use *use)
{
    assert(machine && machine->cpus > 0 && use);
    const unsigned busy = threads && threads < machine->cpus ? threads : machine->cpus;
    const unsigned by_cores = busy >= 4 ? busy / 2 : 1;
    const uint64_t fit = machine->memory / 4 / MACHINE_HASHER_BYTES;
    const bool short_of_memory = machine->memory > 0 && fit < by_cores;

    use->loops = threads ? threads : machine->cpus;
    use->hashers = short_of_memory ? (unsigned)fit : by_cores;
    use->hashers = use->hashers > 0 ? use->hashers : 1;
    const bool one = machine->cpus == 1;
    (void)snprintf(use->loops_why, sizeof use->loops_why, "%s%u core%s%s may be used (%s)",
                   threads ? "as THREADS says; "
                   : one   ? "one for the "
                           : "one for each of the ",
                   machine->cpus, one ? "" : "s", threads ? "" : " that", machine->cpus_by);
    if (short_of_memory) {
        (void)snprintf(use->hashers_why, sizeof use->hashers_why,
                       "19 MiB each, a quarter of the %llu MiB of memory (%s) or one",
                       (unsigned long long)(machine->memory / MIB), machine->memory_by);
    } else {
        (void)snprintf(use->hashers_why, sizeof use->hashers_why,
                       "19 MiB each, half of %u %s%s or one", busy,
                       busy < machine->cpus ? "event loop" : "core", busy == 1 ? "" : "s");
    }
}

struct machine_use machine_use_of(unsigned threads)
{
    struct machine machine;
    struct machine_use use;

    machine_read("", &machine);
    machine_plan(&machine, threads, &use);
    return use;
}
