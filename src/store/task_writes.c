// SPDX-License-Identifier: MIT
#include "store/task_writes.h"

#include <assert.h>
#include <stdio.h>

#include "model/task_rules.h"

static const struct uuid nobody;

static bool is_null(const struct uuid *id)
{
    return uuid_eq(*id, nobody);
}

static bool is_given(const struct item_walk *walk, struct slice name)
{
    return (walk->given & resource_field(&task_resource, name)->bit) != 0;
}

static const struct item_answer *ask_about(struct item_walk *walk, enum item_question question,
                                           const struct uuid *id)
{
    const struct item_ask ask = {.question = question, .resource = &task_resource, .id = *id};
    return item_walk_ask(walk, &ask);
}

struct item_ask task_writes_subtree(const struct uuid *id)
{
    return (struct item_ask){.question = ITEM_ASK_SUBTREE, .resource = &task_resource, .id = *id};
}

static const struct item_row *last_of(const struct item_answer *answer)
{
    const struct item_row *row = answer->rows;
    while (row && row->next)
        row = row->next;
    return row;
}

/* ---- the tree ---- */

static bool is_above(const struct item_answer *ancestors, const struct uuid *id)
{
    for (const struct item_row *row = ancestors->rows; row; row = row->next) {
        if (uuid_eq(row->id, *id))
            return true;
    }
    return false;
}

/* Whether the task goes below the parent whose ancestors these are: their tree stays one, and does
 * not grow too deep or too large. False: the walk ends. */
static bool judge_tree(struct item_walk *walk, const struct task *old, const struct task *task,
                       const struct item_answer *ancestors)
{
    const struct slice name = SLICE("parent_id");
    const struct item_row *root = last_of(ancestors);
    int64_t levels = 1;
    int64_t size = 1;
    bool grows = true;
    if (is_above(ancestors, &task->id))
        return item_walk_complain(walk, name, "cycle", "Must not be a task below this one.");
    if (old) {
        const struct item_ask ask = task_writes_subtree(&task->id);
        const struct item_answer *below = item_walk_ask(walk, &ask);
        if (!below)
            return false;
        size += below->count;
        levels += below->rows ? last_of(below)->number : 0;
    }
    if (old && !is_null(&old->parent_id)) {
        const struct item_answer *above = ask_about(walk, ITEM_ASK_ANCESTORS, &old->parent_id);
        if (!above)
            return false;
        grows = !above->rows || !uuid_eq(last_of(above)->id, root->id);
    }
    const struct item_answer *tree = ask_about(walk, ITEM_ASK_TREE, &root->id);
    if (!tree)
        return false;
    if ((int64_t)ancestors->count + levels > TREE_LEVELS_MOST &&
        !item_walk_complain(walk, name, "too_deep",
                            "Tasks may be 8 levels deep, the root being the first; choose a parent "
                            "further up."))
        return false;
    return (tree->rows && tree->rows->number + (grows ? size : 0) <= TREE_TASKS_MOST) ||
           item_walk_complain(walk, name, "too_many",
                              "A root may have 1,000 tasks below it, itself counted, completed "
                              "ones too; choose another parent, or delete some.");
}

/* ---- list and parent ---- */

static bool judge_list(struct item_walk *walk, const struct task *old, const struct task *task)
{
    const struct resource *lists = resource_named(SLICE("list"));
    const struct item_answer *answer = NULL;
    if (is_null(&task->list_id) || (old && uuid_eq(old->list_id, task->list_id)))
        return true;
    if (lists) {
        const struct item_ask ask = {
            .question = ITEM_ASK_ITEM, .resource = lists, .id = task->list_id};
        answer = item_walk_ask(walk, &ask);
        if (!answer)
            return false;
    }
    return (answer && answer->item) ||
           item_walk_complain(walk, SLICE("list_id"), "unknown_reference",
                              "There is no list with this id; GET /v1/lists shows yours, and null "
                              "is the inbox.");
}

