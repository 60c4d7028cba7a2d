// SPDX-License-Identifier: MIT
#include "api/batch_body.h"

#include <stdio.h>

#include "api/access.h"
#include "api/context.h"
#include "api/handlers.h"
#include "api/item_refusal.h"
#include "api/items.h"
#include "api/precondition.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/owner.h"

/* POST /v1/tasks/batch: several calls about tasks in one transaction. The answer is made where the
 * database is written, because a key keeps it there; what makes the answers of single calls makes
 * its parts. */

#define BATCH_MAGIC       0xe15d70c3u
#define TASKS_MOST        ((size_t)1024 * 1024)     /* bytes of tasks in an answer */
#define RESULT_MOST       ((size_t)2 * 1024 * 1024) /* of one result */
#define ANSWER_MOST       ((size_t)48 * 1024 * 1024)
#define OPERATIONS_A_CALL 10 /* count as one request */

struct batch {
    struct store_batch op;
    unsigned magic;
    struct http_exchange *x;
    struct batch_body body;
    unsigned *places;      /* of each write, in `body.operations` */
    struct slice *results; /* of each operation, as JSON; ptr NULL: it was not decided */
    size_t task_bytes;
    struct http_problem_errors errors; /* why an atomic one is not made */
};

static enum tag_kind kind_of(const struct store_item_write *write)
{
    return write->verb == STORE_CREATE ? TAG_LIST : TAG_ITEM;
}

/* ---- one result ---- */

/* The path that the operation would have had alone. */
static struct slice path_of(const struct store_item_write *write, char room[static 80])
{
    char id[UUID_TEXT_LEN];
    int len = 0;
    uuid_format(write->id, id);
    if (write->verb == STORE_CREATE) {
        len = snprintf(room, 80, "/v1/tasks");
    } else {
        len = snprintf(room, 80, "/v1/tasks/%.*s%s", UUID_TEXT_LEN, id,
                       write->verb == STORE_MOVE ? "/move" : "");
    }
    return (struct slice){room, (size_t)len};
}

static struct json_writer begin_result(struct buffer *out, int status)
{
    struct json_writer w;
    buffer_init(out, RESULT_MOST);
    json_writer_init(&w, out);
    jw_open_object(&w);
    jw_name(&w, SLICE("status"));
    jw_i64(&w, status);
    return w;
}

/* False without memory. */
static bool end_result(struct batch *batch, unsigned place, struct json_writer *w,
                       struct buffer *out)
{
    jw_close_object(w);
    struct slice *result = &batch->results[place];
    *result = out->failed ? (struct slice){0} : arena_copy(batch->op.op.arena, buffer_slice(out));
    buffer_finish(out);
    return result->ptr != NULL;
}

static bool put_problem(struct batch *batch, unsigned place, enum error error, const char *detail,
                        const struct http_problem_errors *more)
{
    char room[80];
    struct buffer out;
    struct json_writer w = begin_result(&out, error_row(error)->status);
    jw_name(&w, SLICE("problem"));
    http_write_problem(batch->x, &w, path_of(&batch->body.operations[place].write, room), error,
                       detail, more);
    return end_result(batch, place, &w, &out);
}

static bool put_task(struct batch *batch, unsigned place, const struct store_item_write *write)
{
    struct buffer out;
    struct json_writer w = begin_result(&out, write->outcome == STORE_CREATED   ? 201
                                              : write->outcome == STORE_DELETED ? 204
                                                                                : 200);
    const size_t before = out.len;
    jw_name(&w, SLICE("task"));
    if (write->outcome == STORE_DELETED) {
        jw_null(&w);
        return end_result(batch, place, &w, &out);
    }
    resource_encode(&task_resource, write->item, RESOURCE_ALL, &w);
    const size_t bytes = out.len - before;
    if (out.failed || batch->task_bytes + bytes <= TASKS_MOST) {
        batch->task_bytes += bytes;
        return end_result(batch, place, &w, &out);
    }
    buffer_finish(&out);
    w = begin_result(&out, write->outcome == STORE_CREATED ? 201 : 200);
    jw_name(&w, SLICE("revision"));
    jw_i64(&w, write->revision);
    return end_result(batch, place, &w, &out);
}

/* ---- why an atomic one is not made ---- */

/* `pointer` within the task, or within the operation. False without memory. */
static bool add_error(struct batch *batch, unsigned place, const char *within, struct slice pointer,
                      enum error error, const char *code, const char *detail)
{
    struct buffer out;
    buffer_init(&out, 2048);
    buffer_add_format(&out, "/operations/%u%s", place, within);
    buffer_add(&out, pointer);
    const struct http_problem_error one = {
        .pointer =
            out.failed ? (struct slice){0} : arena_copy(batch->op.op.arena, buffer_slice(&out)),
        .code = code,
        .detail = arena_copy(batch->op.op.arena, slice_of(detail)).ptr,
        .status = error_row(error)->status};
    buffer_finish(&out);
    if (one.pointer.ptr && one.detail) {
        http_problem_errors_add(&batch->errors, one);
    }
    return one.pointer.ptr && one.detail;
}

