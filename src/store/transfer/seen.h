// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_TRANSFER_SEEN_H
#define TASKHOLD_STORE_TRANSFER_SEEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* The revisions that an import has given out so far, of every account. Kept in a file without a
 * name where they are many: memory stays bounded. */
struct seen;

/* NULL: it cannot be made. */
struct seen *seen_create(void);
void seen_destroy(struct seen **seen);

enum seen_verdict { SEEN_NEW, SEEN_BEFORE, SEEN_FAILED };

/* `user` is 16 bytes. SEEN_FAILED: no memory, or no room in the folder for temporary files. */
enum seen_verdict seen_add(struct seen *seen, struct slice user, int64_t revision);

#endif
