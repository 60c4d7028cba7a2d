// SPDX-License-Identifier: MIT
#include <stdio.h>

#include "api/context.h"
#include "api/handlers.h"
#include "api/idempotency.h"
#include "api/precondition.h"
#include "api/respond.h"
#include "api/task_answer.h"
#include "base/clock.h"
#include "model/task_fields.h"

/* POST /v1/tasks; PUT, PATCH and DELETE /v1/tasks/{id}. Each handler fills a store_task_write from
 * the path, the header and the body, in this order, and the store decides. */

/* ---- answers ---- */

static void answer_created(struct http_exchange *x, const struct task *task)
{
    char path[] = "/v1/tasks/01a20472-533f-74f7-8a77-8e2ec4b5150b";
    uuid_format(task->id, path + strlen(path) - UUID_TEXT_LEN);
    http_respond_field(x, "Location", http_reference(x, slice_of(path)));
    task_answer(x, 201, task);
}

static void answer_deleted(struct http_exchange *x)
{
    http_respond_field(x, "Cache-Control", TASK_ANSWER_CACHE);
    http_respond_status(x, 204);
}

/* The account is full. */
static void refuse_more(struct http_exchange *x)
{
    const struct settings *settings = api_of(x)->options.settings;
    char detail[320];
    (void)snprintf(
        detail, sizeof detail,
        "Your account would hold more than this server allows: %lld tasks, and %lld bytes "
        "of tasks and of answers that are kept for Idempotency-Keys. Nothing was "
        "changed. Reading and deleting still work. Delete tasks that you no longer "
        "need, or ask the operator for a higher limit.",
        (long long)settings->user_tasks_most, (long long)settings->user_bytes_most);
    respond_error(x, ERROR_QUOTA_EXCEEDED, detail);
}

/* A create is asked of the list. */
static enum tag_kind kind_of(enum store_task_verb verb)
{
    return verb == STORE_TASK_CREATE ? TAG_LIST : TAG_TASK;
}

static void written(struct store_op *op)
{
    const struct store_task_write *write = (const struct store_task_write *)op;
    struct http_exchange *x = op->caller;
    if (op->result == ERROR_QUOTA_EXCEEDED) {
        refuse_more(x);
        return;
    }
    if (op->result != ERROR_NONE) {
        respond_user_error(x, op->result); /* not found is the user here */
        return;
    }
    if (write->replayed) {
        http_respond_field(x, "Idempotency-Replayed", SLICE("true"));
    }
    switch (write->outcome) {
    case STORE_CREATED: answer_created(x, &write->task); break;
    case STORE_UPDATED: task_answer(x, 200, &write->task); break;
    case STORE_DELETED: answer_deleted(x); break;
    case STORE_NOT_FOUND: task_answer_error(x, ERROR_NOT_FOUND); break;
    case STORE_PRECONDITION_FAILED:
        precondition_refuse(x, write->verdict, kind_of(write->verb), write->task.revision);
        break;
    case STORE_KEY_REUSED: respond_error(x, ERROR_IDEMPOTENCY_KEY_REUSED, NULL); break;
    case STORE_KEY_IN_USE: respond_error(x, ERROR_IDEMPOTENCY_KEY_IN_USE, NULL); break;
    }
}

/* ---- requests ---- */

static void write_task(struct http_exchange *x, enum store_task_verb verb, enum field_mode mode)
{
    struct store_task_write *write = arena_new(x->arena, struct store_task_write);
    if (!write) {
        respond_no_memory(x);
        return;
    }
    write->op = api_op(x, written, x);
    write->verb = verb;
    write->id = verb == STORE_TASK_CREATE ? uuid_make_v7() : api_path_id(x);
    write->user = api_caller(x)->user;
    write->now = clock_wall_ms();
    write->steady = clock_steady_ms();
    if (!precondition_read(x, kind_of(verb), &write->precondition) ||
        !idempotency_read(x, &write->idempotency)) {
        return;
    }
    struct field_reading reading = {
        .fields = task_fields, .count = task_field_count, .mode = mode, .input = &write->change};
    uint8_t content[JSON_READER_DIGEST];
    const bool has_body = verb != STORE_TASK_DELETE;
    if (has_body && !body_decode(x, &reading, write->idempotency.key.ptr ? content : NULL)) {
        return;
    }
    idempotency_bind(write, has_body ? content : NULL);
    write->change.set = mode == FIELD_WHOLE ? TASK_ALL : reading.set;
    api_engine(x)->task_write(write);
}

bool tasks_delete_values(struct http_exchange *x)
{
    struct store_precondition precondition = {0};
    struct store_idempotency idempotency = {0};
    return precondition_read(x, kind_of(STORE_TASK_DELETE), &precondition) &&
           idempotency_read(x, &idempotency);
}

void tasks_create(struct http_exchange *x)
{
    write_task(x, STORE_TASK_CREATE, FIELD_WHOLE);
}

void tasks_replace(struct http_exchange *x)
{
    write_task(x, STORE_TASK_REPLACE, FIELD_WHOLE);
}

void tasks_patch(struct http_exchange *x)
{
    write_task(x, STORE_TASK_PATCH, FIELD_PATCH);
}

void tasks_delete(struct http_exchange *x)
{
    write_task(x, STORE_TASK_DELETE, FIELD_PATCH);
}
