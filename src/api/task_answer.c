// SPDX-License-Identifier: MIT
#include "api/task_answer.h"

#include "api/context.h"
#include "api/encode.h"
#include "api/respond.h"

void task_answer_fields(struct http_exchange *x, struct slice tag)
{
    http_respond_field(x, "ETag", tag);
    http_respond_field(x, "Cache-Control", TASK_ANSWER_CACHE);
}

void task_answer_body(struct http_exchange *x, int status, const struct task *task)
{
    struct json_writer w = respond_json_begin(x);
    encode_task(&w, task);
    respond_json(x, status);
}

void task_answer(struct http_exchange *x, int status, const struct task *task)
{
    char text[TAG_MOST];
    task_answer_fields(x, tag_make(api_tag_space(x), TAG_TASK, task->revision, text));
    task_answer_body(x, status, task);
}

void task_answer_error(struct http_exchange *x, enum error error)
{
    respond_error(
        x, error,
        error == ERROR_NOT_FOUND
            ? "There is no task with this id in your account: it was deleted, never made, "
              "or belongs to another account. GET /v1/tasks lists yours."
            : NULL);
}