/* What members are wrong is said of each, anything else of the operation. */
static bool add_refusal(struct batch *batch, unsigned place, const struct item_refusal *refusal)
{
    const struct error_row *row = error_row(refusal->error);
    if (refusal->more.count == 0) {
        const char *within =
            refusal->error == ERROR_PRECONDITION_FAILED || refusal->error == ERROR_INVALID_HEADER
                ? "/if_match"
            : refusal->error == ERROR_NOT_FOUND || refusal->error == ERROR_ID_TAKEN ? "/id"
                                                                                    : "";
        return add_error(batch, place, within, (struct slice){"", 0}, refusal->error, row->code,
                         refusal->detail ? refusal->detail : row->detail);
    }
    for (unsigned i = 0; i < refusal->more.count; i++) {
        const struct http_problem_error *error = &refusal->more.list[i];
        if (!add_error(batch, place, "/task", error->pointer, refusal->error, error->code,
                       error->detail)) {
            return false;
        }
    }
    return true;
}

static bool refuse_operation(struct batch *batch, unsigned place,
                             const struct item_refusal *refusal)
{
    return batch->op.atomic
               ? add_refusal(batch, place, refusal)
               : put_problem(batch, place, refusal->error, refusal->detail, &refusal->more);
}

/* ---- where the database is written ---- */

static void begin_batch(struct store_batch *op)
{
    struct batch *batch = OWNER_OF(op, struct batch, op, BATCH_MAGIC);
    batch->task_bytes = 0;
    batch->errors = (struct http_problem_errors){0};
}

static bool judge_write(struct store_batch *op, unsigned at)
{
    struct batch *batch = OWNER_OF(op, struct batch, op, BATCH_MAGIC);
    const struct store_item_write *write = &op->writes[at];
    if (item_is_refused(write)) {
        struct item_refusal refusal;
        item_refusal_of(batch->x, write, kind_of(write), &refusal);
        return refuse_operation(batch, batch->places[at], &refusal);
    }
    return put_task(batch, batch->places[at], write);
}

static struct slice make_answer(struct store_batch *op)
{
    const struct batch *batch = OWNER_OF(op, struct batch, op, BATCH_MAGIC);
    struct buffer out;
    buffer_init(&out, ANSWER_MOST);
    buffer_add_text(&out, "{\"results\":[");
    for (unsigned i = 0; i < batch->body.count; i++) {
        assert(batch->results[i].ptr);
        buffer_add_text(&out, i > 0 ? "," : "");
        buffer_add(&out, batch->results[i]);
    }
    buffer_add_text(&out, "]}");
    const struct slice answer =
        out.failed ? (struct slice){0} : arena_copy(op->op.arena, buffer_slice(&out));
    buffer_finish(&out);
    return answer;
}

/* ---- the answer ---- */

static void refuse_batch(struct batch *batch)
{
    assert(batch->errors.count > 0);
    http_respond_problem(batch->x, ERROR_BATCH_FAILED, NULL, &batch->errors);
}

static void batch_written(struct store_op *op)
{
    struct batch *batch = OWNER_OF(op, struct batch, op.op, BATCH_MAGIC);
    struct http_exchange *x = batch->x;
    if (op->result != ERROR_NONE) {
        item_refusal_send_whole(x, op->result);
        return;
    }
    if (batch->op.outcome == STORE_KEY_REUSED) {
        respond_error(x, ERROR_IDEMPOTENCY_KEY_REUSED, NULL);
        return;
    }
    if (batch->op.outcome == STORE_INVALID) {
        refuse_batch(batch);
        return;
    }
    if (batch->op.replayed && !batch->op.body.ptr) {
        respond_error(
            x, ERROR_NOT_FOUND,
            "This batch was made, and the answer that was kept for it held a task that has "
            "gone from the trash for good since. Read the others: GET /v1/tasks.");
        return;
    }
    const struct slice body = batch->op.body.ptr ? batch->op.body : make_answer(&batch->op);
    if (!body.ptr) {
        respond_no_answer(x);
        return;
    }
    if (batch->op.replayed) {
        http_respond_field(x, "Idempotency-Replayed", SLICE("true"));
    }
    http_respond_field(x, "Cache-Control", ITEMS_CACHE);
    (void)respond_json_begin(x);
    buffer_add(x->response.body, body);
    respond_json(x, 200);
}

/* ---- the request ---- */

