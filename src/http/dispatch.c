#include "http/dispatch.h"

#include <assert.h>

#include "http/loop.h"
#include "http/negotiate.h"
#include "http/query.h"
#include "http/traffic.h"

#define RETRY_SECONDS_MOST 4

#define MALFORMED_ID                                                                               \
    "An id is a UUID such as 01a20472-533f-74f7-8a77-8e2ec4b5150b; something else stands in its "  \
    "place in the path."

/* Spread, so that those who were refused together do not come back together. */
static void refuse_overload(struct http_exchange *x)
{
    traffic_shed(x->loop);
    unsigned char spread = (unsigned char)x->request.id.ptr[x->request.id.len - 1];
    http_respond_field_format(x, "Retry-After", "%d", 1 + spread % RETRY_SECONDS_MOST);
    http_respond_problem(x, ERROR_OVERLOADED, NULL, NULL);
}

static void add_allow(struct http_exchange *x, unsigned allow)
{
    struct buffer methods;
    buffer_init(&methods, 256);
    http_allow_add(&methods, allow);
    http_respond_field(x, "Allow", buffer_slice(&methods));
    buffer_finish(&methods);
}

static void answer_options(struct http_exchange *x, unsigned allow)
{
    const struct cors *cors = x->loop->policy->cors;
    add_allow(x, allow);
    if (cors) {
        cors_add_preflight(cors, x, allow);
    }
    http_respond_status(x, 204);
}

static void refuse_media_type(struct http_exchange *x)
{
    if (x->route->consumes & HTTP_CONSUMES_MERGE_PATCH) {
        http_respond_field(x, "Accept-Patch",
                           SLICE("application/merge-patch+json, application/json"));
        http_respond_problem(x, ERROR_UNSUPPORTED_MEDIA_TYPE,
                             "Send the body as application/merge-patch+json or application/json "
                             "in UTF-8 without a content encoding.",
                             NULL);
        return;
    }
    http_respond_problem(x, ERROR_UNSUPPORTED_MEDIA_TYPE, NULL, NULL);
}

static bool refuse_query(struct http_exchange *x)
{
    struct http_problem_errors errors = {0};
    struct http_query none;
    if (http_query_parse(&x->request, NULL, x->arena, &none, &errors)) {
        return false;
    }
    http_respond_problem(x, ERROR_INVALID_PARAMETER, NULL, &errors);
    return true;
}

static enum http_verdict negotiate(struct http_exchange *x)
{
    const struct http_route *route = x->route;
    if (route->produces && !negotiate_accepts(&x->request, slice_of(route->produces))) {
        http_respond_problem(x, ERROR_NOT_ACCEPTABLE, NULL, NULL);
        return HTTP_ANSWERED;
    }
    if (route->consumes && x->request.body.len > 0 &&
        !negotiate_consumes(&x->request, route->consumes)) {
        refuse_media_type(x);
        return HTTP_ANSWERED;
    }
    /* Calls that have parameters check them together with their values. */
    bool none_allowed = !route->query && !route->query_ignored;
    return none_allowed && x->request.query.ptr && refuse_query(x) ? HTTP_ANSWERED : HTTP_GO;
}

static enum http_verdict run_stage(struct http_exchange *x, enum exchange_stage stage)
{
    const struct http_hooks *hooks = &x->loop->server->options.hooks;
    switch (stage) {
    case STAGE_AUTHORIZE:
        return x->route->access == HTTP_ACCESS_PUBLIC ? HTTP_GO : hooks->authorize(x);
    case STAGE_QUOTA: return x->route->quota ? hooks->quota(x) : HTTP_GO;
    case STAGE_NEGOTIATE: return negotiate(x);
    default: x->route->handler(x); return HTTP_ANSWERED;
    }
}

void http_continue(struct http_exchange *x)
{
    struct exchange *exchange = exchange_of(x);
    enum http_verdict verdict = HTTP_GO;
    while (verdict == HTTP_GO) {
        /* Set before the stage runs: it may end the exchange. */
        enum exchange_stage stage = exchange->stage++;
        assert(stage <= STAGE_HANDLE);
        verdict = run_stage(x, stage);
    }
}

void http_dispatch(struct http_exchange *x)
{
    const unsigned all = (1U << HTTP_METHOD_COUNT) - 1;
    const struct exchange *exchange = exchange_of(x);
    unsigned allow = exchange->asterisk ? all : exchange->allow;
    if (allow == 0) {
        http_respond_problem(x, ERROR_NOT_FOUND, exchange->malformed_id ? MALFORMED_ID : NULL,
                             NULL);
        return;
    }
    if (!x->route && x->request.method == HTTP_OPTIONS) {
        answer_options(x, allow);
        return;
    }
    if (!x->route) {
        add_allow(x, allow);
        http_respond_problem(x, ERROR_METHOD_NOT_ALLOWED, NULL, NULL);
        return;
    }
    if (!x->route->always && http_loop_overloaded(x->loop)) {
        refuse_overload(x);
        return;
    }
    http_continue(x);
}
