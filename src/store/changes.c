// SPDX-License-Identifier: MIT
#include "store/change_operations.h"

#include <assert.h>

#include "store/decision.h"

/* Is what comes after the place no longer, or not yet, what it was made for? */
static bool is_gone(const struct store_changes_place *place, int64_t revision, int64_t forgotten)
{
    const bool known = place->from == STORE_CHANGES_WALKING || place->from == STORE_CHANGES_AFTER;
    return known && (place->revision < forgotten || place->revision > revision);
}

static void walk_from(struct store_changes_place *place, unsigned resource)
{
    place->from = STORE_CHANGES_WALKING;
    place->resource = resources[resource];
    place->created_at = INT64_MIN;
    place->id = (struct uuid){{0}};
}

bool store_changes_begin(struct store_changes *op, int64_t revision, int64_t forgotten)
{
    assert(op && op->each && op->limit >= 1 && op->limit <= STORE_CHANGES_MOST);
    assert(op->after.from != STORE_CHANGES_WALKING || op->after.resource);
    assert(revision >= 0 && forgotten >= 0 && forgotten <= revision);
    op->revision = revision;
    op->gone = is_gone(&op->after, revision, forgotten);
    op->next = op->after;
    op->more = false;
    op->count = 0;
    op->bytes = 0;
    op->full = false;
    if (op->gone)
        return false;
    const bool wanted = !op->begin || op->begin(op);
    if (op->after.from == STORE_CHANGES_FROM_NOW)
        op->next = (struct store_changes_place){.from = STORE_CHANGES_AFTER, .revision = revision};
    if (!wanted || op->after.from == STORE_CHANGES_FROM_NOW)
        return false;
    if (op->after.from == STORE_CHANGES_FROM_START) {
        op->next.revision = revision;
        walk_from(&op->next, 0);
    }
    return true;
}

bool store_changes_look_again(struct store_changes *op, int64_t revision, int64_t forgotten)
{
    assert(op && !op->gone && op->next.from == STORE_CHANGES_WALKING);
    op->revision = revision;
    op->gone = is_gone(&op->next, revision, forgotten);
    return !op->gone;
}

void store_changes_give(struct store_changes *op, const struct store_change *change)
{
    assert(op && change && change->resource && !op->full && op->count < op->limit);
    assert(change->revision > op->next.revision || op->next.from == STORE_CHANGES_WALKING);
    if (!op->each(op, change)) {
        assert(op->count > 0);
        op->full = op->more = true;
        return;
    }
    if (op->next.from == STORE_CHANGES_WALKING) {
        const struct item *item = change->item;
        assert(item && change->resource == op->next.resource);
        op->next.created_at = item->created_at;
        op->next.id = item->id;
        op->more = true; /* until the walk has ended */
    } else {
        op->next.revision = change->revision;
    }
    if (change->item)
        op->bytes += usage_item_bytes(change->resource, change->item);
    op->full = ++op->count == op->limit || op->bytes > STORE_PAGE_BYTES;
}

void store_changes_walked(struct store_changes *op)
{
    assert(op && op->next.from == STORE_CHANGES_WALKING && !op->full);
    const unsigned place = resource_index(op->next.resource) + 1;
    if (place < resource_count) {
        walk_from(&op->next, place);
        return;
    }
    op->next =
        (struct store_changes_place){.from = STORE_CHANGES_AFTER, .revision = op->next.revision};
    op->more = op->next.revision < op->revision;
}

int64_t store_changes_last(const struct store_changes *op)
{
    /* Most rows of a journal are the last of their item. */
    const int64_t rows = 2 * (int64_t)op->limit + 64;
    const int64_t from = op->after.revision;
    assert(op->after.from == STORE_CHANGES_AFTER && from >= 0);
    const int64_t most = rows < STORE_CHANGES_SCAN_MOST ? rows : STORE_CHANGES_SCAN_MOST;
    return from <= INT64_MAX - most ? from + most : INT64_MAX;
}

void store_changes_scanned(struct store_changes *op)
{
    assert(op && op->next.from == STORE_CHANGES_AFTER && op->next.revision <= op->revision);
    const int64_t last = store_changes_last(op);
    if (!op->full)
        op->next.revision = last < op->revision ? last : op->revision;
    op->more = op->next.revision < op->revision;
}
