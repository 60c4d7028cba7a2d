// SPDX-License-Identifier: MIT
#include "store/label_writes.h"

#include <assert.h>

#include "model/field_json.h"

#define ANSWER_MOST 1024 /* bytes: a name whose every byte is escaped, and two numbers */

struct item_ask label_writes_tasks(const struct store_item_write *op)
{
    assert(op->verb == STORE_RELABEL && op->label.from.ptr);
    return (struct item_ask){
        .question = ITEM_ASK_LABELLED, .resource = &task_resource, .text = op->label.from};
}

static bool make_relabelled(const struct store_item_write *op, const struct item_follower *follower,
                            int64_t revision, void *after, struct arena *arena)
{
    struct task *task = after;
    (void)revision;
    assert(follower->resource == &task_resource);
    /* What is damaged is left as it is. */
    return field_json_replace(task->labels, op->label.from_json, op->label.to_json, arena,
                              &task->labels) != FIELD_MERGE_NO_MEMORY;
}

static struct slice write_json(struct slice text, struct arena *arena)
{
    struct buffer out;
    struct json_writer w;
    buffer_init(&out, FIELD_STRINGS_MOST(1, TASK_LABEL_MOST));
    json_writer_init(&w, &out);
    jw_text(&w, text);
    const struct slice copy =
        out.failed ? (struct slice){0} : arena_copy(arena, buffer_slice(&out));
    buffer_finish(&out);
    return copy;
}

/* What the answer says: the label as it is by then. */
static struct slice write_answer(const struct store_item_write *op, const struct item_row *count)
{
    struct buffer out;
    struct json_writer w;
    buffer_init(&out, ANSWER_MOST);
    json_writer_init(&w, &out);
    jw_open_object(&w);
    jw_name(&w, SLICE("name"));
    jw_text(&w, op->label.to);
    jw_name(&w, SLICE("tasks"));
    jw_i64(&w, count->number);
    jw_name(&w, SLICE("open"));
    jw_i64(&w, count->revision);
    jw_close_object(&w);
    const struct slice copy =
        out.failed ? (struct slice){0} : arena_copy(op->op.arena, buffer_slice(&out));
    buffer_finish(&out);
    return copy;
}

static bool add_rows(struct item_walk *walk, const struct item_answer *tasks, enum item_step step)
{
    for (const struct item_row *row = tasks->rows; row; row = row->next) {
        const struct item_follower follower = {.resource = &task_resource,
                                               .step = step,
                                               .id = row->id,
                                               .created_at = row->created_at,
                                               .revision = row->revision,
                                               .number = row->created_at,
                                               .make = make_relabelled};
        if (!item_walk_add(walk, &follower))
            return false;
    }
    return true;
}

static bool add_followers(struct item_walk *walk, const struct item_answer *tasks,
                          const struct item_answer *trashed)
{
    struct store_item_write *op = walk->op;
    op->label.from_json = write_json(op->label.from, op->op.arena);
    if (op->label.to.ptr)
        op->label.to_json = write_json(op->label.to, op->op.arena);
    if (!op->label.from_json.ptr || !op->label.to.ptr != !op->label.to_json.ptr) {
        walk->state = ITEM_WALK_NO_MEMORY;
        return false;
    }
    return add_rows(walk, tasks, ITEM_UPDATE) && add_rows(walk, trashed, ITEM_REWRITE);
}

/* Whether there is something to do; else the outcome says why not. */
static bool may_go_on(struct item_walk *walk, const struct item_answer *tasks)
{
    struct store_item_write *op = walk->op;
    const int64_t revision = walk->before->space.revision;
    op->revision = revision;
    if (tasks->count == 0) {
        op->outcome = STORE_NOT_FOUND;
        return false;
    }
    op->verdict = store_precondition_judge(&op->precondition, true, revision);
    if (op->verdict != STORE_HOLDS)
        op->outcome = STORE_PRECONDITION_FAILED;
    return op->verdict == STORE_HOLDS;
}

bool label_writes_decide(struct item_walk *walk)
{
    struct store_item_write *op = walk->op;
    const struct item_ask ask = label_writes_tasks(op);
    const struct item_answer *tasks = item_walk_ask(walk, &ask);
    if (!tasks)
        return false;
    walk->decision.step = ITEM_NOTHING;
    if (!may_go_on(walk, tasks))
        return true;
    const bool same = op->label.to.ptr && slice_eq(op->label.from, op->label.to);
    if (tasks->count > LABEL_TASKS_MOST && !same) {
        item_walk_refuse(walk, ERROR_TOO_MANY);
        return false;
    }
    op->outcome = op->label.to.ptr ? STORE_UPDATED : STORE_DELETED;
    if (op->label.to.ptr) {
        struct item_ask both = ask;
        both.question = ITEM_ASK_LABEL_COUNT;
        both.other_text = op->label.to;
        const struct item_answer *count = item_walk_ask(walk, &both);
        if (!count)
            return false;
        assert(count->count == 1);
        op->body = write_answer(op, count->rows);
        if (!op->body.ptr) {
            walk->state = ITEM_WALK_NO_MEMORY;
            return false;
        }
    }
    if (same)
        return true;
    struct item_ask in_trash = ask;
    in_trash.question = ITEM_ASK_TRASH_LABELLED;
    const struct item_answer *trashed = item_walk_ask(walk, &in_trash);
    if (!trashed)
        return false;
    if (trashed->count > LABEL_TASKS_MOST) {
        item_walk_refuse(walk, ERROR_TOO_MANY);
        return false;
    }
    walk->decision.step = ITEM_FOLLOWERS;
    op->revision += tasks->count;
    return add_followers(walk, tasks, trashed);
}
