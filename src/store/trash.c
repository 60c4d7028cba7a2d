// SPDX-License-Identifier: MIT
#include "store/trash_operations.h"

#include <assert.h>

#include "store/item_operations.h"

void store_trash_begin(struct store_trash_list *op)
{
    assert(op && op->limit >= 1 && op->limit <= STORE_LIMIT_MOST);
    op->items = NULL;
    op->count = 0;
    op->more = false;
    op->bytes = 0;
}

bool store_trash_give(struct store_trash_list *op, int64_t revision, int64_t deleted_at,
                      struct slice json, enum error *error)
{
    struct arena *arena = op->op.arena;
    unsigned set = 0;
    assert(op->count <= op->limit && error);
    *error = ERROR_NONE;
    if (op->count == op->limit || op->bytes > STORE_PAGE_BYTES) {
        op->more = true;
        return false;
    }
    if (!op->items)
        op->items = arena_alloc(arena, op->limit * sizeof *op->items);
    struct task *task = op->items ? arena_alloc(arena, sizeof *task) : NULL;
    *error = !task      ? ERROR_OVERLOADED
             : json.ptr ? resource_decode(&task_resource, json, task, &set, arena)
                        : ERROR_INTERNAL_ERROR;
    if (*error != ERROR_NONE)
        return false;
    op->items[op->count++] = (struct store_trashed){task, revision, deleted_at};
    op->bytes += (int64_t)json.len;
    return true;
}
