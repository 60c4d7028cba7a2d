#include "http/policy.h"

#include <stdlib.h>
#include <string.h>

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
