// SPDX-License-Identifier: MIT
#include "store/trash_writes.h"

#include <assert.h>
#include <stdlib.h>

#include "model/field_json.h"
#include "model/task_list.h"
#include "store/item_moves.h"
#include "store/wait_graph.h"

static const struct uuid nobody;

/* What the tasks that come back are made of; in the operation's arena. */
struct restoring {
    struct wait_node *nodes; /* what comes back and all that it waits for */
    size_t count;
    bool alone; /* it waits for too many: only what comes back with it may stay */
    struct uuid list_id;
};

struct item_ask trash_writes_ask(const struct store_item_write *op)
{
    return (struct item_ask){.question =
                                 op->verb == STORE_PURGE ? ITEM_ASK_PURGED : ITEM_ASK_TRASHED,
                             .resource = &task_resource,
                             .id = op->id};
}

static const struct item_answer *ask(struct item_walk *walk, enum item_question question,
                                     const struct resource *resource, struct uuid id)
{
    const struct item_ask asked = {.question = question, .resource = resource, .id = id};
    return item_walk_ask(walk, &asked);
}

static bool has_memory(struct item_walk *walk, const void *made)
{
    if (!made)
        walk->state = ITEM_WALK_NO_MEMORY;
    return made != NULL;
}

static bool not_found(struct item_walk *walk)
{
    walk->decision.step = ITEM_NOTHING;
    walk->op->outcome = STORE_NOT_FOUND;
    walk->op->revision = 0;
    return true;
}

/* The task as it was deleted. NULL: the walk ends, or its step is NOTHING. */
static struct task *read_task(struct item_walk *walk)
{
    struct store_item_write *op = walk->op;
    const struct item_answer *content = ask(walk, ITEM_ASK_TRASHED_JSON, &task_resource, op->id);
    unsigned set = 0;
    if (!content)
        return NULL;
    struct task *task = arena_alloc(op->op.arena, task_resource.size);
    if (!has_memory(walk, task))
        return NULL;
    if (!content->rows || !content->rows->position.ptr) {
        item_walk_refuse(walk, ERROR_INTERNAL_ERROR);
        return NULL;
    }
    const enum error error =
        resource_decode(&task_resource, content->rows->position, task, &set, op->op.arena);
    if (error != ERROR_NONE) {
        item_walk_refuse(walk, error);
        return NULL;
    }
    op->verdict = store_precondition_judge(&op->precondition, true, task->revision);
    if (op->verdict == STORE_HOLDS)
        return task;
    op->outcome = STORE_PRECONDITION_FAILED;
    op->revision = task->revision;
    walk->decision.step = ITEM_NOTHING;
    return NULL;
}

/* ---- what they wait for ---- */

static bool comes_back(const struct item_answer *trashed, const struct uuid *id)
{
    for (const struct item_row *row = trashed->rows; row; row = row->next) {
        if (uuid_eq(row->id, *id))
            return true;
    }
    return false;
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct uuid));
}

/* The ids that the rows wait for and that do not come back with them, each once, as a JSON array.
 * Empty: there are none; ptr NULL without memory. */
static struct slice ids_outside(struct item_walk *walk, const struct item_answer *trashed)
{
    struct arena *arena = walk->op->op.arena;
    size_t most = 0;
    size_t count = 0;
    size_t len = 0;
    struct uuid id;
    for (const struct item_row *row = trashed->rows; row; row = row->next)
        most += row->position.len / UUID_TEXT_LEN;
    if (most == 0)
        return SLICE("");
    struct uuid *ids = arena_alloc(arena, most * sizeof *ids);
    char *text = arena_alloc(arena, FIELD_UUIDS_MOST(most));
    if (!ids || !text)
        return (struct slice){0};
    for (const struct item_row *row = trashed->rows; row; row = row->next) {
        struct slice rest = row->position;
        while (rest.ptr && wait_graph_next(&rest, &id)) {
            assert(count < most);
            ids[count++] = id;
        }
    }
    qsort(ids, count, sizeof *ids, compare_ids);
    for (size_t i = 0; i < count; i++) {
        if ((i > 0 && uuid_eq(ids[i], ids[i - 1])) || comes_back(trashed, &ids[i]))
            continue;
        text[len] = len == 0 ? '[' : ',';
        text[++len] = '"';
        len++;
        uuid_format(ids[i], text + len);
        len += UUID_TEXT_LEN;
        text[len++] = '"';
    }
    if (len == 0)
        return SLICE("");
    text[len++] = ']';
    assert(len <= FIELD_UUIDS_MOST(most));
    return (struct slice){text, len};
}

