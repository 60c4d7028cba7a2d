// SPDX-License-Identifier: MIT
#include "api/context.h"
#include "api/handlers.h"
#include "api/precondition.h"
#include "api/respond.h"
#include "api/task_answer.h"

/* GET /v1/tasks/{id}: the call that is made most, so it allocates nothing but its operation. */

struct reading {
    struct store_task_get op; /* first: its address is the reading's */
    struct http_conditions conditions;
};

static void got(struct store_op *op)
{
    struct reading *reading = (struct reading *)op;
    struct http_exchange *x = op->caller;
    if (op->result != ERROR_NONE) {
        task_answer_error(x, op->result);
        return;
    }
    char text[TAG_MOST];
    const struct task *task = &reading->op.task;
    struct slice tag = tag_make(api_tag_space(x), TAG_TASK, task->revision, text);
    const enum http_conditions_verdict verdict = http_conditions_judge(&reading->conditions, tag);
    if (verdict != HTTP_CONDITIONS_GO) {
        precondition_answer(x, verdict, tag, TASK_ANSWER_CACHE);
        return;
    }
    task_answer_fields(x, tag);
    task_answer_body(x, 200, task);
}

void tasks_get(struct http_exchange *x)
{
    struct reading *reading = arena_new(x->arena, struct reading);
    if (!reading) {
        respond_no_memory(x);
        return;
    }
    if (!precondition_parse(x, &reading->conditions)) {
        return;
    }
    reading->op.op = api_op(x, got, x);
    reading->op.user = api_caller(x)->user;
    reading->op.id = api_path_id(x);
    api_engine(x)->task_get(&reading->op);
}
