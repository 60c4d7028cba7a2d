// SPDX-License-Identifier: MIT
#include "http/dispatch.h"

#include <assert.h>
#include <stdio.h>

#include "http/charges.h"
#include "http/connection.h"
#include "http/http_metrics.h"
#include "http/loop.h"
#include "http/negotiate.h"
#include "http/query.h"

#define RETRY_SECONDS_MOST 4

#define BODY_TIMES                                                                                 \
    2 /* as much memory as its body may a request take: what is read of it is copied */

#define ACCOUNT_FULL                                                                               \
    "Your requests hold as much of this server's memory as one client's may. Read the answers "    \
    "that are on their way, send fewer at once, and try again shortly."

/* Spread, so that those who were refused together do not come back together. */
void dispatch_refuse_overload(struct http_exchange *x, const char *detail)
{
    http_metrics_shed(x->loop);
    unsigned char spread = (unsigned char)x->request.id.ptr[x->request.id.len - 1];
    http_respond_field_format(x, "Retry-After", "%d", 1 + spread % RETRY_SECONDS_MOST);
    http_respond_problem(x, ERROR_OVERLOADED, detail, NULL);
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
    if (allow != 0) {
        add_allow(x, allow);
    }
    if (x->loop->policy->cors && cors_is_preflight(&x->request)) {
        cors_add_preflight(x->loop->policy->cors, x);
    }
    http_respond_status(x, 204);
}

/* 405 with the methods that there are. */
static void refuse_method(struct http_exchange *x, unsigned allow)
{
    struct buffer detail;
    buffer_init(&detail, 256);
    buffer_add_text(&detail, "This resource has ");
    http_allow_add(&detail, allow);
    buffer_add(&detail, SLICE(".\0"));
    add_allow(x, allow);
    http_respond_problem(x, ERROR_METHOD_NOT_ALLOWED, detail.failed ? NULL : detail.data, NULL);
    buffer_finish(&detail);
}

static void refuse_media_type(struct http_exchange *x, enum negotiate_body wrong)
{
    static const char *const causes[] = {
        [NEGOTIATE_CODING] = "The body has a Content-Encoding, and this call takes none.",
        [NEGOTIATE_REPEATED] = "There is more than one Content-Type.",
        [NEGOTIATE_TYPE] = "The type in Content-Type is not one that this call takes.",
        [NEGOTIATE_CHARSET] = "The charset in Content-Type is not utf-8.",
        [NEGOTIATE_PARAMETER] = "Content-Type has a parameter that is not charset=utf-8.",
    };
    const bool patches = x->route->consumes & HTTP_CONSUMES_MERGE_PATCH;
    char detail[256];
    (void)snprintf(detail, sizeof detail,
                   "%s Send the body as %sapplication/json in UTF-8 without a content encoding.",
                   causes[wrong], patches ? "application/merge-patch+json or " : "");
    if (wrong == NEGOTIATE_CODING) {
        http_respond_field(x, "Accept-Encoding", SLICE("identity")); /* RFC 9110 section 15.5.16 */
    }
    if (patches) {
        http_respond_field(x, "Accept-Patch",
                           SLICE("application/merge-patch+json, application/json"));
    }
    http_respond_problem(x, ERROR_UNSUPPORTED_MEDIA_TYPE, detail, NULL);
}