static bool find_waits(struct item_walk *walk, const struct item_answer *trashed,
                       struct restoring *restoring)
{
    struct arena *arena = walk->op->op.arena;
    struct item_ask waiting = {.question = ITEM_ASK_WAITING, .resource = &task_resource};
    const struct item_answer *there = NULL;
    waiting.text = ids_outside(walk, trashed);
    if (!has_memory(walk, waiting.text.ptr))
        return false;
    if (waiting.text.len > 0) {
        there = item_walk_ask(walk, &waiting);
        if (!there)
            return false;
    }
    restoring->alone = there && there->count > BLOCKERS_MOST;
    const size_t most = trashed->count + (there && !restoring->alone ? there->count : 0);
    restoring->nodes = arena_alloc(arena, most * sizeof *restoring->nodes);
    if (!has_memory(walk, restoring->nodes))
        return false;
    for (const struct item_row *row = trashed->rows; row; row = row->next)
        restoring->nodes[restoring->count++] =
            (struct wait_node){.id = row->id, .waits = row->position, .back = true};
    for (const struct item_row *row = there && !restoring->alone ? there->rows : NULL; row;
         row = row->next)
        restoring->nodes[restoring->count++] =
            (struct wait_node){.id = row->id, .waits = row->position};
    if (wait_graph_tie(restoring->nodes, restoring->count, arena))
        return true;
    walk->state = ITEM_WALK_NO_MEMORY;
    return false;
}

static bool stays(const struct restoring *restoring, bool tied, const struct uuid *id)
{
    const struct wait_node *node = wait_graph_find(restoring->nodes, restoring->count, id);
    return node && (node->back || !(tied && node->tied));
}

/* Leaves out of what a task waits for what is not there, and what would make a circle. False
 * without memory. */
static bool keep_waits(const struct restoring *restoring, struct task *task, struct arena *arena)
{
    const struct wait_node *own = wait_graph_find(restoring->nodes, restoring->count, &task->id);
    char text[FIELD_UUIDS_MOST(TASK_BLOCKERS_MOST) + 1];
    struct slice rest = task->blocked_by;
    struct uuid id;
    size_t len = 0;
    text[len++] = '[';
    while (rest.ptr && wait_graph_next(&rest, &id)) {
        if (!stays(restoring, own && own->tied, &id))
            continue;
        assert(len + UUID_TEXT_LEN + 4 <= sizeof text);
        if (len > 1)
            text[len++] = ',';
        text[len++] = '"';
        uuid_format(id, text + len);
        len += UUID_TEXT_LEN;
        text[len++] = '"';
    }
    text[len++] = ']';
    if (len != task->blocked_by.len)
        task->blocked_by = len == 2 ? SLICE("[]") : arena_copy(arena, (struct slice){text, len});
    return task->blocked_by.ptr != NULL;
}

/* ---- where it comes back to ---- */

static bool find_list(struct item_walk *walk, struct task *task)
{
    if (uuid_eq(task->list_id, nobody))
        return true;
    const struct item_answer *list = ask(walk, ITEM_ASK_ITEM, &list_resource, task->list_id);
    if (list && !list->item)
        task->list_id = nobody;
    return list != NULL;
}

/* Below its parent, if that is there and its tree has room for `levels` and `size` more; else it is
 * a root, of the list that it was in. */
