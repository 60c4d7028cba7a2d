// SPDX-License-Identifier: MIT
#include "api/context.h"
#include "api/handlers.h"
#include "api/items.h"
#include "api/precondition.h"
#include "api/request_zone.h"
#include "api/respond.h"
#include "base/clock.h"
#include "base/owner.h"
#include "http/query.h"
#include "model/days.h"

/* GET /v1/summary: what all tasks of the caller come to at this moment. */

#define SUMMARY_MAGIC 0x3fc82d61u

struct summary {
    struct store_summary op;
    unsigned magic;
    struct http_exchange *x;
    struct http_conditions conditions;
};

static void write_number(struct json_writer *w, struct slice name, int64_t number)
{
    jw_name(w, name);
    jw_i64(w, number);
}

static void write_summary(const struct store_summary *op, struct json_writer *w)
{
    const struct field *status = task_resource.counted;
    jw_open_object(w);
    jw_name(w, SLICE("tasks"));
    jw_open_object(w);
    for (unsigned i = 0; i < TASK_STATUS_COUNT; i++) {
        write_number(w, status->choices[i], op->tasks[i]);
    }
    jw_close_object(w);
    write_number(w, SLICE("overdue"), op->overdue_count);
    write_number(w, SLICE("due_today"), op->today_count);
    write_number(w, SLICE("blocked"), op->blocked_count);
    jw_name(w, SLICE("lists"));
    jw_open_array(w);
    for (unsigned i = 0; i < op->list_count; i++) {
        const struct store_summary_list *list = &op->lists[i];
        char id[UUID_TEXT_LEN];
        uuid_format(list->id, id);
        const bool inbox = uuid_eq(list->id, (struct uuid){{0}});
        jw_open_object(w);
        respond_member(w, SLICE("id"), inbox ? (struct slice){0} : (struct slice){id, sizeof id});
        write_number(w, SLICE("open"), list->open);
        write_number(w, SLICE("overdue"), list->overdue);
        jw_close_object(w);
    }
    jw_close_array(w);
    jw_close_object(w);
}

static void summed(struct store_op *op)
{
    struct summary *summary = OWNER_OF(op, struct summary, op.op, SUMMARY_MAGIC);
    struct http_exchange *x = summary->x;
    char text[TAG_MOST];
    if (op->result != ERROR_NONE) {
        respond_user_error(x, op->result);
        return;
    }
    struct json_writer w = respond_json_begin(x);
    write_summary(&summary->op, &w);
    if (x->response.body->failed) {
        respond_no_memory(x);
        return;
    }
    const int64_t version = tag_content(buffer_slice(x->response.body));
    const struct slice tag = tag_make(api_tag_space(x), TAG_CONTENT, version, text);
    if (http_conditions_judge(&summary->conditions, tag) != HTTP_CONDITIONS_GO) {
        buffer_clear(x->response.body);
    }
    if (precondition_holds(x, &summary->conditions, tag, ITEMS_CACHE)) {
        items_answer_fields(x, tag);
        respond_json(x, 200);
    }
}

/* Takes the zone over. */
static void sum_up(struct http_exchange *x, void *context, struct zone *zone)
{
    struct summary *summary = OWNER_CAST(context, struct summary, SUMMARY_MAGIC);
    const int64_t now = clock_wall_ms();
    const struct days_limit passed = days_due_limit(zone, now);
    struct days_limit tomorrow;
    const struct days_limit today = days_of_day(zone, days_today(zone, now), &tomorrow);
    zone_release(&zone);
    summary->op.overdue = days_pack(&passed);
    summary->op.today = days_pack(&today);
    summary->op.tomorrow = days_pack(&tomorrow);
    api_engine(x)->summary(&summary->op);
}

/* Query and header values: 400 with all that is wrong. NULL: it was answered. `*zone` NULL: the
 * caller's own. */
static struct summary *read_request(struct http_exchange *x, struct zone **zone)
{
    static const char *const names[] = {REQUEST_ZONE, NULL};
    struct summary *summary = arena_new(x->arena, struct summary);
    struct http_problem_errors errors = {0};
    struct http_query query;
    *zone = NULL;
    if (!summary ||
        (!http_query_parse(&x->request, names, x->arena, &query, &errors) && errors.count == 0)) {
        respond_no_memory(x);
        return NULL;
    }
    OWNER_SET(summary, SUMMARY_MAGIC);
    summary->x = x;
    summary->op.op = api_op(x, summed, NULL);
    summary->op.space = api_caller(x)->user;
    const struct slice name = http_query_get(&query, SLICE(REQUEST_ZONE));
    if (name.ptr && !request_zone_named(x, name, &errors, zone)) {
        respond_error(x, ERROR_UNAVAILABLE, NULL);
        return NULL;
    }
    if (errors.count > 0) {
        http_respond_problem(x, ERROR_INVALID_PARAMETER, NULL, &errors);
        zone_release(zone);
        return NULL;
    }
    if (!precondition_parse(x, &summary->conditions)) {
        zone_release(zone);
        return NULL;
    }
    return summary;
}

bool summary_values(struct http_exchange *x)
{
    struct zone *zone = NULL;
    const bool good = read_request(x, &zone) != NULL;
    zone_release(&zone);
    return good;
}

void summary_get(struct http_exchange *x)
{
    struct zone *zone = NULL;
    struct summary *summary = read_request(x, &zone);
    if (zone) {
        sum_up(x, summary, zone);
    } else if (summary) {
        request_zone_of_caller(x, sum_up, summary);
    }
}
