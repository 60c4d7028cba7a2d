// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_TESTS_FAULT_VFS_H
#define TASKHOLD_TESTS_FAULT_VFS_H

#include <stdbool.h>

/* A file layer and an allocator under SQLite that fail on demand, in this process. */

enum fault_call {
    FAULT_READ,
    FAULT_WRITE,
    FAULT_SYNC,
    FAULT_MALLOC, /* whatever the code, it gives NULL */
    FAULT_CALLS,
};

/* Puts them under SQLite. Once a process, before any other use of SQLite. */
void fault_install(void);

/* From the `nth` call of that kind on (1: the next), `times` calls fail with `rc`. */
void fault_arm(enum fault_call call, unsigned nth, unsigned times, int rc);

/* Nothing fails any more. */
void fault_disarm(void);

/* What SQLITE_FCNTL_LAST_ERRNO says of the faults from here on; EIO at first. */
void fault_set_errno(int value);

/* Did the armed fault strike? */
bool fault_struck(void);

/* How many calls of that kind there were since the last fault_arm or fault_disarm. */
unsigned fault_count(enum fault_call call);

#endif
