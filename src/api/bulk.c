// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>

#include "api/context.h"
#include "api/handlers.h"
#include "api/item_query.h"
#include "api/item_refusal.h"
#include "api/items.h"
#include "api/precondition.h"
#include "api/request_zone.h"
#include "base/clock.h"
#include "base/json_reader.h"
#include "base/owner.h"
#include "model/task.h"

/* PATCH and DELETE /v1/tasks?FILTER&max=N: of all tasks that the filters of the list find, in one
 * transaction. */

#define BULK_MAGIC  0x4bd3816eu
#define ANSWER_MOST 256

struct bulk {
    struct store_batch op;
    unsigned magic;
    struct http_exchange *x;
    struct store_filter filter;
    struct item_query query;
    struct http_problem_errors errors; /* of the query; then of the task that cannot be changed */
};

/* ---- the answer ---- */

static struct slice make_bulk_answer(struct store_batch *op)
{
    char text[ANSWER_MOST];
    (void)snprintf(text, sizeof text, "{\"matched\":%lld,\"changed\":%lld,\"revision\":%lld}",
                   (long long)op->matched, (long long)op->changed, (long long)op->revision);
    return arena_copy(op->op.arena, slice_of(text));
}

static void begin_bulk(struct store_batch *op)
{
    OWNER_OF(op, struct bulk, op, BULK_MAGIC)->errors = (struct http_problem_errors){0};
}

/* Of the one task that is refused: with its id, and what is wrong as its own call would say it. */
static bool judge_bulk(struct store_batch *op, unsigned at)
{
    struct bulk *bulk = OWNER_OF(op, struct bulk, op, BULK_MAGIC);
    const struct store_item_write *write = &op->writes[at];
    struct item_refusal refusal;
    char id[UUID_TEXT_LEN];
    item_refusal_of(bulk->x, write, TAG_ITEM, &refusal);
    const struct error_row *row = error_row(refusal.error);
    if (refusal.more.count == 0) {
        const char *detail = refusal.detail ? refusal.detail : row->detail;
        http_problem_errors_add(
            &refusal.more,
            (struct http_problem_error){.pointer = SLICE(""), .code = row->code, .detail = detail});
    }
    uuid_format(write->id, id);
    for (unsigned i = 0; i < refusal.more.count; i++) {
        struct http_problem_error error = refusal.more.list[i];
        error.pointer = arena_copy(op->op.arena, error.pointer);
        error.detail = arena_copy(op->op.arena, slice_of(error.detail)).ptr;
        error.id = arena_copy(op->op.arena, (struct slice){id, sizeof id});
        error.status = row->status;
        if (!error.pointer.ptr || !error.detail || !error.id.ptr) {
            return false;
        }
        http_problem_errors_add(&bulk->errors, error);
    }
    return true;
}

static void refuse_too_many(const struct bulk *bulk)
{
    const struct http_problem_errors more = {.member = SLICE("matched"),
                                             .number = bulk->op.matched};
    char detail[240];
    (void)snprintf(detail, sizeof detail,
                   "The filter finds %lld tasks, what would change with them counted, and `max` is "
                   "%u. Nothing was changed. Narrow the filter, or raise `max`, up to 1,000.",
                   (long long)bulk->op.matched, bulk->filter.most);
    http_respond_problem(bulk->x, ERROR_TOO_MANY, detail, &more);
}

static void bulk_written(struct store_op *op)
{
    const struct bulk *bulk = OWNER_OF(op, struct bulk, op.op, BULK_MAGIC);
    struct http_exchange *x = bulk->x;
    if (op->result != ERROR_NONE) {
        item_refusal_send_whole(x, op->result);
        return;
    }
    if (bulk->op.outcome == STORE_KEY_REUSED) {
        respond_error(x, ERROR_IDEMPOTENCY_KEY_REUSED, NULL);
        return;
    }
    if (bulk->op.outcome == STORE_PRECONDITION_FAILED) {
        precondition_refuse(x, bulk->op.verdict, TAG_LIST, bulk->op.revision);
        return;
    }
    if (bulk->op.outcome == STORE_INVALID) {
        http_respond_problem(x, ERROR_BATCH_FAILED, NULL, &bulk->errors);
        return;
    }
    if (bulk->op.too_many) {
        refuse_too_many(bulk);
        return;
    }
    struct store_batch *batch = (struct store_batch *)(void *)op;
    const struct slice body = batch->body.ptr ? batch->body : make_bulk_answer(batch);
    if (!body.ptr) {
        respond_no_answer(x);
        return;
    }
    if (bulk->op.replayed) {
        http_respond_field(x, "Idempotency-Replayed", SLICE("true"));
    }
    http_respond_field(x, "Cache-Control", ITEMS_CACHE);
    (void)respond_json_begin(x);
    buffer_add(x->response.body, body);
    respond_json(x, 200);
}

/* ---- the request ---- */

static void complain(struct bulk *bulk, const char *parameter, const char *code, const char *detail)
{
    http_problem_errors_add(&bulk->errors,
                            (struct http_problem_error){
                                .parameter = slice_of(parameter), .code = code, .detail = detail});
}

static void read_most(struct bulk *bulk)
{
    const struct slice value = http_query_get(&bulk->query.query, SLICE("max"));
    uint64_t number = 0;
    if (!value.ptr) {
        complain(bulk, "max", "required",
                 "Is missing: say how many tasks may change at most, 1 to 1,000.");
    } else if (!slice_to_u64(value, UINT64_MAX, &number)) {
        complain(bulk, "max", "invalid", "Must be a number from 1 to 1000.");
    } else if (number < 1 || number > STORE_FILTER_MOST) {
        complain(bulk, "max", "out_of_range", "Must be from 1 to 1000.");
    }
    bulk->filter.most = (unsigned)number;
}

