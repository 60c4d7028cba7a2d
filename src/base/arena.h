// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_ARENA_H
#define TASKHOLD_BASE_ARENA_H

#include <stddef.h>

#include "base/slice.h"

/* Memory of one request: taken piece by piece, given back all at once. It has a ceiling; running
 * out is NULL, which a handler answers with 503. Freed memory is poisoned under ASan. */
struct arena;

/* An arena that hands out at most `most` bytes between two resets. NULL without memory. */
struct arena *arena_create(size_t most);
void arena_destroy(struct arena **arena);

/* `size` zeroed bytes aligned for any type, or NULL. Valid until the next reset. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((warn_unused_result));

/* A copy of `s` after which a NUL stands (not counted); `ptr` is NULL when memory ran out. */
struct slice arena_copy(struct arena *arena, struct slice s) __attribute__((warn_unused_result));

/* Raises the ceiling to at least `most` until the next reset: for the one request in thousands that
 * has to hold much. */
void arena_allow(struct arena *arena, size_t most);

/* Takes everything back and keeps only the first block. */
void arena_reset(struct arena *arena);

/* Bytes of memory that it has now, used or not. */
size_t arena_held(const struct arena *arena);

#define arena_new(arena, type) ((type *)arena_alloc((arena), sizeof(type)))

#endif
