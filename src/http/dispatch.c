// SPDX-License-Identifier: MIT

#include "http/dispatch.h"

#include <assert.h>
#include <stdio.h>

#include "http/connection.h"
#include "http/fields.h"
#include "http/http_metrics.h"
#include "http/loop.h"
#include "http/query.h"
#include "http/router.h"

#define RETRY_SECONDS_MOST 4

/* As much memory as its body may a request take: what is read of it is copied. */
#define BODY_TIMES 2
/* What a request takes at least, answer and buffers included. */
#define REQUEST_BYTES ((size_t)32 * 1024)

#define ACCOUNT_FULL                                                                               \
    "Your requests hold as much of this server's memory as one client's may. Read the answers "    \
    "that are on their way, send fewer at once, and try again shortly."

/* Spread, so that those who were refused together do not come back together. */
void dispatch_refuse_overload(struct http_exchange *x, const char *detail)
{
    assert(x->request.id.len > 0);
    http_metrics_count(x->loop, METRIC_HTTP_SHED);
    unsigned char spread = (unsigned char)x->request.id.ptr[x->request.id.len - 1];
    http_respond_field_format(x, "Retry-After", "%d", 1 + spread % RETRY_SECONDS_MOST);
    http_respond_problem(x, ERROR_OVERLOADED, detail, NULL);
}

static void answer_options(struct http_exchange *x, unsigned allow)
{
    if (allow != 0) {
        http_respond_methods(x, "Allow", allow);
    }
    if (policy_is_preflight(x->loop->policy, &x->request)) {
        policy_add_preflight(x->loop->policy, x);
    }
    http_respond_status(x, 204);
}

/* 405 with the methods that there are. */
static void refuse_method(struct http_exchange *x, unsigned allow)
{
    struct buffer detail;
    buffer_init(&detail, 256);
    buffer_add_text(&detail, "This resource has ");
    http_methods_add(&detail, allow);
    buffer_add(&detail, SLICE(".\0"));
    http_respond_methods(x, "Allow", allow);
    http_respond_problem(x, ERROR_METHOD_NOT_ALLOWED, detail.failed ? NULL : detail.data, NULL);
    buffer_finish(&detail);
}

static void refuse_media_type(struct http_exchange *x, enum http_body_type wrong)
{
    static const char *const causes[] = {
        [HTTP_BODY_TYPE_CODING] = "The body has a Content-Encoding, and this call takes none.",
        [HTTP_BODY_TYPE_REPEATED] = "There is more than one Content-Type.",
        [HTTP_BODY_TYPE_TYPE] = "The type in Content-Type is not one that this call takes.",
        [HTTP_BODY_TYPE_CHARSET] = "The charset in Content-Type is not utf-8.",
        [HTTP_BODY_TYPE_PARAMETER] = "Content-Type has a parameter that is not charset=utf-8.",
    };
    const bool patches = x->route->consumes & HTTP_CONSUMES_MERGE_PATCH;
    char detail[256];
    (void)snprintf(detail, sizeof detail,
                   "%s Send the body as %sapplication/json in UTF-8 without a content encoding.",
                   causes[wrong], patches ? "application/merge-patch+json or " : "");
    if (wrong == HTTP_BODY_TYPE_CODING) {
        http_respond_field(x, "Accept-Encoding", SLICE("identity")); /* RFC 9110 section 15.5.16 */
    }
    if (patches) {
        http_respond_field(x, "Accept-Patch",
                           SLICE("application/merge-patch+json, application/json"));
    }
    http_respond_problem(x, ERROR_UNSUPPORTED_MEDIA_TYPE, detail, NULL);
}

/* Refuses what holds `bytes` besides what a request usually takes, if there is no room for it. */
static enum http_verdict admit_bytes(struct http_exchange *x, size_t bytes)
{
    struct http_connection *c = REQUEST_STATE_OF(x)->connection;
    const size_t typical = c->account ? c->account->typical : 0;
    const enum ledger_room room = http_connection_room(c, bytes + typical + REQUEST_BYTES);
    if (room == LEDGER_ROOM || x->route->always) {
        return HTTP_GO;
    }
    dispatch_refuse_overload(x, room == LEDGER_ACCOUNT_FULL ? ACCOUNT_FULL : NULL);
    return HTTP_ANSWERED;
}

/* The caller is known now and is charged; those who take most are refused first. */
static enum http_verdict admit(struct http_exchange *x)
{
    struct http_connection *c = REQUEST_STATE_OF(x)->connection;
    http_connection_bill(c, x->payer ? x->payer : request_payer_of(x->request.client));
    if (x->route->always) {
        return HTTP_GO;
    }
    /* What comes through a proxy was not put in order by who asks: in an overload they are refused
     * here, once they have had twice their share. */
    const unsigned times = c->trusted ? 2 : 1;
    const bool expensive = ledger_expensive(&x->loop->ledger, c->account, times);
    if ((expensive && c->trusted && x->loop->overload.standing) ||
        http_loop_overloaded(x->loop, c, expensive)) {
        dispatch_refuse_overload(x, NULL);
        return HTTP_ANSWERED;
    }
    return admit_bytes(x, 0);
}

static bool has_body(const struct request_state *state)
{
    return state->body_len > 0 ||
           (state->head.framing == HTTP_BODY_LENGTH && state->head.content_length > 0);
}

