#include "api/event_log.h"

#include "api/context.h"
#include "base/clock.h"
#include "http/route.h"

/* The user's id as text in `text`; empty when nobody is known. */
static struct slice user_text(const struct http_exchange *x, const struct uuid *user,
                              char text[static UUID_TEXT_LEN])
{
    if (!user && x->caller) {
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
    if (!log_on(level)) {
        return;
    }
    char id[UUID_TEXT_LEN];
    log_write(level, event,
              LOG_FIELDS(LOG_T("request_id", x->request.id),
                         LOG_T("user_id", user_text(x, user, id)),
                         LOG_T("client", x->request.client), LOG_T("reason", slice_of(reason))));
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
              LOG_FIELDS(LOG_T("request_id", x->request.id), LOG_T("method", method),
                         LOG_T("route", route), LOG_N("status", x->response.status),
                         LOG_N("us", clock_mono_us() - x->started_us), LOG_N("bytes", bytes),
                         LOG_T("user_id", user_text(x, NULL, id)),
                         LOG_T("client", x->request.client), LOG_T("code", code)));
}
