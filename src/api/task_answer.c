#include "api/task_answer.h"

#include "api/encode.h"
#include "api/respond.h"

void task_answer_fields(struct http_exchange *x, struct slice tag)
{
    http_respond_field(x, "ETag", tag);
    http_respond_field(x, "Cache-Control", SLICE("private, no-cache"));
}

void task_answer(struct http_exchange *x, int status, const struct task *task)
{
    char text[ENCODE_TAG_MOST];
    task_answer_fields(x, encode_task_tag(task->revision, text));
    struct json_writer w = respond_json_begin(x);
    encode_task(&w, task);
    respond_json(x, status);
}