static bool judge_parent(struct item_walk *walk, const struct task *old, struct task *task)
{
    const bool moves = !old || !uuid_eq(old->parent_id, task->parent_id);
    const struct item_answer *ancestors = NULL;
    struct uuid list = old ? old->list_id : nobody;
    if (moves && uuid_eq(task->parent_id, task->id))
        return item_walk_complain(walk, SLICE("parent_id"), "cycle",
                                  "A task cannot be its own parent.");
    if (moves) {
        ancestors = ask_about(walk, ITEM_ASK_ANCESTORS, &task->parent_id);
        if (!ancestors)
            return false;
        if (!ancestors->rows)
            return item_walk_complain(walk, SLICE("parent_id"), "unknown_reference",
                                      "There is no task with this id.");
        list = ancestors->rows->list_id;
    }
    if (is_given(walk, SLICE("list_id")) && !uuid_eq(task->list_id, list) &&
        !item_walk_complain(walk, SLICE("list_id"), "not_the_parents",
                            "A subtask lies in the list of its parent; leave list_id out, or move "
                            "the parent."))
        return false;
    task->list_id = list;
    return !moves || judge_tree(walk, old, task, ancestors);
}

static bool make_in_list(const struct store_item_write *op, const struct item_follower *follower,
                         int64_t revision, void *after, struct arena *arena)
{
    struct task *task = after;
    assert(op->item && op->resource == &task_resource);
    (void)follower;
    (void)revision;
    (void)arena;
    task->list_id = ((const struct task *)op->item)->list_id;
    return true;
}

static bool follows(const struct item_walk *walk, const struct uuid *id)
{
    for (const struct item_follower *follower = walk->decision.followers; follower;
         follower = follower->next) {
        if (uuid_eq(follower->id, *id))
            return true;
    }
    return false;
}

bool task_writes_take_along(struct item_walk *walk, const struct task *task)
{
    const struct item_ask ask = task_writes_subtree(&task->id);
    const struct item_answer *below = item_walk_ask(walk, &ask);
    for (const struct item_row *row = below ? below->rows : NULL; row; row = row->next) {
        const struct item_follower follower = {.resource = &task_resource,
                                               .step = ITEM_UPDATE,
                                               .id = row->id,
                                               .created_at = row->created_at,
                                               .revision = row->revision,
                                               .make = make_in_list};
        if (!follows(walk, &row->id) && !item_walk_add(walk, &follower))
            return false;
    }
    return below != NULL;
}

static bool judge_place(struct item_walk *walk, const struct task *old, struct task *task)
{
    if (walk->op->verb == STORE_MOVE && is_given(walk, SLICE("list_id")) &&
        !is_given(walk, SLICE("parent_id")))
        task->parent_id = nobody;
    if (!(is_null(&task->parent_id) ? judge_list(walk, old, task) : judge_parent(walk, old, task)))
        return false;
    const bool list_differs = old && !uuid_eq(old->list_id, task->list_id);
    walk->put_last = list_differs || (old && !uuid_eq(old->parent_id, task->parent_id));
    /* An undo does that itself. */
    return !list_differs || walk->op->verb == STORE_UNDO || walk->complaints.errors.count > 0 ||
           task_writes_take_along(walk, task);
}

/* ---- what a task waits for ---- */

#define ID_STEP (UUID_TEXT_LEN + 3) /* bytes of an id in a text, with its quotes and comma */

size_t task_writes_count_ids(struct slice ids)
{
    assert(ids.len <= 2 || (ids.len - 1) % ID_STEP == 0);
    return ids.len <= 2 ? 0 : (ids.len - 1) / ID_STEP;
}

struct slice task_writes_id(struct slice ids, size_t place)
{
    assert(place < task_writes_count_ids(ids));
    return (struct slice){ids.ptr + 2 + place * ID_STEP, UUID_TEXT_LEN};
}

static bool has_id(struct slice ids, struct slice id)
{
    for (size_t i = 0; i < task_writes_count_ids(ids); i++) {
        if (slice_eq(task_writes_id(ids, i), id))
            return true;
    }
    return false;
}

/* The ids of `ids` that are not in `known`; ptr NULL without memory. */
static struct slice without(struct slice ids, struct slice known, struct arena *arena)
{
    char text[FIELD_UUIDS_MOST(TASK_BLOCKERS_MOST) + 1];
    size_t len = 0;
    text[len++] = '[';
    for (size_t i = 0; i < task_writes_count_ids(ids); i++) {
        const struct slice id = task_writes_id(ids, i);
        if (has_id(known, id))
            continue;
        assert(len + ID_STEP < sizeof text);
        if (len > 1)
            text[len++] = ',';
        text[len++] = '"';
        memcpy(text + len, id.ptr, id.len);
        len += id.len;
        text[len++] = '"';
    }
    text[len++] = ']';
    return arena_copy(arena, (struct slice){text, len});
}

