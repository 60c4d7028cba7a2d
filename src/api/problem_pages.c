#include "api/handlers.h"
#include "api/page.h"
#include "api/respond.h"

/* GET /problems/{code}: where the `type` of every problem leads. The table of errors says what it
 * means; this one says what to do. */

static const char *const advice[ERROR_COUNT] = {
    [ERROR_MALFORMED_REQUEST] = "Let an HTTP library build the request. The server closed the "
                                "connection, because it cannot know where the next request begins.",
    [ERROR_INVALID_JSON] = "Look at the place that `detail` names. The body must be one object, in "
                           "UTF-8, with each name once.",
    [ERROR_INVALID_PARAMETER] = "`errors` names each parameter and what is wrong with it.",
    [ERROR_INVALID_HEADER] = "`detail` names the header field and the form that it must have.",
    [ERROR_UNAUTHORIZED] = "Log in with POST /v1/auth/login and send the access token in the "
                           "Authorization header field.",
    [ERROR_INVALID_TOKEN] = "Get a new access token with POST /v1/auth/refresh. If that fails too, "
                            "log in again.",
    [ERROR_INVALID_CREDENTIALS] = "Check both. The server does not tell which of them is wrong, so "
                                  "that nobody can find out who has an account.",
    [ERROR_INVALID_REFRESH_TOKEN] =
        "Log in again. Each refresh token is good for one use; keep the "
        "newest.",
    [ERROR_WRONG_PASSWORD] =
        "Send the password that the account has now. The access token is fine.",
    [ERROR_REGISTRATION_CLOSED] =
        "Ask the operator of the server for an invitation and send it as `invitation`.",
    [ERROR_INVALID_INVITATION] = "Ask the operator of the server for a new invitation.",
    [ERROR_NOT_FOUND] = "Check the path. What belongs to another account looks the same as what is "
                        "not there.",
    [ERROR_METHOD_NOT_ALLOWED] = "Use one of the methods in the Allow header field.",
    [ERROR_NOT_ACCEPTABLE] = "Leave Accept out, or name the media type that `detail` says.",
    [ERROR_REQUEST_TIMEOUT] = "Send the request again on a new connection, without a pause in it.",
    [ERROR_EMAIL_TAKEN] = "Log in with that e-mail, or use another one.",
    [ERROR_IDEMPOTENCY_KEY_IN_USE] = "Wait a moment and send the same request again.",
    [ERROR_PRECONDITION_FAILED] = "Read the resource, merge your change into it and send it with "
                                  "the new ETag.",
    [ERROR_CONTENT_TOO_LARGE] = "Send less. The server closed the connection.",
    [ERROR_URI_TOO_LONG] = "Shorten the query.",
    [ERROR_UNSUPPORTED_MEDIA_TYPE] = "Send the media type that `detail` says, in UTF-8, without a "
                                     "Content-Encoding.",
    [ERROR_EXPECTATION_FAILED] = "Leave the Expect header field out, or send 100-continue.",
    [ERROR_VALIDATION_FAILED] =
        "`errors` lists every member that is wrong: where it is, a code for "
        "programs and a sentence for people.",
    [ERROR_IDEMPOTENCY_KEY_REUSED] = "Make a new key for each new thing to do.",
    [ERROR_RATE_LIMITED] = "Wait as many seconds as Retry-After says. RateLimit tells how much is "
                           "left before it comes to that.",
    [ERROR_HEADER_FIELDS_TOO_LARGE] = "Send fewer or shorter header fields.",
    [ERROR_INTERNAL_ERROR] = "This is a fault of the server. Tell its operator the request_id.",
    [ERROR_NOT_IMPLEMENTED] = "Use one of GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS.",
    [ERROR_OVERLOADED] = "Nothing was changed. Send the request again after Retry-After.",
    [ERROR_UNAVAILABLE] =
        "Send the request again after Retry-After. With an Idempotency-Key a write "
        "is never done twice.",
    [ERROR_OUTCOME_UNKNOWN] =
        "Send the same request again with the same Idempotency-Key: it answers what came of the "
        "first one, or does it now. Without a key, read what is there before you repeat it.",
    [ERROR_HTTP_VERSION_NOT_SUPPORTED] = "Speak HTTP/1.1.",
    [ERROR_STORAGE_FULL] = "Reading still works. The operator has to make room on the disk.",
    [ERROR_QUOTA_EXCEEDED] = "Reading and deleting still work. Delete what you no longer need, or "
                             "ask the operator for a higher limit.",
};

static enum error find_error(struct slice code)
{
    for (unsigned i = ERROR_NONE + 1; i < ERROR_COUNT; i++) {
        if (slice_eq(slice_of(error_row((enum error)i)->code), code)) {
            return (enum error)i;
        }
    }
    return ERROR_NONE;
}

void problem_pages_get(struct http_exchange *x)
{
    enum error error = find_error(x->request.parameters[0]);
    if (error == ERROR_NONE) {
        respond_error(x, ERROR_NOT_FOUND, "There is no problem of that name.");
        return;
    }
    const struct error_row *row = error_row(error);
    page_begin(x, row->title);
    buffer_add_format(x->response.body, "<p class=\"status\">Status %d, code <code>%s</code></p>\n",
                      row->status, row->code);
    page_add_paragraph(x, row->detail);
    page_add_paragraph(x, advice[error]);
    page_send(x);
}
