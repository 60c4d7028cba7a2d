// SPDX-License-Identifier: MIT
#include "store/item_moves.h"

#include <assert.h>

#include "model/position.h"
#include "model/task_list.h"

static const struct uuid nobody;

/* ---- whose siblings ---- */

struct siblings {
    enum item_place place;
    struct uuid id;
};

static struct siblings siblings_of(const struct resource *resource, const void *item)
{
    const struct task *task = item;
    if (resource == &list_resource)
        return (struct siblings){.place = ITEM_LISTS};
    assert(resource == &task_resource);
    if (!uuid_eq(task->parent_id, nobody))
        return (struct siblings){ITEM_PARENT, task->parent_id};
    if (!uuid_eq(task->list_id, nobody))
        return (struct siblings){ITEM_LIST, task->list_id};
    return (struct siblings){.place = ITEM_INBOX};
}

static bool are_same(const struct siblings *a, const struct siblings *b)
{
    return a->place == b->place && uuid_eq(a->id, b->id);
}

static struct slice *position_of(const struct resource *resource, const void *item)
{
    for (size_t i = 0; i < resource->count; i++) {
        if (resource->fields[i].flags & FIELD_POSITION)
            return (struct slice *)((char *)(uintptr_t)item + resource->fields[i].at);
    }
    assert(false && "only what has a position is moved");
    return NULL;
}

/* ---- asking ---- */

struct mover {
    struct item_walk *walk;
    const struct item *old;
    struct item *item;
    struct siblings siblings;
    bool stays; /* among the same siblings */
};

static const struct item_answer *ask_sibling(const struct mover *mover, enum item_question question,
                                             struct slice position)
{
    const struct item_ask ask = {.question = question,
                                 .resource = mover->walk->op->resource,
                                 .place = mover->siblings.place,
                                 .id = mover->siblings.id,
                                 .other = mover->item->id,
                                 .text = position};
    return item_walk_ask(mover->walk, &ask);
}