static void refuse_body(struct http_exchange *x)
{
    struct http_problem_errors errors = {0};
    http_problem_errors_add(&errors,
                            (struct http_problem_error){.pointer = SLICE(""),
                                                        .code = "not_allowed",
                                                        .detail = "This call takes no body."});
    http_respond_problem(x, ERROR_VALIDATION_FAILED,
                         "This call takes no body, and one was sent. Send none.", &errors);
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

static enum http_verdict refuse_room(struct http_exchange *x, enum ledger_room room)
{
    dispatch_refuse_overload(x, room == LEDGER_ACCOUNT_FULL ? ACCOUNT_FULL : NULL);
    return HTTP_ANSWERED;
}

/* Who asks is known now: they are charged, and those who take most are refused first. */
static enum http_verdict admit(struct http_exchange *x)
{
    struct http_connection *c = request_state_of(x)->connection;
    charges_bill(c, x->payer ? x->payer : request_state_payer_of(x->request.client));
    if (x->route->always) {
        return HTTP_GO;
    }
    if (http_loop_overloaded(x->loop, charges_are_high(c))) {
        dispatch_refuse_overload(x, NULL);
        return HTTP_ANSWERED;
    }
    const enum ledger_room room = charges_admit(c, 0);
    return room == LEDGER_ROOM ? HTTP_GO : refuse_room(x, room);
}

/* Nothing is known of a body whose first byte has not come: it may be an empty one. */
static bool body_is_known(const struct request_state *state)
{
    return state->whole || state->head.framing != HTTP_BODY_CHUNKED || state->body_len > 0;
}

static bool has_body(const struct request_state *state)
{
    return state->body_len > 0 ||
           (state->head.framing == HTTP_BODY_LENGTH && state->head.content_length > 0);
}

/* One of known length is begun only if all of it will find room. */
static enum http_verdict receive(struct http_exchange *x)
{
    struct request_state *state = request_state_of(x);
    if (state->head.framing == HTTP_BODY_LENGTH) {
        const size_t bytes = BODY_TIMES * (size_t)state->head.content_length;
        const enum ledger_room room = charges_admit(state->connection, bytes);
        if (room != LEDGER_ROOM && !x->route->always) {
            return refuse_room(x, room);
        }
        state->reserved = bytes;
    }
    return http_connection_receive(state);
}

static enum http_verdict negotiate(struct http_exchange *x)
{
    const struct http_route *route = x->route;
    struct request_state *state = request_state_of(x);
    if (!body_is_known(state)) {
        state->stage = STAGE_NEGOTIATE;
        return receive(x);
    }
    if (http_route_negotiates(route) &&
        !negotiate_accepts(&x->request, slice_of(route->produces))) {
        negotiate_refuse_accept(x, route->produces);
        return HTTP_ANSWERED;
    }
    if (route->consumes && has_body(state)) {
        const enum negotiate_body body = negotiate_consumes(&x->request, route->consumes);
        if (body != NEGOTIATE_GOOD) {
            refuse_media_type(x, body);
            return HTTP_ANSWERED;
        }
    }
    /* Calls that have parameters check them together with their values. */
    bool none_allowed = !route->query && !route->query_ignored;
    if (none_allowed && x->request.query.ptr && refuse_query(x)) {
        return HTTP_ANSWERED;
    }
    if (!route->consumes && has_body(state) && !route->always) {
        if (!route->values || route->values(x)) {
            refuse_body(x);
        }
        return HTTP_ANSWERED;
    }
    return HTTP_GO;
}

static enum http_verdict run_stage(struct http_exchange *x, enum request_stage stage)
{
    const struct http_hooks *hooks = &x->loop->server->options.hooks;
    switch (stage) {
    case STAGE_AUTHORIZE:
        return x->route->access == HTTP_ACCESS_PUBLIC ? HTTP_GO : hooks->authorize(x);
    case STAGE_ADMIT: return admit(x);
    case STAGE_QUOTA: return x->route->quota ? hooks->quota(x) : HTTP_GO;
    case STAGE_NEGOTIATE: return negotiate(x);
    case STAGE_BODY: return request_state_of(x)->whole ? HTTP_GO : receive(x);
    default: x->route->handler(x); return HTTP_ANSWERED;
    }
}

void http_continue(struct http_exchange *x)
{
    struct request_state *state = request_state_of(x);
    enum http_verdict verdict = HTTP_GO;
    while (verdict == HTTP_GO) {
        /* Set before the stage runs: it may end the exchange. */
        enum request_stage stage = state->stage++;
        assert(stage <= STAGE_HANDLE);
        verdict = run_stage(x, stage);
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
    const struct request_state *state = request_state_of(x);
    unsigned allow = state->asterisk ? HTTP_METHODS_ALL : state->allow;
    /* A preflight is never refused: the page would see a fault of CORS and not what is wrong. */
    if (x->loop->policy->cors && cors_is_preflight(&x->request)) {
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
    const bool refused = state->connection->guest || http_loop_overloaded(x->loop, false);
    if (!x->route->always && refused) {
        dispatch_refuse_overload(x, NULL);
        return;
    }
    http_continue(x);
}
