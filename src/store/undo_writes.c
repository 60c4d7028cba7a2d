// SPDX-License-Identifier: MIT
#include "store/undo_writes.h"

#include <assert.h>

#include "store/task_writes.h"
#include "store/trash_writes.h"

static bool cannot_undo(struct item_walk *walk)
{
    item_walk_refuse(walk, ERROR_CANNOT_UNDO);
    return false;
}

static bool no_memory(struct item_walk *walk)
{
    walk->state = ITEM_WALK_NO_MEMORY;
    return false;
}

static unsigned stamps(void)
{
    unsigned mask = 0;
    for (size_t i = 0; i < task_resource.count; i++)
        mask |= (task_resource.fields[i].flags & FIELD_STAMP) != 0 ? 1U << i : 0;
    return mask;
}

/* What the journal has of a change: `created_at` is what the thing has now as its last change,
 * `number` the verb, `position` what was replaced. */
static enum store_verb verb_of(const struct item_row *change)
{
    return (enum store_verb)change->number;
}

/* Did the change put the thing there? */
static bool is_made(const struct item_row *change)
{
    return verb_of(change) == STORE_CREATE || verb_of(change) == STORE_RESTORE;
}

static bool is_untouched(const struct item_row *change)
{
    return change->created_at == change->revision;
}

static const struct item_answer *ask_change(struct item_walk *walk, enum item_question question)
{
    const struct item_ask ask = {.question = question,
                                 .resource = &task_resource,
                                 .id = walk->op->id,
                                 .number = walk->op->undo};
    return item_walk_ask(walk, &ask);
}

/* Puts the members of `json` into the task. ERROR_NONE, or why not. */
static enum error put_back(struct task *task, struct slice json, unsigned *set, struct arena *arena)
{
    struct task *values = arena_alloc(arena, task_resource.size);
    if (!values)
        return ERROR_OVERLOADED;
    const enum error error = resource_decode(&task_resource, json, values, set, arena);
    if (error == ERROR_NONE)
        (void)resource_apply(&task_resource, task, values, *set);
    return error;
}

/* ---- what changed along ---- */

static bool make_as_before(const struct store_item_write *op, const struct item_follower *follower,
                           int64_t revision, void *after, struct arena *arena)
{
    const struct slice *json = follower->context;
    unsigned set = 0;
    (void)op;
    (void)revision;
    return put_back(after, *json, &set, arena) == ERROR_NONE;
}

/* What it was stands in the change already. */
static bool make_restored(const struct store_item_write *op, const struct item_follower *follower,
                          int64_t revision, void *after, struct arena *arena)
{
    (void)op;
    (void)follower;
    (void)revision;
    (void)arena;
    assert(after);
    return true;
}

/* What was made along goes, if nothing of it was changed, and nobody put anything below it. */
static bool judge_made(struct item_walk *walk, const struct item_answer *followed)
{
    const struct item_row *first = NULL;
    unsigned made = 0;
    for (const struct item_row *row = followed->rows; row; row = row->next) {
        if (!is_made(row))
            continue;
        first = first ? first : row;
        made++;
        if (!is_untouched(row))
            return cannot_undo(walk);
    }
    if (!first)
        return true;
    const struct item_ask ask = task_writes_subtree(&first->id);
    const struct item_answer *below = item_walk_ask(walk, &ask);
    return below && (below->count + 1 == made || cannot_undo(walk));
}

static bool take_back(struct item_walk *walk, const struct item_row *change)
{
    struct item_follower follower = {.resource = &task_resource,
                                     .step = ITEM_UPDATE,
                                     .id = change->id,
                                     .created_at = uuid_time_ms(change->id),
                                     .revision = change->revision,
                                     .undoes = change->revision,
                                     .context = &change->position,
                                     .make = make_as_before};
    const bool deleted = verb_of(change) == STORE_DELETE;
    if (is_made(change)) {
        follower.step = ITEM_REMOVE;
        follower.make = NULL;
        return item_walk_add(walk, &follower);
    }
    if (!is_untouched(change) && !deleted)
        return true; /* somebody wanted it otherwise */
    if (!is_untouched(change) || !change->position.ptr)
        return cannot_undo(walk);
    if (deleted) {
        follower.step = ITEM_RESTORE;
        follower.make = make_restored;
        walk->decision.follower_bytes += (int64_t)change->position.len;
    }
    return item_walk_add(walk, &follower);
}

static bool take_followers_back(struct item_walk *walk, const struct task *old,
                                const struct task *task)
{
    const struct item_answer *followed = ask_change(walk, ITEM_ASK_FOLLOWED);
    if (!followed)
        return false;
    if (followed->count > UNDO_FOLLOWED_MOST)
        return cannot_undo(walk);
    if (!judge_made(walk, followed))
        return false;
    for (const struct item_row *row = followed->rows; row; row = row->next) {
        if (!take_back(walk, row))
            return false;
    }
    return uuid_eq(old->list_id, task->list_id) || task_writes_take_along(walk, task);
}

/* ---- the task ---- */

