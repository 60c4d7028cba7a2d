// SPDX-License-Identifier: MIT
#include "api/event_log.h"

#include "api/context.h"
#include "base/metrics.h"
#include "http/route.h"
#include "http/trace.h"

/* The user's id as text in `text`; empty when nobody is known. */
static struct slice user_text(const struct http_exchange *x, const struct uuid *user,
                              char text[static UUID_TEXT_LEN])
{
    if (!user && api_admitted(x)) {
        user = &api_caller(x)->user;
    }
    if (!user) {
        return (struct slice){0};
    }
    uuid_format(*user, text);
    return (struct slice){text, UUID_TEXT_LEN};
}

void event_log(const struct http_exchange *x, enum log_level level, const char *event,
               const struct uuid *user, const char *reason)
{
    metrics_count(METRIC_SECURITY_EVENTS, event);
    if (!log_on(level)) {
        return;
    }
    char id[UUID_TEXT_LEN];
    log_write(level, event,
              LOG_FIELDS(LOG_O("reason", slice_of(reason)), LOG_T("client", x->request.client),
                         LOG_O("user_id", user_text(x, user, id)),
                         LOG_T("request_id", x->request.id),
                         LOG_O("trace_id", http_trace_id(&x->request))));
}

void event_log_request(struct http_exchange *x, size_t bytes)
{
    if (!log_on(LOG_INFO)) {
        return;
    }
    char id[UUID_TEXT_LEN];
    /* Without a target the request line was never understood. */
    struct slice method =
        x->request.target.ptr ? http_method_name(x->request.method) : (struct slice){0};
    struct slice route = slice_of(x->route ? x->route->path : NULL);
    struct slice code = slice_of(x->error != ERROR_NONE ? error_row(x->error)->code : NULL);
    log_write(LOG_INFO, "request",
              LOG_FIELDS(LOG_WORD("method", method), LOG_WORD("route", route),
                         LOG_HTTP_STATUS("status", x->response.status), LOG_US("us", x->took_us),
                         LOG_O("code", code),
                         LOG_O("outcome", x->abandoned ? SLICE("abandoned") : (struct slice){0}),
                         LOG_N("bytes", bytes), LOG_T("client", x->request.client),
                         LOG_O("user_id", user_text(x, NULL, id)),
                         LOG_T("request_id", x->request.id),
                         LOG_O("trace_id", http_trace_id(&x->request))));
}
