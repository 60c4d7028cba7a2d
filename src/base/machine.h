// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_MACHINE_H
#define TASKHOLD_BASE_MACHINE_H

#include <stddef.h>
#include <stdint.h>

/* What this process may use of the machine, and how much of it the server takes. A container on a
 * machine of 64 cores may have two of them and 512 MiB, so neither is asked of the machine alone.
 */

struct machine {
    unsigned cpus;         /* at least 1; parts of one are rounded up */
    const char *cpus_by;   /* what sets that, to show: `affinity`, `cgroup` */
    uint64_t memory;       /* bytes; 0: not known */
    const char *memory_by; /* `machine`, `cgroup`, `address space` (ulimit -v) */
};

/* Reads sched_getaffinity, and the limits of the control group and of all above it (version 1 and
 * 2) in `root`/proc/self/cgroup and `root`/sys/fs/cgroup. `root` is "" but in tests. What cannot be
 * read sets no limit. */
void machine_read(const char *root, struct machine *machine);

/* Bytes of memory that a password's hash works in. */
#define MACHINE_HASHER_BYTES (UINT64_C(19456) * 1024)

struct machine_use {
    unsigned loops;      /* threads that serve requests */
    unsigned hashers;    /* threads that hash passwords, each with MACHINE_HASHER_BYTES */
    char loops_why[128]; /* to show an operator */
    char hashers_why[192];
};

/* `threads`: the setting; 0 takes a loop for each core. Half as many hashers as loops may keep busy
 * at most, of at most a quarter of the memory, and at least one. */
void machine_plan(const struct machine *machine, unsigned threads, struct machine_use *use);

/* machine_plan for the machine that this is. */
struct machine_use machine_use_of(unsigned threads);

#endif
