// SPDX-License-Identifier: MIT
#include "http/policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"

#define TOLD_MOST 128 /* bytes of an origin that the log repeats */

static bool copy_texts(struct policy *policy, const char *const given[3])
{
    bool good = true;

    for (size_t i = 0; i < 3; i++) {
        if (given[i] && *given[i]) {
            policy->texts[i] = strdup(given[i]);
            good = good && policy->texts[i];
        }
    }
    return good;
}

struct policy *policy_create(const char *cors_origins, const char *trusted_proxies,
                             const char *client_address_header, const char **why)
{
    const char *const given[3] = {cors_origins, trusted_proxies, client_address_header};
    struct policy *policy = calloc(1, sizeof *policy);
    bool good = policy && copy_texts(policy, given);

    *why = "out of memory";
    if (policy) {
        atomic_flag_clear(&policy->origin_told);
    }
    if (good && policy->texts[0]) {
        policy->cors = cors_create(policy->texts[0], why);
        good = policy->cors != NULL;
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

/* Whether the origin is the host that was asked, however it is reached. */
static bool is_same_host(struct slice origin, struct slice host)
{
    const char *mark = origin.len > 3 ? memmem(origin.ptr, origin.len, "://", 3) : NULL;
    const size_t scheme = mark ? (size_t)(mark - origin.ptr) + 3 : 0;
    return mark && slice_eq_nocase(slice_from(origin, scheme), host);
}

void policy_tell_refused(struct policy *policy, const struct http_request *request)
{
    const struct slice origin = http_request_field(request, HTTP_FIELD_ORIGIN);
    if (is_same_host(origin, http_request_field(request, HTTP_FIELD_HOST)) ||
        atomic_flag_test_and_set(&policy->origin_told)) {
        return;
    }
    log_write(LOG_WARN, "origin_refused",
              LOG_FIELDS(LOG_T("message",
                               SLICE("pages of this origin may not read answers; if they should, "
                                     "set CORS_ORIGINS to it, or add it there after a comma")),
                         LOG_T("origin", utf8_cut(origin, TOLD_MOST))));
}

void policy_destroy(struct policy **policy)
{
    struct policy *gone = *policy;

    *policy = NULL;
    if (!gone) {
        return;
    }
    cors_destroy(&gone->cors);
    proxies_destroy(&gone->proxies);
    for (size_t i = 0; i < 3; i++) {
        free(gone->texts[i]);
    }
    free(gone);
}