static bool read_batch_header(struct http_exchange *x, struct batch *batch)
{
    if (x->request.fields[HTTP_FIELD_IF_MATCH].value.ptr ||
        x->request.fields[HTTP_FIELD_IF_NONE_MATCH].value.ptr) {
        respond_error(x, ERROR_INVALID_HEADER,
                      "A batch has no entity tag, so If-Match and If-None-Match cannot name one: "
                      "give each operation its own `if_match`.");
        return false;
    }
    return idempotency_read(x, &batch->op.idempotency);
}

/* False: it was answered. */
static bool read_batch_body(struct http_exchange *x, struct batch *batch)
{
    char why[JSON_READER_WHY];
    uint8_t content[JSON_READER_DIGEST];
    const bool keyed = batch->op.idempotency.key.ptr;
    arena_allow(x->arena, ANSWER_MOST);
    switch (batch_body_read(x->request.body, x->arena, api_of(x)->options.zones, &batch->body,
                            keyed ? content : NULL, why)) {
    case JSON_READ_OK: break;
    case JSON_READ_INVALID: respond_error(x, ERROR_INVALID_JSON, why); return false;
    case JSON_READ_NO_MEMORY: respond_no_memory(x); return false;
    }
    if (keyed) {
        idempotency_bind_call(x, &batch->op.idempotency, (struct slice){0}, content);
    }
    return body_valid(x, &batch->body.errors);
}

/* What is wrong with an operation before anything is known of the database. False without memory.
 * `*good`: nothing is. */
static bool judge_operation(struct batch *batch, unsigned place, bool *good)
{
    struct batch_operation *operation = &batch->body.operations[place];
    struct store_item_write *write = &operation->write;
    const bool atomic = batch->op.atomic;
    struct item_refusal refusal = {.error = ERROR_NONE};
    *good = false;
    if (operation->if_match.ptr) {
        refusal.detail = precondition_read_match(operation->if_match, api_tag_space(batch->x),
                                                 kind_of(write), &write->precondition.match);
    }
    if (refusal.detail) {
        refusal.error = ERROR_INVALID_HEADER;
        if (!refuse_operation(batch, place, &refusal)) {
            return false;
        }
    }
    /* Alone, a call says what is wrong with its header, or else what is with its body. */
    if (operation->errors && (atomic || refusal.error == ERROR_NONE)) {
        refusal = (struct item_refusal){.error = ERROR_VALIDATION_FAILED};
        item_refusal_errors(operation->errors, &refusal.more);
        return refuse_operation(batch, place, &refusal);
    }
    *good = refusal.error == ERROR_NONE;
    return true;
}

/* Makes the writes of what is good. False without memory. */
static bool make_batch_writes(struct http_exchange *x, struct batch *batch)
{
    struct store_batch *op = &batch->op;
    const unsigned count = batch->body.count;
    op->writes = arena_alloc(x->arena, count * sizeof *op->writes);
    batch->places = arena_alloc(x->arena, count * sizeof *batch->places);
    batch->results = arena_alloc(x->arena, count * sizeof *batch->results);
    if (!op->writes || !batch->places || !batch->results) {
        return false;
    }
    for (unsigned place = 0; place < count; place++) {
        bool good = false;
        if (!judge_operation(batch, place, &good)) {
            return false;
        }
        if (good) {
            batch->places[op->count] = place;
            op->writes[op->count++] = batch->body.operations[place].write;
        }
    }
    return true;
}

void batch_write(struct http_exchange *x)
{
    struct batch *batch = arena_new(x->arena, struct batch);
    if (!batch) {
        respond_no_memory(x);
        return;
    }
    OWNER_SET(batch, BATCH_MAGIC);
    batch->x = x;
    batch->op.op = api_op(x, batch_written, x);
    if (!read_batch_header(x, batch) || !read_batch_body(x, batch)) {
        return;
    }
    const unsigned calls = (batch->body.count + OPERATIONS_A_CALL - 1) / OPERATIONS_A_CALL;
    if (calls > 1 && !access_quota_more(x, calls - 1)) {
        return;
    }
    metrics_observe(METRIC_BATCH_OPERATIONS, batch->body.count);
    struct store_batch *op = &batch->op;
    op->atomic = batch->body.atomic;
    op->space = api_caller(x)->user;
    op->actor = api_actor(x);
    op->now = clock_wall_ms();
    op->steady = clock_steady_ms();
    op->begin = begin_batch;
    op->judged = judge_write;
    op->answer = make_answer;
    if (!make_batch_writes(x, batch)) {
        respond_no_memory(x);
        return;
    }
    if (batch->errors.count > 0) {
        refuse_batch(batch);
        return;
    }
    api_engine(x)->batch_write(op);
}
