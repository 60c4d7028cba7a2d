// SPDX-License-Identifier: MIT
#include "store/series_writes.h"

#include <assert.h>
#include <stdlib.h>

#include "model/series.h"
#include "model/zone.h"
#include "store/item_moves.h"
#include "store/task_writes.h"

static const struct uuid nobody;

/* What the followers of a completion are made of; in the operation's arena. */
struct completion {
    struct series_roll roll;
    struct zones *zones;
    struct slice users_zone;
    struct slice position; /* of the next one; ptr NULL: the last place */
};

static bool has_memory(struct item_walk *walk, const void *made)
{
    if (!made)
        walk->state = ITEM_WALK_NO_MEMORY;
    return made != NULL;
}

/* The name of the zone of the user; ptr NULL: UTC. False: the walk ends. */
static bool find_users_zone(struct item_walk *walk, struct slice *name)
{
    const struct item_ask ask = {.question = ITEM_ASK_ZONE, .resource = &task_resource};
    const struct item_answer *answer = item_walk_ask(walk, &ask);
    *name = answer && answer->rows ? answer->rows->position : (struct slice){0};
    return answer != NULL;
}

/* ---- what is written of each row ---- */

static const struct task *completed_task(const struct store_item_write *op)
{
    assert(op->item && op->resource == &task_resource);
    return op->item;
}

static bool make_next(const struct store_item_write *op, const struct item_follower *follower,
                      int64_t revision, void *after, struct arena *arena)
{
    const struct completion *completion = follower->context;
    struct task *task = after;
    *task = *completed_task(op);
    struct zone *zone = zone_of(completion->zones, task->time_zone, completion->users_zone);
    const bool made = series_make_next(&completion->roll, zone, arena, task);
    zone_release(&zone);
    if (completion->position.ptr) {
        task->position = completion->position;
        return made;
    }
    return made && resource_put_last(&task_resource, task, revision, arena);
}

static bool make_copy(const struct store_item_write *op, const struct item_follower *follower,
                      int64_t revision, void *after, struct arena *arena)
{
    const struct completion *completion = follower->context;
    struct task *task = after;
    (void)revision;
    task->list_id = completed_task(op)->list_id;
    struct zone *zone = zone_of(completion->zones, task->time_zone, completion->users_zone);
    const bool made = series_make_copy(&completion->roll, zone, arena, task);
    zone_release(&zone);
    return made;
}

/* It goes along to another list too. */
static bool make_closed(const struct store_item_write *op, const struct item_follower *follower,
                        int64_t revision, void *after, struct arena *arena)
{
    struct task *task = after;
    (void)follower;
    (void)revision;
    (void)arena;
    task->list_id = completed_task(op)->list_id;
    series_close(task, completed_task(op)->completed_at);
    return true;
}

/* ---- which ones there are ---- */

/* Those that may come along, by id. */
struct member {
    struct uuid id;
    const struct item_row *row; /* NULL: the task itself */
    bool comes;
};

static int compare_members(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct uuid));
}

static struct member *find_member(struct member *members, size_t count, struct uuid id)
{
    return bsearch(&id, members, count, sizeof *members, compare_members);
}

static struct member *list_members(struct item_walk *walk, const struct task *task,
                                   const struct item_answer *copied, size_t *count)
{
    struct member *members =
        arena_alloc(walk->op->op.arena, (copied->count + (size_t)1) * sizeof *members);
    *count = 0;
    if (!has_memory(walk, members))
        return NULL;
    members[(*count)++] = (struct member){.id = task->id};
    for (const struct item_row *row = copied->rows; row; row = row->next)
        members[(*count)++] = (struct member){row->id, row, false};
    qsort(members, *count, sizeof *members, compare_members);
    return members;
}

/* The ids that the new ones would have, as a JSON array. */
static struct slice new_ids(const struct item_walk *walk, const struct member *members,
                            size_t count, int64_t due)
{
    const size_t size = FIELD_UUIDS_MOST(count);
    char *text = arena_alloc(walk->op->op.arena, size);
    size_t len = 0;
    if (!text)
        return (struct slice){0};
    for (size_t i = 0; i < count; i++) {
        text[len++] = i == 0 ? '[' : ',';
        text[len++] = '"';
        uuid_format(series_next_id(members[i].id, due), text + len);
        len += UUID_TEXT_LEN;
        text[len++] = '"';
    }
    text[len++] = ']';
    assert(len <= size);
    return (struct slice){text, len};
}

static bool is_there(const struct item_answer *there, struct uuid id)
{
    for (const struct item_row *row = there->rows; row; row = row->next) {
        if (uuid_eq(row->id, id))
            return true;
    }
    return false;
}

/* Says of each member whether it comes: not where its id is taken, nor below one that does not. */
static void choose(struct member *members, size_t count, const struct task *task,
                   const struct item_answer *copied, const struct item_answer *there, int64_t due)
{
    find_member(members, count, task->id)->comes = !is_there(there, series_next_id(task->id, due));
    for (const struct item_row *row = copied->rows; row; row = row->next) {
        const struct member *parent = find_member(members, count, row->parent_id);
        find_member(members, count, row->id)->comes =
            parent && parent->comes && !is_there(there, series_next_id(row->id, due));
    }
}