static bool complain_of_blocker(struct item_walk *walk, size_t place, const char *code,
                                const char *detail)
{
    char index[8];
    const int len = snprintf(index, sizeof index, "%zu", place);
    assert(len > 0 && (size_t)len < sizeof index);
    walk->complaints.part = (struct slice){index, (size_t)len};
    const bool on = item_walk_complain(walk, SLICE("blocked_by"), code, detail);
    walk->complaints.part = (struct slice){0};
    return on;
}

static bool is_one(const struct item_answer *answer, struct slice id)
{
    for (const struct item_row *row = answer->rows; row; row = row->next) {
        char text[UUID_TEXT_LEN];
        uuid_format(row->id, text);
        if (slice_eq(id, (struct slice){text, sizeof text}))
            return true;
    }
    return false;
}

/* Each of the new ones must be there, and none be the task itself. */
static bool judge_each(struct item_walk *walk, const struct task *task, struct slice fresh,
                       const struct item_answer *there)
{
    char own[UUID_TEXT_LEN];
    uuid_format(task->id, own);
    for (size_t i = 0; i < task_writes_count_ids(task->blocked_by); i++) {
        const struct slice id = task_writes_id(task->blocked_by, i);
        bool on = true;
        if (slice_eq(id, (struct slice){own, sizeof own}))
            on = complain_of_blocker(walk, i, "cycle", "A task cannot wait for itself.");
        else if (has_id(fresh, id) && !is_one(there, id))
            on =
                complain_of_blocker(walk, i, "unknown_reference", "There is no task with this id.");
        if (!on)
            return false;
    }
    return true;
}

static bool judge_blockers(struct item_walk *walk, const struct task *old, const struct task *task)
{
    const struct slice name = SLICE("blocked_by");
    const struct slice known = old ? old->blocked_by : SLICE("[]");
    if (task->blocked_by.len <= 2 || slice_eq(known, task->blocked_by))
        return true;
    const struct slice fresh = without(task->blocked_by, known, walk->op->op.arena);
    if (!fresh.ptr) {
        walk->state = ITEM_WALK_NO_MEMORY;
        return false;
    }
    if (task_writes_count_ids(fresh) == 0)
        return true;
    struct item_ask ask = {.question = ITEM_ASK_WHICH, .resource = &task_resource, .text = fresh};
    const struct item_answer *there = item_walk_ask(walk, &ask);
    if (!there || !judge_each(walk, task, fresh, there))
        return false;
    if (walk->op->verb == STORE_CREATE && !walk->op->chosen) /* nobody knows its id yet */
        return true;
    ask = (struct item_ask){
        .question = ITEM_ASK_BLOCKERS, .resource = &task_resource, .id = task->id, .text = fresh};
    const struct item_answer *all = item_walk_ask(walk, &ask);
    if (!all)
        return false;
    char own[UUID_TEXT_LEN];
    uuid_format(task->id, own);
    if (has_id(fresh, (struct slice){own, sizeof own})) /* it was told of that */
        return true;
    if (all->rows && all->rows->number > 0)
        return item_walk_complain(walk, name, "cycle",
                                  "One of these waits for this task, directly or through others.");
    return !all->rows || all->rows->revision <= BLOCKERS_MOST ||
           item_walk_complain(walk, name, "too_many",
                              "A task may wait for 10,000 others, those counted for which they "
                              "wait; leave some out.");
}

/* ---- writes ---- */

void task_writes_judge(struct item_walk *walk, const struct task *old, struct task *task)
{
    assert(walk && task && walk->state == ITEM_WALK_ON);
    if (judge_place(walk, old, task))
        (void)judge_blockers(walk, old, task);
}

bool task_writes_remove(struct item_walk *walk, const struct task *task)
{
    assert(walk && task);
    const struct item_ask ask = task_writes_subtree(&task->id);
    const struct item_answer *below = item_walk_ask(walk, &ask);
    for (const struct item_row *row = below ? below->rows : NULL; row; row = row->next) {
        const struct item_follower follower = {.resource = &task_resource,
                                               .step = ITEM_REMOVE,
                                               .id = row->id,
                                               .created_at = row->created_at,
                                               .revision = row->revision};
        if (!item_walk_add(walk, &follower))
            return false;
    }
    return below != NULL;
}

bool task_writes_may_ask(const struct store_item_write *op)
{
    const struct task *task = op->values;
    assert(op->resource == &task_resource);
    return op->verb != STORE_CREATE || !is_null(&task->list_id) || !is_null(&task->parent_id) ||
           task->blocked_by.len > 2 || task_needs_zone(NULL, task);
}
