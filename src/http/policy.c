// SPDX-License-Identifier: MIT
#include "http/policy.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/weburl.h"
#include "http/parser.h"
#include "http/router.h"

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
#define TOLD_MOST           128   /* bytes of an origin that the log repeats */

static bool take_origins(struct policy *policy, const char **why)
{
    policy->origins = slice_of(policy->texts[0]);
    policy->any_origin = slice_eq(slice_trim(policy->origins), SLICE("*"));
    struct slice rest = policy->origins;
    while (rest.ptr && !policy->any_origin) {
        if (!weburl_is_origin(slice_trim(slice_next(&rest, ',')))) {
            *why = "CORS_ORIGINS: give exact origins such as https://app.example, comma separated";
            return false;
        }
    }
    return true;
}

struct policy *policy_create(const char *cors_origins, const char *trusted_proxies,
                             const char *client_address_header, const char **why)
{
    const char *const given[3] = {cors_origins, trusted_proxies, client_address_header};
    struct policy *policy = calloc(1, sizeof *policy);
    bool good = policy != NULL;

    assert(why);
    *why = "out of memory";
    for (size_t i = 0; good && i < 3; i++) {
        if (given[i] && *given[i]) {
            policy->texts[i] = strdup(given[i]);
            good = policy->texts[i] != NULL;
        }
    }
    if (good) {
        atomic_flag_clear(&policy->origin_told);
        good = !policy->texts[0] || take_origins(policy, why);
    }
    if (good && policy->texts[1]) {
        policy->proxies = proxies_create(policy->texts[1], policy->texts[2], why);
        good = policy->proxies != NULL;
    }
    if (!good) {
        policy_destroy(&policy);
    }
    return policy;
}

void policy_destroy(struct policy **policy)
{
    struct policy *gone = *policy;

    *policy = NULL;
    if (!gone) {
        return;
    }
    proxies_destroy(&gone->proxies);
    for (size_t i = 0; i < 3; i++) {
        free(gone->texts[i]);
    }
    free(gone);
}

static bool is_allowed(const struct policy *policy, struct slice origin)
{
    struct slice rest = policy->origins;
    while (rest.ptr && origin.len > 0) {
        if (slice_eq(slice_trim(slice_next(&rest, ',')), origin)) {
            return true;
        }
    }
    return false;
}

/* Whether the origin is the host that was asked, however it is reached. */
static bool is_same_host(struct slice origin, struct slice host)
{
    const char *mark = origin.len > 3 ? memmem(origin.ptr, origin.len, "://", 3) : NULL;
    const size_t scheme = mark ? (size_t)(mark - origin.ptr) + 3 : 0;
    return mark && slice_eq_nocase(slice_from(origin, scheme), host);
}

void policy_add_origin(struct policy *policy, struct http_exchange *x)
{
    const struct http_field_value *origin = &x->request.fields[HTTP_FIELD_ORIGIN];
    if (policy->any_origin || (origin->count == 1 && is_allowed(policy, origin->value))) {
        http_respond_field(x, "Access-Control-Allow-Origin",
                           policy->any_origin ? SLICE("*") : origin->value);
        http_respond_field(x, "Access-Control-Expose-Headers", SLICE(EXPOSED));
        return;
    }
    if (origin->count == 0 ||
        is_same_host(origin->value, x->request.fields[HTTP_FIELD_HOST].value) ||
        atomic_flag_test_and_set(&policy->origin_told)) {
        return;
    }
    log_write(LOG_WARN, "origin_refused",
              LOG_FIELDS(LOG_T("message",
                               SLICE("pages of this origin may not read answers; if they should, "
                                     "set CORS_ORIGINS to it, or add it there after a comma")),
                         LOG_T("origin", utf8_cut(origin->value, TOLD_MOST))));
}

bool policy_is_preflight(const struct policy *policy, const struct http_request *request)
{
    return policy->origins.ptr && request->method == HTTP_OPTIONS &&
           request->fields[HTTP_FIELD_ORIGIN].count == 1 &&
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

void policy_add_preflight(const struct policy *policy, struct http_exchange *x)
{
    const struct http_request *request = &x->request;
    const struct http_field_value *asked =
        &request->fields[HTTP_FIELD_ACCESS_CONTROL_REQUEST_HEADERS];
    assert(policy_is_preflight(policy, request));
    if (!policy->any_origin && !is_allowed(policy, request->fields[HTTP_FIELD_ORIGIN].value)) {
        return;
    }
    /* All methods and all that is asked for: what the server does not take it refuses itself, in an
     * answer that the page can read. */
    http_respond_methods(x, "Access-Control-Allow-Methods", HTTP_METHODS_ALL);
    http_respond_field(x, "Access-Control-Allow-Headers",
                       is_field_list(asked) ? asked->value : SLICE(REQUEST_FIELDS));
    http_respond_field(x, "Access-Control-Max-Age", SLICE(MAX_AGE));
}
