// SPDX-License-Identifier: MIT
#include <assert.h>

#include "model/field_errors.h"
#include "store/item_walk.h"

/* What is written of the rows that change with an item. */

static unsigned mask_without(const struct resource *resource, unsigned flags)
{
    unsigned mask = 0;
    for (size_t i = 0; i < resource->count; i++)
        mask |= (resource->fields[i].flags & flags) == 0 ? 1U << i : 0;
    return mask;
}

static bool follow_removal(const struct item_follower *follower, const void *before,
                           struct arena *arena, struct item_followed *followed)
{
    const struct resource *resource = follower->resource;
    followed->change.verb = STORE_DELETE;
    followed->change.previous = ((const struct item *)before)->revision;
    followed->change.before = item_encode(resource, before, RESOURCE_ALL, arena);
    usage_count(&followed->usage, resource, before, -1);
    followed->usage.bytes += SPACE_CHANGE_BYTES + (int64_t)followed->change.before.len;
    return followed->change.before.ptr != NULL;
}

static bool follow_update(const struct store_item_write *op, const struct item_follower *follower,
                          const void *before, struct item *after, struct arena *arena,
                          struct item_followed *followed)
{
    const struct resource *resource = follower->resource;
    const unsigned differ = resource_differ(resource, before, after);
    followed->same = differ == 0;
    if (followed->same)
        return true;
    after->updated_at = op->now > after->updated_at ? op->now : after->updated_at;
    after->revision = followed->revision;
    followed->item = after;
    followed->change.verb = STORE_UPDATE;
    followed->change.previous = ((const struct item *)before)->revision;
    followed->change.before =
        item_encode(resource, before, differ & mask_without(resource, FIELD_STAMP), arena);
    usage_count(&followed->usage, resource, before, -1);
    usage_count(&followed->usage, resource, after, 1);
    followed->usage.bytes += SPACE_CHANGE_BYTES + (int64_t)followed->change.before.len;
    return followed->change.before.ptr != NULL;
}

static bool follow_copy(const struct store_item_write *op, const struct item_follower *follower,
                        struct item *after, struct item_followed *followed)
{
    after->created_at = after->updated_at = op->now;
    after->revision = followed->revision;
    followed->id = after->id;
    followed->item = after;
    followed->change.verb = STORE_CREATE;
    usage_count(&followed->usage, follower->resource, after, 1);
    followed->usage.bytes += SPACE_CHANGE_BYTES;
    return true;
}

static bool follow_restore(const struct store_item_write *op, const struct item_follower *follower,
                           struct item *after, struct item_followed *followed)
{
    after->updated_at = op->now > after->updated_at ? op->now : after->updated_at;
    after->revision = followed->revision;
    followed->item = after;
    followed->change.verb = STORE_RESTORE;
    followed->change.previous = follower->revision;
    usage_count(&followed->usage, follower->resource, after, 1);
    followed->usage.bytes += SPACE_CHANGE_BYTES;
    return true;
}

/* Of something in the trash, which no revision is taken for. */
static bool follow_rewrite(const struct item_follower *follower, const void *before,
                           const struct item *after, struct arena *arena,
                           struct item_followed *followed)
{
    followed->same = true;
    if (resource_differ(follower->resource, before, after) == 0)
        return true;
    followed->rewritten = item_encode(follower->resource, after, RESOURCE_ALL, arena);
    followed->usage.bytes = (int64_t)followed->rewritten.len - follower->number;
    return followed->rewritten.ptr != NULL;
}

bool item_follow(const struct store_item_write *op, const struct item_decision *decision,
                 const struct item_follower *follower, unsigned at, const void *before,
                 struct arena *arena, struct item_followed *followed)
{
    assert(before && arena && at < decision->follower_count);
    assert(!follower->make == (follower->step == ITEM_REMOVE));
    *followed =
        (struct item_followed){.id = follower->id, .revision = decision->follower_revision + at};
    followed->change.undoes = follower->undoes;
    if (decision->step != ITEM_FOLLOWERS && !decision->followers_first)
        followed->change.follows = op->revision;
    if (follower->step == ITEM_REMOVE)
        return follow_removal(follower, before, arena, followed);
    struct item *after = arena_alloc(arena, follower->resource->size);
    if (!after)
        return false;
    memcpy(after, before, follower->resource->size);
    if (!follower->make(op, follower, followed->revision, after, arena))
        return false;
    if (follower->step == ITEM_REWRITE)
        return follow_rewrite(follower, before, after, arena, followed);
    if (follower->step == ITEM_RESTORE)
        return follow_restore(op, follower, after, followed);
    return follower->step == ITEM_INSERT
               ? follow_copy(op, follower, after, followed)
               : follow_update(op, follower, before, after, arena, followed);
}

/* ---- gathering them ---- */

static struct item_follower *copy_follower(struct item_walk *walk,
                                           const struct item_follower *follower)
{
    struct item_follower *copy = arena_new(walk->op->op.arena, struct item_follower);
    assert(walk->state == ITEM_WALK_ON);
    if (!copy) {
        walk->state = ITEM_WALK_NO_MEMORY;
        return NULL;
    }
    *copy = *follower;
    walk->decision.follower_count++;
    return copy;
}

bool item_walk_add(struct item_walk *walk, const struct item_follower *follower)
{
    struct item_follower *copy = copy_follower(walk, follower);
    if (!copy)
        return false;
    copy->next = NULL;
    if (walk->last_follower)
        walk->last_follower->next = copy;
    else
        walk->decision.followers = copy;
    walk->last_follower = copy;
    return true;
}

void item_walk_refuse(struct item_walk *walk, enum error error)
{
    assert(walk->state == ITEM_WALK_ON && error != ERROR_NONE);
    walk->op->op.result = error;
    walk->state = ITEM_WALK_REFUSED;
}

bool item_walk_complain(struct item_walk *walk, struct slice member, const char *code,
                        const char *detail)
{
    if (!field_complain(&walk->complaints, member, code, "%s", detail))
        walk->state = ITEM_WALK_NO_MEMORY;
    return walk->state == ITEM_WALK_ON;
}