static void read_dry_run(struct bulk *bulk)
{
    const struct slice value = http_query_get(&bulk->query.query, SLICE("dry_run"));
    bulk->filter.dry_run = slice_eq(value, SLICE("true"));
    if (value.ptr && !bulk->filter.dry_run && !slice_eq(value, SLICE("false"))) {
        complain(bulk, "dry_run", "not_allowed", "Must be true or false.");
    }
}

/* What the query's names are, and its zone where it names one. NULL: it was answered. */
static struct bulk *begin_request(struct http_exchange *x, struct zone **zone)
{
    struct bulk *bulk = arena_new(x->arena, struct bulk);
    *zone = NULL;
    if (!bulk) {
        respond_no_memory(x);
        return NULL;
    }
    OWNER_SET(bulk, BULK_MAGIC);
    bulk->x = x;
    bulk->filter.list.resource = items_resource(x);
    bool good = item_query_begin_filter(&x->request, items_resource(x), x->arena, &bulk->query,
                                        &bulk->errors);
    const struct slice name = good ? item_query_zone(&bulk->query) : (struct slice){0};
    if (name.ptr) {
        good = request_zone_named(x, name, &bulk->errors, zone);
    }
    if (!good) {
        respond_no_memory(x);
        return NULL;
    }
    return bulk;
}

/* Query and header values: 400 with all that is wrong. False: it was answered. Takes the zone
 * over. */
static bool read_values(struct bulk *bulk, struct zone *zone)
{
    struct http_exchange *x = bulk->x;
    const struct item_query_reading reading = {
        .keys = api_keys(x), .arena = x->arena, .zone = zone, .now = clock_wall_ms()};
    if (!bulk->query.filtered) {
        complain(bulk, "filter", "required",
                 "Is missing: name at least one filter of GET /v1/tasks, such as status or list.");
    }
    read_most(bulk);
    read_dry_run(bulk);
    const bool read =
        item_query_read_filters(&bulk->query, &reading, &bulk->filter.list, &bulk->errors);
    zone_release(&zone);
    if (bulk->errors.count > 0) {
        http_respond_problem(x, ERROR_INVALID_PARAMETER, NULL, &bulk->errors);
        return false;
    }
    if (!read) {
        respond_no_memory(x);
        return false;
    }
    if (!precondition_read(x, TAG_LIST, &bulk->op.precondition) ||
        !idempotency_read(x, &bulk->op.idempotency)) {
        return false;
    }
    if (bulk->filter.dry_run && bulk->op.idempotency.key.ptr) {
        respond_error(x, ERROR_INVALID_HEADER,
                      "With dry_run=true nothing is done and nothing kept: leave Idempotency-Key "
                      "out.");
        return false;
    }
    return true;
}

/* The patch, as the call of one task reads it. False: it was answered. */
static bool read_patch(struct http_exchange *x, struct bulk *bulk, uint8_t *content)
{
    void *values = arena_alloc(x->arena, task_resource.size);
    if (!values) {
        respond_no_memory(x);
        return false;
    }
    resource_clear(&task_resource, values);
    struct field_reading reading = {.fields = task_resource.fields,
                                    .count = task_resource.count,
                                    .mode = FIELD_PATCH,
                                    .input = values};
    if (!body_decode(x, &reading, content)) {
        return false;
    }
    bulk->filter.values = values;
    bulk->filter.set = reading.set;
    return true;
}

static void bulk_in_zone(struct http_exchange *x, void *context, struct zone *zone)
{
    struct bulk *bulk = context;
    assert(bulk->magic == BULK_MAGIC);
    struct store_batch *op = &bulk->op;
    const bool patches = x->route->method == HTTP_PATCH;
    uint8_t content[JSON_READER_DIGEST];
    if (!read_values(bulk, zone)) {
        return;
    }
    const bool keyed = op->idempotency.key.ptr;
    if (patches && !read_patch(x, bulk, keyed ? content : NULL)) {
        return;
    }
    if (keyed) {
        idempotency_bind_call(x, &op->idempotency, x->request.query, patches ? content : NULL);
    }
    op->op = api_op(x, bulk_written, x);
    op->filter = &bulk->filter;
    bulk->filter.verb = patches ? STORE_UPDATE : STORE_DELETE;
    op->space = api_caller(x)->user;
    op->actor = api_actor(x);
    op->now = clock_wall_ms();
    op->steady = clock_steady_ms();
    op->begin = begin_bulk;
    op->judged = judge_bulk;
    op->answer = make_bulk_answer;
    api_engine(x)->batch_write(op);
}

/* Days that the account's zone decides are judged in UTC here: that changes no answer. */
bool bulk_values(struct http_exchange *x)
{
    struct zone *zone = NULL;
    struct bulk *bulk = begin_request(x, &zone);
    return bulk && read_values(bulk, zone ? zone : zone_utc());
}

void bulk_write(struct http_exchange *x)
{
    struct zone *zone = NULL;
    struct bulk *bulk = begin_request(x, &zone);
    if (!bulk) {
        return;
    }
    if (bulk->query.zoned && !item_query_zone(&bulk->query).ptr) {
        request_zone_of_caller(x, bulk_in_zone, bulk);
    } else {
        bulk_in_zone(x, bulk, zone);
    }
}