static int compare(struct slice a, struct slice b)
{
    const size_t least = a.len < b.len ? a.len : b.len;
    const int order = memcmp(a.ptr, b.ptr, least);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* ---- new keys for all ---- */

static bool set_nth(struct slice *position, int64_t number, struct arena *arena)
{
    char room[POSITION_MOST];
    *position = arena_copy(arena, position_nth(number, room));
    return position->ptr != NULL;
}

static bool make_numbered(const struct store_item_write *op, const struct item_follower *follower,
                          int64_t revision, void *after, struct arena *arena)
{
    (void)op;
    (void)revision;
    assert(follower->number > 0);
    return set_nth(position_of(follower->resource, after), follower->number, arena);
}

/* NULL: the walk ends. */
static const struct item_answer *ask_siblings(const struct mover *mover)
{
    struct item_walk *walk = mover->walk;
    const struct item_ask ask = {.question = ITEM_ASK_SIBLINGS,
                                 .resource = walk->op->resource,
                                 .place = mover->siblings.place,
                                 .id = mover->siblings.id};
    const struct item_answer *all = item_walk_ask(walk, &ask);
    if (all && all->count > SIBLINGS_MOST) {
        item_walk_refuse(walk, ERROR_OVERLOADED);
        return NULL;
    }
    return all;
}

/* A sibling that gets that number. */
static struct item_follower numbered(const struct resource *resource, const struct item_row *row,
                                     int64_t number)
{
    return (struct item_follower){.resource = resource,
                                  .step = ITEM_UPDATE,
                                  .id = row->id,
                                  .created_at = row->created_at,
                                  .revision = row->revision,
                                  .number = number,
                                  .make = make_numbered};
}

/* Numbers all siblings from 1 on, with the item directly after `before` (NULL: as the first). */
static bool renumber(struct mover *mover, const struct uuid *before)
{
    struct item_walk *walk = mover->walk;
    const struct resource *resource = walk->op->resource;
    const struct item_answer *all = ask_siblings(mover);
    int64_t number = before ? 1 : 2;
    int64_t own = 1;
    if (!all)
        return false;
    for (const struct item_row *row = all->rows; row; row = row->next) {
        if (uuid_eq(row->id, mover->item->id))
            continue;
        const struct item_follower follower = numbered(resource, row, number++);
        char room[POSITION_MOST];
        const bool has_it = slice_eq(row->position, position_nth(follower.number, room));
        if (!has_it && !item_walk_add(walk, &follower))
            return false;
        if (before && uuid_eq(row->id, *before))
            own = number++;
    }
    walk->put_last = false;
    if (set_nth(position_of(resource, mover->item), own, walk->op->op.arena))
        return true;
    walk->state = ITEM_WALK_NO_MEMORY;
    return false;
}

/* Numbers all siblings as they are, and leaves the number after the item to the key. */
static bool number_all(struct mover *mover, struct slice *key)
{
    struct item_walk *walk = mover->walk;
    struct arena *arena = walk->op->op.arena;
    const struct resource *resource = walk->op->resource;
    const struct item_answer *all = ask_siblings(mover);
    int64_t number = 1;
    bool room = true;
    if (!all)
        return false;
    for (const struct item_row *row = all->rows; row && room; row = row->next) {
        const struct item_follower follower = numbered(resource, row, number++);
        if (!uuid_eq(row->id, mover->item->id)) {
            if (!item_walk_add(walk, &follower))
                return false;
            continue;
        }
        room = set_nth(position_of(resource, mover->item), follower.number, arena) &&
               set_nth(key, number++, arena);
    }
    walk->state = room ? walk->state : ITEM_WALK_NO_MEMORY;
    return room;
}

/* ---- one place ---- */

/* Between two neighbours, either of which may be NULL. */
static bool put_between(struct mover *mover, const struct item_row *before,
                        const struct item_row *after)
{
    struct item_walk *walk = mover->walk;
    struct slice *position = position_of(walk->op->resource, mover->item);
    const struct slice none = {0};
    char room[POSITION_MOST];
    if (mover->stays && (!before || compare(before->position, *position) < 0) &&
        (!after || compare(*position, after->position) < 0)) {
        walk->put_last = false; /* it is there already */
        return true;
    }
    walk->put_last = !after;
    if (!after)
        return true;
    const struct slice key =
        position_between(before ? before->position : none, after->position, room);
    if (!key.ptr)
        return renumber(mover, before ? &before->id : NULL);
    *position = arena_copy(walk->op->op.arena, key);
    if (position->ptr)
        return true;
    walk->state = ITEM_WALK_NO_MEMORY;
    return false;
}

/* The sibling that the place names, as a row. False: the walk ends. */
static bool find_neighbour(const struct mover *mover, struct item_row *neighbour)
{
    struct item_walk *walk = mover->walk;
    const struct resource *resource = walk->op->resource;
    const struct item_ask ask = {
        .question = ITEM_ASK_ITEM, .resource = resource, .id = walk->op->place.neighbour};
    const struct item_answer *answer = item_walk_ask(walk, &ask);
    if (!answer)
        return false;
    const struct siblings its =
        answer->item ? siblings_of(resource, answer->item) : (struct siblings){0};
    if (!answer->item || !are_same(&its, &mover->siblings) ||
        uuid_eq(walk->op->place.neighbour, mover->item->id)) {
        item_walk_refuse(walk, ERROR_NOT_SIBLING);
        return false;
    }
    *neighbour = (struct item_row){.id = walk->op->place.neighbour,
                                   .position = *position_of(resource, answer->item)};
    return true;
}

static bool place_at_end(struct mover *mover)
{
    struct item_walk *walk = mover->walk;
    if (!mover->stays)
        return true; /* that is where it is put */
    const struct item_answer *next =
        ask_sibling(mover, ITEM_ASK_NEXT, *position_of(walk->op->resource, mover->item));
    walk->put_last = next && next->rows;
    return next != NULL;
}

static bool place_beside(struct mover *mover, bool after)
{
    struct item_row neighbour;
    if (!find_neighbour(mover, &neighbour))
        return false;
    const struct item_answer *other =
        ask_sibling(mover, after ? ITEM_ASK_NEXT : ITEM_ASK_PREVIOUS, neighbour.position);
    if (!other)
        return false;
    return after ? put_between(mover, &neighbour, other->rows)
                 : put_between(mover, other->rows, &neighbour);
}

static bool place_first(struct mover *mover)
{
    const struct item_answer *first = ask_sibling(mover, ITEM_ASK_NEXT, SLICE(""));
    return first && put_between(mover, NULL, first->rows);
}

bool item_moves_place(struct item_walk *walk, const void *old, void *item)
{
    assert(walk && old && item && walk->op->verb == STORE_MOVE);
    const struct siblings before = siblings_of(walk->op->resource, old);
    struct mover mover = {
        .walk = walk, .old = old, .item = item, .siblings = siblings_of(walk->op->resource, item)};
    mover.stays = are_same(&before, &mover.siblings);
    switch (walk->op->place.kind) {
    case STORE_PLACE_LAST: return place_at_end(&mover);
    case STORE_PLACE_FIRST: return place_first(&mover);
    case STORE_PLACE_AFTER: return place_beside(&mover, true);
    case STORE_PLACE_BEFORE: return place_beside(&mover, false);
    }
    return true;
}

bool item_moves_key_after(struct item_walk *walk, void *item, struct slice *key)
{
    assert(walk && item && key);
    const struct resource *resource = walk->op->resource;
    struct mover mover = {.walk = walk, .item = item, .siblings = siblings_of(resource, item)};
    const struct slice position = *position_of(resource, item);
    const struct item_answer *next = ask_sibling(&mover, ITEM_ASK_NEXT, position);
    char room[POSITION_MOST];
    *key = (struct slice){0};
    if (!next || !next->rows)
        return next != NULL;
    const struct slice between = position_between(position, next->rows->position, room);
    if (!between.ptr)
        return number_all(&mover, key);
    *key = arena_copy(walk->op->op.arena, between);
    if (key->ptr)
        return true;
    walk->state = ITEM_WALK_NO_MEMORY;
    return false;
}

/* Below every character of a position, so that nothing stands between a key and that with it. */
#define KEY_END '!'

bool item_moves_keep(struct item_walk *walk, void *item)
{
    assert(walk && item);
    const struct resource *resource = walk->op->resource;
    struct mover mover = {.walk = walk, .item = item, .siblings = siblings_of(resource, item)};
    struct slice *position = position_of(resource, item);
    char key[POSITION_MOST + 1];
    char room[POSITION_MOST];
    assert(position->len <= POSITION_MOST);
    memcpy(key, position->ptr, position->len);
    key[position->len] = KEY_END;
    const struct slice end = arena_copy(walk->op->op.arena, (struct slice){key, position->len + 1});
    if (!end.ptr) {
        walk->state = ITEM_WALK_NO_MEMORY;
        return false;
    }
    const struct item_answer *before = ask_sibling(&mover, ITEM_ASK_PREVIOUS, end);
    if (!before || !before->rows || !slice_eq(before->rows->position, *position))
        return before != NULL;
    const struct item_answer *next = ask_sibling(&mover, ITEM_ASK_NEXT, *position);
    if (!next)
        return false;
    const struct slice between =
        next->rows ? position_between(*position, next->rows->position, room) : (struct slice){0};
    walk->put_last = !between.ptr;
    if (between.ptr)
        *position = arena_copy(walk->op->op.arena, between);
    walk->state = position->ptr ? walk->state : ITEM_WALK_NO_MEMORY;
    return position->ptr != NULL;
}