static bool find_place(struct item_walk *walk, struct task *task, int64_t levels, int64_t size)
{
    const struct uuid parent = task->parent_id;
    task->parent_id = nobody;
    if (uuid_eq(parent, nobody))
        return find_list(walk, task);
    const struct item_answer *above = ask(walk, ITEM_ASK_ANCESTORS, &task_resource, parent);
    if (!above)
        return false;
    if (!above->rows || (int64_t)above->count + levels > TREE_LEVELS_MOST)
        return find_list(walk, task);
    const struct item_row *root = above->rows;
    while (root->next)
        root = root->next;
    const struct item_answer *tree = ask(walk, ITEM_ASK_TREE, &task_resource, root->id);
    if (!tree)
        return false;
    if (!tree->rows || tree->rows->number + size > TREE_TASKS_MOST)
        return find_list(walk, task);
    task->parent_id = parent;
    task->list_id = above->rows->list_id;
    return true;
}

/* ---- bringing back ---- */

static bool make_restored(const struct store_item_write *op, const struct item_follower *follower,
                          int64_t revision, void *after, struct arena *arena)
{
    const struct restoring *restoring = follower->context;
    struct task *task = after;
    (void)revision;
    assert(op->item && follower->resource == &task_resource);
    task->list_id = restoring->list_id;
    return keep_waits(restoring, task, arena);
}

/* What an item of so much JSON takes: its texts are the smaller part of a small one. */
#define JSON_NAMES 400

static int64_t reckon(int64_t json)
{
    return json > JSON_NAMES + SPACE_ITEM_BYTES ? json - JSON_NAMES : SPACE_ITEM_BYTES;
}

static bool add_below(struct item_walk *walk, const struct item_answer *trashed,
                      const struct restoring *restoring)
{
    for (const struct item_row *row = trashed->rows->next; row; row = row->next) {
        const struct item_follower follower = {.resource = &task_resource,
                                               .step = ITEM_RESTORE,
                                               .id = row->id,
                                               .revision = row->revision,
                                               .context = restoring,
                                               .make = make_restored};
        walk->decision.follower_bytes += reckon(row->created_at);
        if (!item_walk_add(walk, &follower))
            return false;
    }
    return true;
}

bool trash_writes_restore(struct item_walk *walk)
{
    assert(walk && walk->decision.step == ITEM_INSERT && walk->op->resource == &task_resource);
    struct store_item_write *op = walk->op;
    if (walk->before->item)
        return not_found(walk);
    const struct item_answer *trashed = ask(walk, ITEM_ASK_TRASHED, &task_resource, op->id);
    if (!trashed)
        return false;
    if (!trashed->rows)
        return not_found(walk);
    struct restoring *restoring = arena_new(op->op.arena, struct restoring);
    struct task *task = has_memory(walk, restoring) ? read_task(walk) : NULL;
    int64_t levels = 1;
    if (!task)
        return walk->state == ITEM_WALK_ON;
    for (const struct item_row *row = trashed->rows; row; row = row->next)
        levels = row->number > levels ? row->number : levels;
    if (!find_place(walk, task, levels, trashed->count) || !find_waits(walk, trashed, restoring) ||
        !item_moves_keep(walk, task))
        return false;
    restoring->list_id = task->list_id;
    op->outcome = STORE_UPDATED;
    op->revision = task->revision = walk->before->space.revision + 1;
    task->updated_at = op->now > task->updated_at ? op->now : task->updated_at;
    op->item = task;
    walk->decision.change.previous = trashed->rows->revision;
    if (!keep_waits(restoring, task, op->op.arena) ||
        (walk->put_last &&
         !resource_put_last(&task_resource, task, task->revision, op->op.arena))) {
        walk->state = ITEM_WALK_NO_MEMORY;
        return false;
    }
    return add_below(walk, trashed, restoring);
}

/* ---- for good ---- */

bool trash_writes_purge(struct item_walk *walk)
{
    struct store_item_write *op = walk->op;
    assert(walk->decision.step == ITEM_PURGE && op->resource == &task_resource);
    const struct item_answer *purged = ask(walk, ITEM_ASK_PURGED, &task_resource, op->id);
    if (!purged)
        return false;
    if (!purged->rows || purged->rows->revision == 0 || walk->before->item)
        return not_found(walk);
    const bool judged = op->precondition.match.present || op->precondition.none_match.present;
    if (judged && !read_task(walk))
        return walk->state == ITEM_WALK_ON;
    op->outcome = STORE_DELETED;
    op->revision = walk->before->space.revision;
    walk->decision.given_back = purged->rows->number;
    return true;
}
