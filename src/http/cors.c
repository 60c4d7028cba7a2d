// SPDX-License-Identifier: MIT
#include "http/cors.h"

#include <stdlib.h>

#include "base/weburl.h"
#include "http/parser.h"
#include "http/route.h"

/* What a page may read of an answer, besides what the Fetch standard always allows. */
#define EXPOSED                                                                                    \
    "ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id, "               \
    "Idempotency-Replayed, Accept-Encoding, Accept-Patch, Allow, Content-Disposition, Date, "      \
    "WWW-Authenticate"
/* What a request may carry when its preflight does not say, or says it in a form that is wrong. */
#define REQUEST_FIELDS                                                                             \
    "Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, "              \
    "Last-Event-ID, X-Request-Id"
#define REQUEST_FIELDS_MOST 2048  /* bytes of a list that is answered as it was asked */
#define MAX_AGE             "600" /* seconds */

struct cors {
    struct slice origins; /* the list as it was given */
    bool any;
};

struct cors *cors_create(const char *origins, const char **why)
{
    struct cors *cors = calloc(1, sizeof *cors);
    if (!cors) {
        *why = "out of memory";
        return NULL;
    }
    cors->origins = slice_of(origins);
    cors->any = slice_eq(slice_trim(cors->origins), SLICE("*"));
    struct slice rest = cors->origins;
    while (rest.ptr && !cors->any) {
        if (!weburl_is_origin(slice_trim(slice_next(&rest, ',')))) {
            *why = "CORS_ORIGINS: give exact origins such as https://app.example, comma separated";
            free(cors);
            return NULL;
        }
    }
    return cors;
}

void cors_destroy(struct cors **cors)
{
    free(*cors);
    *cors = NULL;
}

static bool is_allowed(const struct cors *cors, struct slice origin)
{
    struct slice rest = cors->origins;
    while (rest.ptr && origin.len > 0) {
        if (slice_eq(slice_trim(slice_next(&rest, ',')), origin)) {
            return true;
        }
    }
    return false;
}

bool cors_add(const struct cors *cors, struct http_exchange *x)
{
    const struct http_field_value *origin = &x->request.fields[HTTP_FIELD_ORIGIN];
    if (!cors->any && (origin->count != 1 || !is_allowed(cors, origin->value))) {
        return false;
    }
    http_respond_field(x, "Access-Control-Allow-Origin", cors->any ? SLICE("*") : origin->value);
    http_respond_field(x, "Access-Control-Expose-Headers", SLICE(EXPOSED));
    return true;
}

bool cors_is_preflight(const struct http_request *request)
{
    return request->method == HTTP_OPTIONS && request->fields[HTTP_FIELD_ORIGIN].count == 1 &&
           request->fields[HTTP_FIELD_ACCESS_CONTROL_REQUEST_METHOD].count == 1;
}

/* Names of fields, comma separated, and not too many. */
static bool is_field_list(const struct http_field_value *field)
{
    struct slice rest = field->value;
    if (field->count != 1 || rest.len == 0 || rest.len > REQUEST_FIELDS_MOST) {
        return false;
    }
    while (rest.ptr) {
        if (!http_is_token(slice_trim(slice_next(&rest, ',')))) {
            return false;
        }
    }
    return true;
}

void cors_add_preflight(const struct cors *cors, struct http_exchange *x)
{
    const struct http_request *request = &x->request;
    const struct http_field_value *asked =
        &request->fields[HTTP_FIELD_ACCESS_CONTROL_REQUEST_HEADERS];
    struct buffer methods;
    if (!cors->any && !is_allowed(cors, request->fields[HTTP_FIELD_ORIGIN].value)) {
        return;
    }
    /* All methods and all that is asked for: what the server does not take it refuses itself, in an
     * answer that the page can read. */
    buffer_init(&methods, 256);
    http_allow_add(&methods, HTTP_METHODS_ALL);
    http_respond_field(x, "Access-Control-Allow-Methods", buffer_slice(&methods));
    buffer_finish(&methods);
    http_respond_field(x, "Access-Control-Allow-Headers",
                       is_field_list(asked) ? asked->value : SLICE(REQUEST_FIELDS));
    http_respond_field(x, "Access-Control-Max-Age", SLICE(MAX_AGE));
}
