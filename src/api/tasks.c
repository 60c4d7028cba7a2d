#include "api/context.h"
#include "api/encode.h"
#include "api/handlers.h"
#include "api/respond.h"
#include "api/task_answer.h"
#include "http/conditional.h"

/* GET /v1/tasks/{id}: the call that is made most, so it allocates nothing but its operation. */

struct reading {
    struct store_task_get op; /* first: its address is the reading's */
    struct http_condition if_none_match;
};

static void got(struct store_op *op)
{
    struct reading *reading = (struct reading *)op;
    struct http_exchange *x = op->caller;
    if (op->result != ERROR_NONE) {
        respond_error(x, op->result, NULL);
        return;
    }
    char text[ENCODE_TAG_MOST];
    struct slice tag = encode_task_tag(reading->op.task.revision, text);
    if (reading->if_none_match.present &&
        http_condition_names(&reading->if_none_match, tag, true)) {
        task_answer_fields(x, tag);
        http_respond_status(x, 304);
        return;
    }
    task_answer(x, 200, &reading->op.task);
}

void tasks_get(struct http_exchange *x)
{
    struct reading *reading = arena_new(x->arena, struct reading);
    if (!reading) {
        respond_no_memory(x);
        return;
    }
    if (!http_condition_parse(&x->request, HTTP_FIELD_IF_NONE_MATCH, &reading->if_none_match)) {
        respond_error(x, ERROR_INVALID_HEADER,
                      "If-None-Match must be `*` or a list of entity tags such as \"42\".");
        return;
    }
    reading->op.op = api_op(x, got, x);
    reading->op.user = api_caller(x)->user;
    reading->op.id = api_path_id(x);
    api_engine(x)->task_get(&reading->op);
}