/* What it refers to again must be as a write would have it. */
static bool judge_references(struct item_walk *walk, const struct task *old, struct task *task,
                             unsigned set)
{
    const struct uuid list = task->list_id;
    walk->given = set & resource_settable(&task_resource);
    task_writes_judge(walk, old, task);
    if (walk->state != ITEM_WALK_ON)
        return false;
    walk->put_last = false; /* its place is that of before */
    return (walk->complaints.errors.count == 0 && uuid_eq(task->list_id, list)) ||
           cannot_undo(walk);
}

/* An update, a move or a replacement. */
static bool undo_update(struct item_walk *walk, const struct item_row *change)
{
    struct store_item_write *op = walk->op;
    const struct task *old = walk->before->item;
    struct task *task = arena_alloc(op->op.arena, task_resource.size);
    unsigned set = 0;
    if (!change->position.ptr)
        return cannot_undo(walk);
    if (!task)
        return no_memory(walk);
    memcpy(task, old, task_resource.size);
    const enum error error = put_back(task, change->position, &set, op->op.arena);
    if (error == ERROR_OVERLOADED)
        return no_memory(walk);
    if (error != ERROR_NONE)
        return cannot_undo(walk);
    if (!judge_references(walk, old, task, set) || !take_followers_back(walk, old, task))
        return false;
    task->updated_at = op->now > old->updated_at ? op->now : old->updated_at;
    task->revision = op->revision = walk->before->space.revision + 1;
    op->item = task;
    op->outcome = STORE_UPDATED;
    walk->decision.step = ITEM_UPDATE;
    walk->decision.change.before = item_encode(
        &task_resource, old, resource_differ(&task_resource, old, task) & ~stamps(), op->op.arena);
    return walk->decision.change.before.ptr || no_memory(walk);
}

/* It goes as a deletion has it go. */
static bool undo_create(struct item_walk *walk)
{
    struct store_item_write *op = walk->op;
    const struct task *task = walk->before->item;
    if (!task_writes_remove(walk, task))
        return false;
    op->outcome = STORE_DELETED;
    op->revision = walk->before->space.revision + 1;
    walk->decision.step = ITEM_REMOVE;
    walk->decision.change.verb = STORE_DELETE;
    walk->decision.change.before = item_encode(&task_resource, task, RESOURCE_ALL, op->op.arena);
    return walk->decision.change.before.ptr || no_memory(walk);
}

/* It comes back as from the trash, but as it was or not at all. */
static bool undo_delete(struct item_walk *walk, const struct item_row *change)
{
    struct store_item_write *op = walk->op;
    struct task *was = arena_alloc(op->op.arena, task_resource.size);
    unsigned set = 0;
    if (!was)
        return no_memory(walk);
    if (!change->position.ptr)
        return cannot_undo(walk);
    walk->decision.step = ITEM_INSERT;
    walk->decision.change.verb = STORE_RESTORE;
    if (!trash_writes_restore(walk))
        return false;
    if (walk->decision.step != ITEM_INSERT)
        return true; /* the precondition does not hold */
    const enum error error =
        resource_decode(&task_resource, change->position, was, &set, op->op.arena);
    if (error == ERROR_OVERLOADED)
        return no_memory(walk);
    if (error != ERROR_NONE || (resource_differ(&task_resource, was, op->item) & ~stamps()) != 0)
        return cannot_undo(walk);
    for (const struct item_follower *follower = walk->decision.followers; follower;
         follower = follower->next)
        ((struct item_follower *)(uintptr_t)follower)->undoes = follower->revision;
    return true;
}

/* Is it the last change, and does the precondition hold? If not, the outcome says so. */
static bool is_last(struct item_walk *walk, int64_t last)
{
    struct store_item_write *op = walk->op;
    op->revision = last;
    /* Of what is in the trash it is judged when that comes back. */
    if (walk->before->item)
        op->verdict = store_precondition_judge(&op->precondition, true, last);
    if (op->verdict != STORE_HOLDS) {
        op->outcome = STORE_PRECONDITION_FAILED;
        return false;
    }
    if (last == op->undo)
        return true;
    op->outcome = STORE_CHANGED_SINCE;
    op->item = walk->before->item;
    return false;
}

bool undo_writes_decide(struct item_walk *walk)
{
    struct store_item_write *op = walk->op;
    const struct task *task = walk->before->item;
    assert(op->verb == STORE_UNDO && op->resource == &task_resource && op->undo > 0);
    assert(walk->decision.step == ITEM_NOTHING);
    int64_t last = task ? task->revision : 0;
    if (!task) {
        const struct item_ask ask = {
            .question = ITEM_ASK_TRASHED, .resource = &task_resource, .id = op->id};
        const struct item_answer *trashed = item_walk_ask(walk, &ask);
        if (!trashed)
            return false;
        last = trashed->rows ? trashed->rows->revision : 0;
    }
    if (last == 0) {
        op->outcome = STORE_NOT_FOUND;
        return true;
    }
    if (!is_last(walk, last))
        return true;
    const struct item_answer *changes = ask_change(walk, ITEM_ASK_CHANGE);
    if (!changes)
        return false;
    if (!changes->rows) /* it is not kept any more */
        return cannot_undo(walk);
    walk->decision.change.previous = op->undo;
    walk->decision.change.undoes = op->undo;
    if (!task)
        return undo_delete(walk, changes->rows);
    return is_made(changes->rows) ? undo_create(walk) : undo_update(walk, changes->rows);
}
