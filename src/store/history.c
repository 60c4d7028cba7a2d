// SPDX-License-Identifier: MIT
#include "store/history.h"

#include <assert.h>
#include <string.h>

/* ---- the thing on its way back ---- */

static unsigned stamps_of(const struct resource *resource)
{
    unsigned mask = 0;
    for (size_t i = 0; i < resource->count; i++)
        mask |= (resource->fields[i].flags & FIELD_STAMP) != 0 ? 1U << i : 0;
    return mask;
}

/* Each text has a place of its own, as large as it may be: so the walk takes no more memory however
 * long it is. */
static bool make_state(struct history_walk *walk)
{
    const struct resource *resource = walk->op->resource;
    struct arena *arena = walk->op->op.arena;
    walk->state = arena_alloc(arena, resource->size);
    if (!walk->state)
        return false;
    resource_clear(resource, walk->state);
    for (size_t i = 0; i < resource->count; i++) {
        if (!field_is_text(resource->fields[i].type))
            continue;
        walk->texts[i] = arena_alloc(arena, field_text_most(&resource->fields[i]));
        if (!walk->texts[i])
            return false;
    }
    return true;
}

/* False: a value that the member cannot have. */
static bool set_state(struct history_walk *walk, const void *values, unsigned mask)
{
    const struct resource *resource = walk->op->resource;
    for (size_t i = 0; i < resource->count; i++) {
        const struct field *field = &resource->fields[i];
        if ((mask & 1U << i) == 0)
            continue;
        struct field_value value = field_get(field, values);
        if (walk->texts[i] && !value.null) {
            if (value.bytes.len > field_text_most(field))
                return false;
            memcpy(walk->texts[i], value.bytes.ptr, value.bytes.len);
            value.bytes.ptr = walk->texts[i];
        }
        if (!field_set(field, walk->state, &value))
            return false;
    }
    return true;
}

bool history_begin(struct history_walk *walk, struct store_history *op, const void *item,
                   int64_t revision)
{
    assert(op->resource && op->limit >= 1 && op->limit <= STORE_HISTORY_MOST && revision > 0);
    *walk = (struct history_walk){.op = op, .next = revision};
    op->count = 0;
    op->more = false;
    arena_allow(op->op.arena, HISTORY_PAGE_MEMORY);
    op->items = arena_alloc(op->op.arena, op->limit * sizeof *op->items);
    return op->items && make_state(walk) && (!item || set_state(walk, item, RESOURCE_ALL));
}

unsigned history_part(const struct history_walk *walk)
{
    assert(walk->next > 0);
    return walk->op->before > 0 ? HISTORY_PART_ROWS : walk->op->limit + 1 - walk->op->count;
}

/* ---- one change of the page ---- */

/* A copy of the members of `mask`; NULL without memory. */
static const void *copy_members(const struct history_walk *walk, const void *values, unsigned mask,
                                size_t *bytes)
{
    const struct resource *resource = walk->op->resource;
    struct arena *arena = walk->op->op.arena;
    void *copy = arena_alloc(arena, resource->size);
    if (!copy)
        return NULL;
    memcpy(copy, values, resource->size);
    for (size_t i = 0; i < resource->count; i++) {
        struct slice *text = (struct slice *)((char *)copy + resource->fields[i].at);
        if (!field_is_text(resource->fields[i].type) || (mask & 1U << i) == 0 || !text->ptr)
            continue;
        *text = arena_copy(arena, *text);
        *bytes += text->len;
        if (!text->ptr)
            return NULL;
    }
    return copy;
}

/* What is there of a new thing: sets and maps are never null. */
static unsigned members_of_new(const struct resource *resource, const void *state)
{
    unsigned mask = 0;
    for (size_t i = 0; i < resource->count; i++) {
        const struct field *field = &resource->fields[i];
        if (field_is_json(field->type) || !field_get(field, state).null)
            mask |= 1U << i;
    }
    return mask;
}

static bool add_change(struct history_walk *walk, const struct history_row *row, const void *before,
                       unsigned set)
{
    struct store_history *op = walk->op;
    const struct resource *resource = op->resource;
    struct store_past_change *change = &op->items[op->count];
    assert(op->count < op->limit);
    *change = (struct store_past_change){.revision = row->revision,
                                         .at = row->at,
                                         .verb = row->verb,
                                         .is_undo = row->undoes > 0,
                                         .by = row->by};
    if (row->by.name.ptr) {
        change->by.name = arena_copy(op->op.arena, row->by.name);
        if (!change->by.name.ptr)
            return false;
    }
    if (row->verb == STORE_CREATE)
        change->members = members_of_new(resource, walk->state);
    else if (row->verb != STORE_DELETE)
        change->members = set & resource_differ(resource, before, walk->state);
    change->members &= ~stamps_of(resource);
    if (change->members != 0) {
        change->to = copy_members(walk, walk->state, change->members, &walk->bytes);
        if (row->verb != STORE_CREATE)
            change->from = copy_members(walk, before, change->members, &walk->bytes);
        if (!change->to || (row->verb != STORE_CREATE && !change->from))
            return false;
    }
    op->count++;
    return true;
}

/* What came back may differ from what was deleted, by its parent, say. The row of that says so. */
static bool complete_restore(struct history_walk *walk, const void *deleted)
{
    struct store_history *op = walk->op;
    const struct resource *resource = op->resource;
    struct store_past_change *change = op->count > 0 ? &op->items[op->count - 1] : NULL;
    if (!change || change->verb != STORE_RESTORE || change->members != 0)
        return true;
    change->members = resource_differ(resource, deleted, walk->state) & ~stamps_of(resource);
    change->from = copy_members(walk, deleted, change->members, &walk->bytes);
    change->to = copy_members(walk, walk->state, change->members, &walk->bytes);
    return change->from && change->to;
}

enum error history_take(struct history_walk *walk, const struct history_row *row,
                        struct arena *scratch)
{
    struct store_history *op = walk->op;
    unsigned set = 0;
    assert(walk->next > 0 && row->revision == walk->next);
    const bool asked = op->before == 0 || row->revision < op->before;
    void *before = arena_alloc(scratch, op->resource->size);
    if (!before)
        return ERROR_OVERLOADED;
    if (row->before.ptr) {
        const enum error error = resource_decode(op->resource, row->before, before, &set, scratch);
        if (error != ERROR_NONE)
            return error;
    }
    if (row->verb == STORE_DELETE && row->before.ptr && !complete_restore(walk, before))
        return ERROR_OVERLOADED;
    if (asked && (op->count == op->limit || walk->bytes > STORE_PAGE_BYTES)) {
        op->more = true;
        walk->next = 0;
        return ERROR_NONE;
    }
    if (asked && !add_change(walk, row, before, set))
        return ERROR_OVERLOADED;
    if (!set_state(walk, before, set))
        return ERROR_INTERNAL_ERROR;
    /* Back is where lower revisions are; anything else is damage, and the end. */
    const bool on = ++walk->rows < STORE_HISTORY_ROWS_MOST && row->previous < row->revision;
    walk->next = on ? row->previous : 0;
    return ERROR_NONE;
}
