// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_OWN_H
#define TASKHOLD_STORE_SQLITE_OWN_H

#include <stdbool.h>
#include <stddef.h>

/* No command takes a file of the database for the FILE that it writes or reads: the server would go
 * on in a file without a name, and what it acknowledges would be lost. A file is known by its
 * device and inode, so under every link and mount, and by its folder and name, so also while it is
 * not there. */

/* How long the name of the database is beside which a file called `path` would stand; 0: none
 * stands beside one under such a name. */
size_t own_beside(const char *path);

/* Is `target` the database of `url`, or one that stands beside it? Then one line is in `why`. A
 * `url` of another engine has no files. */
bool own_refuse(const char *url, const char *target, char *why, size_t why_size);

/* The same of an open file; `name` is what `why` calls it. */
bool own_refuse_open(const char *url, int fd, const char *name, char *why, size_t why_size);

#endif
