// SPDX-License-Identifier: MIT
#include "base/arena.h"

#include <assert.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(ARENA_POISONS)
#include <sanitizer/asan_interface.h>
#define POISON(ptr, size)   ASAN_POISON_MEMORY_REGION((ptr), (size))
#define UNPOISON(ptr, size) ASAN_UNPOISON_MEMORY_REGION((ptr), (size))
#else
#define POISON(ptr, size)   ((void)(ptr), (void)(size))
#define UNPOISON(ptr, size) ((void)(ptr), (void)(size))
#endif

/* The first block serves most requests; an idle connection may keep it. Later blocks are larger, so
 * that a large request needs few of them. */
#define BLOCK_FIRST 4096
#define BLOCK_NEXT  16384

struct block {
    struct block *next;
    size_t size;
    size_t used;
    _Alignas(max_align_t) char bytes[];
};

struct arena {
    size_t most;
    size_t usual; /* what `most` is again after a reset */
    size_t held;  /* bytes of all blocks but the first */
    size_t taken; /* bytes handed out since the last reset, rounding included */
    struct block *newest;
    struct block *first;
};

static struct block *block_create(size_t size)
{
    struct block *block = malloc(sizeof *block + size);

    if (block) {
        block->next = NULL;
        block->size = size;
        block->used = 0;
        POISON(block->bytes, size);
    }
    return block;
}

static void block_destroy(struct block *block)
{
    UNPOISON(block->bytes, block->size);
    free(block);
}

struct arena *arena_create(size_t most)
{
    assert(most > 0);
    struct arena *arena = malloc(sizeof *arena);

    if (!arena) {
        return NULL;
    }
    *arena = (struct arena){.most = most, .usual = most, .first = block_create(BLOCK_FIRST)};
    if (!arena->first) {
        free(arena);
        return NULL;
    }
    arena->newest = arena->first;
    return arena;
}

void arena_destroy(struct arena **arena)
{
    assert(arena);
    if (*arena) {
        arena_reset(*arena);
        block_destroy((*arena)->first);
        free(*arena);
        *arena = NULL;
    }
}

void *arena_alloc(struct arena *arena, size_t size)
{
    assert(arena);
    const size_t align = _Alignof(max_align_t);
    struct block *block = arena->newest;
    char *bytes = NULL;

    /* Checked before rounding, which could wrap around. */
    if (size > arena->most) {
        return NULL;
    }
    const size_t rounded = size == 0 ? align : (size + align - 1) / align * align;
    if (rounded > arena->most - arena->taken) {
        return NULL;
    }
    if (rounded > block->size - block->used) {
        block = block_create(rounded > BLOCK_NEXT ? rounded : BLOCK_NEXT);
        if (!block) {
            return NULL;
        }
        block->next = arena->newest;
        arena->newest = block;
        arena->held += block->size;
    }
    bytes = block->bytes + block->used;
    block->used += rounded;
    arena->taken += rounded;
    UNPOISON(bytes, size);
    return memset(bytes, 0, size);
}

void arena_allow(struct arena *arena, size_t most)
{
    assert(arena);
    arena->most = most > arena->most ? most : arena->most;
}

struct slice arena_copy(struct arena *arena, struct slice s)
{
    assert(s.ptr || s.len == 0);
    char *copy = s.len < SIZE_MAX ? arena_alloc(arena, s.len + 1) : NULL;

    if (!copy) {
        return (struct slice){0};
    }
    if (s.len > 0) {
        memcpy(copy, s.ptr, s.len);
    }
    return (struct slice){copy, s.len};
}

size_t arena_held(const struct arena *arena)
{
    assert(arena);
    return sizeof *arena + BLOCK_FIRST + arena->held;
}

void arena_reset(struct arena *arena)
{
    assert(arena);
    while (arena->newest != arena->first) {
        struct block *block = arena->newest;
        arena->newest = block->next;
        block_destroy(block);
    }
    arena->first->used = 0;
    arena->held = 0;
    arena->taken = 0;
    arena->most = arena->usual;
    POISON(arena->first->bytes, arena->first->size);
}
