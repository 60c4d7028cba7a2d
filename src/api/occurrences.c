// SPDX-License-Identifier: MIT
#include <assert.h>
#include <sodium.h>
#include <stdio.h>

#include "api/context.h"
#include "api/handlers.h"
#include "api/items.h"
#include "api/precondition.h"
#include "api/request_zone.h"
#include "base/owner.h"
#include "http/query.h"
#include "model/series.h"

/* GET /v1/tasks/{id}/occurrences, POST /v1/tasks/{id}/skip. */

#define DATES          10 /* by default */
#define DATES_MAGIC    0x3c9fe4a7u
#define CONTENT_DIGITS 16

struct dates {
    struct store_item_get get;
    unsigned magic;
    struct http_conditions conditions;
    unsigned limit;
    struct zone *zone; /* of the caller */
    int64_t list[SERIES_DATES_MOST];
    size_t count;
};

/* They hang on the task, on zones and on tzdata, so the tag is made of the dates. */
static struct slice tag_of(const struct dates *dates, char tag[static CONTENT_DIGITS + 3])
{
    unsigned char hash[crypto_generichash_BYTES];
    crypto_generichash(hash, sizeof hash, (const unsigned char *)dates->list,
                       dates->count * sizeof dates->list[0], NULL, 0);
    tag[0] = '"';
    sodium_bin2hex(tag + 1, CONTENT_DIGITS + 1, hash, CONTENT_DIGITS / 2);
    tag[CONTENT_DIGITS + 1] = '"';
    return (struct slice){tag, CONTENT_DIGITS + 2};
}

static void find_dates(struct dates *dates, struct zones *zones, const struct task *task)
{
    const struct slice none = {0};
    struct zone *own = task->time_zone.ptr ? zone_of(zones, task->time_zone, none) : NULL;

    if (task->recurrence.ptr && task->status != TASK_COMPLETED) {
        dates->count = series_list_dates(task, own ? own : dates->zone, dates->limit, dates->list);
    }
    zone_release(&own);
}

static void answer(struct http_exchange *x, const struct dates *dates)
{
    const struct field *due = resource_field(&task_resource, SLICE("due"));
    struct json_writer w = respond_json_begin(x);

    jw_open_object(&w);
    jw_name(&w, SLICE("items"));
    jw_open_array(&w);
    for (size_t i = 0; i < dates->count; i++) {
        const struct task at = {.due = dates->list[i]};
        field_write_value(due, &at, &w);
    }
    jw_close_array(&w);
    jw_close_object(&w);
    respond_json(x, 200);
}

static void got_task(struct store_op *op)
{
    struct dates *dates = OWNER_OF(op, struct dates, get.op, DATES_MAGIC);
    struct http_exchange *x = op->caller;
    char text[CONTENT_DIGITS + 3];

    if (op->result == ERROR_NONE) {
        find_dates(dates, api_of(x)->options.zones, dates->get.item);
    }
    zone_release(&dates->zone);
    if (op->result == ERROR_NOT_FOUND) {
        items_answer_not_found(x);
        return;
    }
    if (op->result != ERROR_NONE) {
        respond_error(x, op->result, NULL);
        return;
    }
    const struct slice tag = tag_of(dates, text);
    if (precondition_holds(x, &dates->conditions, tag, ITEMS_CACHE)) {
        items_answer_fields(x, tag);
        answer(x, dates);
    }
}

static void got_zone(struct http_exchange *x, void *context, struct zone *zone)
{
    struct dates *dates = context;
    dates->zone = zone;
    dates->get.op = api_op(x, got_task, x);
    dates->get.resource = items_resource(x);
    dates->get.space = api_caller(x)->user;
    dates->get.id = api_path_id(x);
    api_engine(x)->item_get(&dates->get);
}

static unsigned read_limit(const struct http_query *query, struct http_problem_errors *errors)
{
    const struct slice value = http_query_get(query, SLICE("limit"));
    uint64_t limit = DATES;
    if (value.ptr && !slice_to_u64(value, UINT64_MAX, &limit)) {
        http_problem_errors_add(
            errors, (struct http_problem_error){.parameter = SLICE("limit"),
                                                .code = "invalid",
                                                .detail = "Must be a number from 1 to 100."});
    } else if (limit < 1 || limit > SERIES_DATES_MOST) {
        http_problem_errors_add(errors,
                                (struct http_problem_error){.parameter = SLICE("limit"),
                                                            .code = "out_of_range",
                                                            .detail = "Must be from 1 to 100."});
    }
    return (unsigned)limit;
}

/* Query and header values: 400 with all that is wrong. NULL: it was answered. */
static struct dates *read_request(struct http_exchange *x)
{
    static const char *const names[] = {"limit", NULL};
    struct dates *dates = arena_new(x->arena, struct dates);
    struct http_problem_errors errors = {0};
    struct http_query query = {0};

    if (!dates) {
        respond_no_memory(x);
        return NULL;
    }
    OWNER_SET(dates, DATES_MAGIC);
    const bool read = http_query_parse(&x->request, names, x->arena, &query, &errors);
    if (read) {
        dates->limit = read_limit(&query, &errors);
    }
    if (errors.count > 0) {
        http_respond_problem(x, ERROR_INVALID_PARAMETER, NULL, &errors);
        return NULL;
    }
    if (!read) {
        respond_no_memory(x);
        return NULL;
    }
    return precondition_parse(x, &dates->conditions) ? dates : NULL;
}

bool occurrences_values(struct http_exchange *x)
{
    return read_request(x) != NULL;
}

void occurrences_list(struct http_exchange *x)
{
    struct dates *dates = read_request(x);
    if (dates) {
        request_zone_of_caller(x, got_zone, dates);
    }
}

/* ---- skipping ---- */

void occurrences_skip(struct http_exchange *x)
{
    struct store_item_write *write = items_write_begin(x, STORE_SKIP);
    if (write && items_read_nothing(x)) {
        idempotency_bind(write, NULL);
        api_engine(x)->item_write(write);
    }
}