/* A body of known length is begun only if all of it will find room. */
static enum http_verdict receive(struct http_exchange *x)
{
    struct request_state *state = REQUEST_STATE_OF(x);
    if (state->head.framing == HTTP_BODY_LENGTH) {
        const size_t bytes = BODY_TIMES * (size_t)state->head.content_length;
        if (admit_bytes(x, bytes) != HTTP_GO) {
            return HTTP_ANSWERED;
        }
        state->reserved = bytes;
    }
    return request_await_body(state);
}

bool dispatch_negotiates(const struct http_route *route)
{
    return route->produces && !route->always;
}

static enum http_verdict negotiate(struct http_exchange *x)
{
    const struct http_route *route = x->route;
    struct request_state *state = REQUEST_STATE_OF(x);
    /* Nothing is known of chunks before the last one has come: they may be wrong, or empty. */
    if (!state->whole && state->head.framing == HTTP_BODY_CHUNKED) {
        state->stage = STAGE_NEGOTIATE;
        return receive(x);
    }
    if (dispatch_negotiates(route) && !http_accepts(&x->request, slice_of(route->produces))) {
        http_respond_not_acceptable(x, route->produces);
        return HTTP_ANSWERED;
    }
    if (route->consumes && has_body(state)) {
        const enum http_body_type body = http_body_type(&x->request, route->consumes);
        if (body != HTTP_BODY_TYPE_GOOD) {
            refuse_media_type(x, body);
            return HTTP_ANSWERED;
        }
    }
    /* Calls that have parameters check them together with their values. */
    if (!route->query && !route->query_ignored && x->request.query.ptr) {
        struct http_problem_errors errors = {0};
        struct http_query none;
        if (!http_query_parse(&x->request, NULL, x->arena, &none, &errors)) {
            http_respond_problem(x, ERROR_INVALID_PARAMETER, NULL, &errors);
            return HTTP_ANSWERED;
        }
    }
    if (!route->consumes && has_body(state) && !route->always) {
        const struct http_problem_error none_taken = {
            .pointer = SLICE(""), .code = "not_allowed", .detail = "This call takes no body."};
        const struct http_problem_errors errors = {.list = {none_taken}, .count = 1};
        if (!route->values || route->values(x)) {
            http_respond_problem(x, ERROR_VALIDATION_FAILED,
                                 "This call takes no body, and one was sent. Send none.", &errors);
        }
        return HTTP_ANSWERED;
    }
    return HTTP_GO;
}

void http_continue(struct http_exchange *x)
{
    const struct http_hooks *hooks = &x->loop->server->options.hooks;
    struct request_state *state = REQUEST_STATE_OF(x);
    enum http_verdict verdict = HTTP_GO;
    while (verdict == HTTP_GO) {
        /* Set before the stage runs: it may end the exchange. */
        enum request_stage stage = state->stage++;
        assert(stage <= STAGE_HANDLE);
        switch (stage) {
        case STAGE_AUTHORIZE:
            verdict = x->route->access == HTTP_ACCESS_PUBLIC ? HTTP_GO : hooks->authorize(x);
            break;
        case STAGE_ADMIT: verdict = admit(x); break;
        case STAGE_QUOTA: verdict = x->route->quota ? hooks->quota(x) : HTTP_GO; break;
        case STAGE_NEGOTIATE: verdict = negotiate(x); break;
        case STAGE_BODY: verdict = state->whole ? HTTP_GO : receive(x); break;
        default: x->route->handler(x); verdict = HTTP_ANSWERED;
        }
    }
}

/* NULL: the text of not_found. */
static const char *why_nowhere(const struct request_state *state)
{
    if (state->malformed_id) {
        return "An id is a UUID such as 01a20472-533f-74f7-8a77-8e2ec4b5150b; something else "
               "stands in its place in the path.";
    }
    if (state->nowhere) {
        return "An empty segment (two slashes), `.` or `..` stands in the path, which is taken as "
               "it is: leave it out.";
    }
    const struct slice path = state->x.request.path;
    return path.len > 1 && path.ptr[path.len - 1] == '/'
               ? "No path of this server ends with a slash: leave it out."
               : NULL;
}

void http_dispatch(struct http_exchange *x)
{
    const struct request_state *state = REQUEST_STATE_OF(x);
    const unsigned allow = state->asterisk ? HTTP_METHODS_ALL : state->allow;
    assert(state->stage == STAGE_AUTHORIZE && state->connection->state == CONNECTION_HANDLING);
    /* A preflight is never refused: the page would see a fault of CORS and not what is wrong. */
    if (x->request.method == HTTP_OPTIONS && policy_is_preflight(x->loop->policy, &x->request)) {
        answer_options(x, allow);
        return;
    }
    if (allow == 0) {
        http_respond_problem(x, ERROR_NOT_FOUND, why_nowhere(state), NULL);
        return;
    }
    if (!x->route && x->request.method == HTTP_OPTIONS) {
        answer_options(x, allow);
        return;
    }
    if (!x->route) {
        refuse_method(x, allow);
        return;
    }
    const struct http_connection *c = state->connection;
    const bool refused = c->guest || http_loop_overloaded(x->loop, c, false);
    if (!x->route->always && refused) {
        dispatch_refuse_overload(x, NULL);
        return;
    }
    http_continue(x);
}
