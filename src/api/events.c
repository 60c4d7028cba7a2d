// SPDX-License-Identifier: MIT
#include "api/event_stream.h"
#include "api/feed.h"
#include "api/handlers.h"
#include "http/query.h"
#include "http/stream.h"

/* GET /v1/events: from where the stream goes on. */

#define CURSOR "cursor"

/* An empty cursor counts as none. */
static void forgive_empty(struct http_problem_errors *errors)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < errors->count; i++) {
        const struct http_problem_error *error = &errors->list[i];
        if (!slice_eq(error->parameter, SLICE(CURSOR)) ||
            !slice_eq(slice_of(error->code), SLICE("empty"))) {
            errors->list[kept++] = *error;
        }
    }
    errors->count = kept;
}

/* Where the client stopped, of the two ways to say so; ptr NULL: it does not. False: it was
 * answered. */
static bool read_cursor(struct http_exchange *x, struct slice *cursor)
{
    static const char *const names[] = {CURSOR, NULL};
    const struct http_field_value *last = &x->request.fields[HTTP_FIELD_LAST_EVENT_ID];
    struct http_problem_errors errors = {0};
    struct http_query query;
    const bool parsed = http_query_parse(&x->request, names, x->arena, &query, &errors);
    if (!parsed && errors.count == 0) {
        respond_no_memory(x);
        return false;
    }
    forgive_empty(&errors);
    if (errors.count > 0) {
        http_respond_problem(x, ERROR_INVALID_PARAMETER, NULL, &errors);
        return false;
    }
    if (last->count > 1) {
        respond_error(x, ERROR_INVALID_HEADER,
                      "Last-Event-ID came more than once. Send the `id` of the last event.");
        return false;
    }
    *cursor = last->value.len > 0 ? last->value : http_query_get(&query, SLICE(CURSOR));
    return true;
}

/* False: it was answered. */
static bool read_place(struct http_exchange *x, struct store_changes_place *place, bool *gone)
{
    struct slice cursor = {0};
    *place = (struct store_changes_place){.from = STORE_CHANGES_FROM_NOW};
    *gone = false;
    if (!read_cursor(x, &cursor)) {
        return false;
    }
    if (!cursor.ptr) {
        return true;
    }
    const enum feed_cursor verdict =
        feed_cursor_read(api_keys(x), api_of(x)->epoch, api_caller(x)->user, cursor, place);
    *gone = verdict == FEED_CURSOR_GONE;
    if (verdict == FEED_CURSOR_BAD) {
        const struct http_problem_errors errors = {
            .list = {{.parameter = SLICE(CURSOR), .code = "invalid", .detail = FEED_CURSOR_DETAIL}},
            .count = 1,
        };
        http_respond_problem(x, ERROR_INVALID_PARAMETER, NULL, &errors);
    }
    return verdict != FEED_CURSOR_BAD;
}

bool events_values(struct http_exchange *x)
{
    struct store_changes_place place;
    bool gone = false;
    return read_place(x, &place, &gone);
}

void events_stream(struct http_exchange *x)
{
    struct store_changes_place place;
    bool gone = false;
    if (!read_place(x, &place, &gone)) {
        return;
    }
    if (x->request.method == HTTP_HEAD) {
        http_stream_promise(x);
        event_stream_fields(x);
        http_respond_body(x, 200, EVENT_STREAM_TYPE);
        return;
    }
    event_stream_begin(x, &place, gone);
}
