// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_FILESYSTEM_H
#define TASKHOLD_STORE_SQLITE_FILESYSTEM_H

#include <stdbool.h>

/* What kind of file system a database lies on. */

enum filesystem_kind {
    FILESYSTEM_GOOD,
    FILESYSTEM_MEMORY,  /* forgets all when the machine restarts, or sooner */
    FILESYSTEM_FUSE,    /* as good as the program behind it */
    FILESYSTEM_NETWORK, /* neither locks nor shared memory can be relied on */
};

/* `path`: a file or a folder on it. `*name`: what it is called. What cannot be told is good. */
enum filesystem_kind filesystem_kind_of(const char *path, const char **name);

/* Whether the operator takes the risk of a network file system (ALLOW_NETWORK_FILESYSTEM=1 in the
 * environment): one that a single machine uses, such as 9P of a virtual machine, may do well. */
bool filesystem_risk_taken(void);

#endif
