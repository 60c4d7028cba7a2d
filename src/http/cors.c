#include "http/cors.h"

#include <stdlib.h>

#include "http/route.h"

#define EXPOSED                                                                                    \
    "ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id, "               \
    "Idempotency-Replayed"
#define REQUEST_FIELDS                                                                             \
    "Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-Id"
#define MAX_AGE "600" /* seconds */

struct cors {
    struct slice origins; /* the list as it was given */
    bool any;
};

/* scheme "://" host [":" port], as browsers send it: no path, no blank, lower case. */
static bool is_origin(struct slice text)
{
    struct slice http = SLICE("http://");
    struct slice https = SLICE("https://");
    struct slice scheme = slice_starts(text, https) ? https : http;
    if (!slice_starts(text, scheme) || text.len == scheme.len) {
        return false;
    }
    for (size_t i = scheme.len; i < text.len; i++) {
        char c = text.ptr[i];
        bool good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                    (c != '\0' && strchr("-._:[]", c) != NULL);
        if (!good) {
            return false;
        }
    }
    return true;
}

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
        if (!is_origin(slice_trim(slice_next(&rest, ',')))) {
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

/* Adds the origin; false when it may not read the answer. */
static bool add_origin(const struct cors *cors, struct http_exchange *x)
{
    if (cors->any) {
        http_respond_field(x, "Access-Control-Allow-Origin", SLICE("*"));
        return true;
    }
    /* A cache must not give the answer for one origin to another one. */
    http_respond_field(x, "Vary", SLICE("Origin"));
    const struct http_field_value *origin = &x->request.fields[HTTP_FIELD_ORIGIN];
    if (origin->count != 1 || !is_allowed(cors, origin->value)) {
        return false;
    }
    http_respond_field(x, "Access-Control-Allow-Origin", origin->value);
    return true;
}

void cors_add(const struct cors *cors, struct http_exchange *x)
{
    if (add_origin(cors, x)) {
        http_respond_field(x, "Access-Control-Expose-Headers", SLICE(EXPOSED));
    }
}

void cors_add_preflight(const struct cors *cors, struct http_exchange *x, unsigned allow)
{
    const struct http_request *request = &x->request;
    bool asked = request->fields[HTTP_FIELD_ORIGIN].count == 1 &&
                 request->fields[HTTP_FIELD_ACCESS_CONTROL_REQUEST_METHOD].count == 1;
    if (!asked || (!cors->any && !is_allowed(cors, request->fields[HTTP_FIELD_ORIGIN].value))) {
        return;
    }
    struct buffer methods;
    buffer_init(&methods, 256);
    http_allow_add(&methods, allow);
    http_respond_field(x, "Access-Control-Allow-Methods", buffer_slice(&methods));
    buffer_finish(&methods);
    http_respond_field(x, "Access-Control-Allow-Headers", SLICE(REQUEST_FIELDS));
    http_respond_field(x, "Access-Control-Max-Age", SLICE(MAX_AGE));
}