/* ---- the followers ---- */

static bool add(struct item_walk *walk, const struct item_row *row, enum item_step step,
                const struct completion *completion,
                bool (*make)(const struct store_item_write *, const struct item_follower *, int64_t,
                             void *, struct arena *))
{
    const struct item_follower follower = {.resource = &task_resource,
                                           .step = step,
                                           .id = row->id,
                                           .created_at = row->created_at,
                                           .revision = row->revision,
                                           .context = completion,
                                           .make = make};
    return item_walk_add(walk, &follower);
}

/* The next one and all that comes along, each after its parent. */
static bool add_new_ones(struct item_walk *walk, const struct task *old,
                         struct completion *completion, struct member *members, size_t count,
                         const struct item_answer *copied)
{
    struct uuid *ids = arena_alloc(walk->op->op.arena, count * sizeof *ids);
    const struct item_row own = {
        .id = old->id, .created_at = old->created_at, .revision = old->revision};
    if (!has_memory(walk, ids))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (members[i].comes)
            ids[completion->roll.count++] = members[i].id;
    }
    completion->roll.ids = ids;
    bool on = add(walk, &own, ITEM_INSERT, completion, make_next);
    for (const struct item_row *row = copied->rows; row && on; row = row->next) {
        on = !find_member(members, count, row->id)->comes ||
             add(walk, row, ITEM_INSERT, completion, make_copy);
    }
    return on;
}

/* Makes the next one come, and sets `next_id`. What takes the most memory is asked for last, since
 * each answer begins the walk anew. False: the walk ends. */
static bool roll_over(struct item_walk *walk, const struct task *old, struct task *task,
                      struct completion *completion)
{
    const int64_t due = completion->roll.step.due;
    struct item_ask ask = {.question = ITEM_ASK_COPIES, .resource = &task_resource, .id = task->id};
    size_t count;
    const struct item_answer *copied = item_walk_ask(walk, &ask);
    if (!copied || (!walk->put_last && !item_moves_key_after(walk, task, &completion->position)))
        return false;
    struct member *members = list_members(walk, task, copied, &count);
    if (!members)
        return false;
    ask = (struct item_ask){.question = ITEM_ASK_WHICH,
                            .resource = &task_resource,
                            .text = new_ids(walk, members, count, due)};
    if (!has_memory(walk, ask.text.ptr))
        return false;
    const struct item_answer *there = item_walk_ask(walk, &ask);
    if (!there)
        return false;
    choose(members, count, task, copied, there, due);
    task->next_id = series_next_id(task->id, due);
    if (!find_member(members, count, task->id)->comes)
        return true;
    return add_new_ones(walk, old, completion, members, count, copied);
}

void series_writes_complete(struct item_walk *walk, const struct task *old, struct task *task,
                            int64_t now)
{
    struct completion *completion = NULL;
    assert(walk && task && walk->state == ITEM_WALK_ON);
    if (!series_is_completed(old, task))
        return;
    /* What was to go along to another list is one of those that are completed. */
    walk->decision.followers = NULL;
    walk->decision.follower_count = 0;
    walk->last_follower = NULL;
    walk->decision.unbounded = true;
    completion = arena_new(walk->op->op.arena, struct completion);
    if (!has_memory(walk, completion) || !find_users_zone(walk, &completion->users_zone))
        return;
    completion->zones = walk->before->zones;
    struct zone *zone = zone_of(completion->zones, task->time_zone, completion->users_zone);
    const bool goes_on =
        uuid_eq(task->next_id, nobody) &&
        series_find_next(task, zone, SERIES_COMPLETED, now, &completion->roll.step);
    zone_release(&zone);
    const struct item_ask ask = task_writes_subtree(&task->id);
    const struct item_answer *below = item_walk_ask(walk, &ask);
    bool on = below && (!goes_on || roll_over(walk, old, task, completion));
    for (const struct item_row *row = on ? below->rows : NULL; row && on; row = row->next)
        on = add(walk, row, ITEM_UPDATE, completion, make_closed);
}

/* ---- skipping ---- */

void series_writes_skip(struct item_walk *walk, struct task *task, int64_t now)
{
    struct slice users_zone;
    struct series_step step;
    assert(walk && task && walk->state == ITEM_WALK_ON);
    if (!task->recurrence.ptr || task->status == TASK_COMPLETED) {
        item_walk_refuse(walk, task->recurrence.ptr ? ERROR_COMPLETED : ERROR_NOT_RECURRING);
        return;
    }
    if (!find_users_zone(walk, &users_zone))
        return;
    const struct task old = *task;
    struct zone *zone = zone_of(walk->before->zones, task->time_zone, users_zone);
    if (!series_find_next(&old, zone, SERIES_SKIPPED, now, &step))
        item_walk_refuse(walk, ERROR_SERIES_ENDED);
    else if (!series_skip(&old, zone, &step, walk->op->op.arena, task))
        walk->state = ITEM_WALK_NO_MEMORY;
    zone_release(&zone);
}
