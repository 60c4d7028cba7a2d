// SPDX-License-Identifier: MIT
#include "api/failures.h"

#include <assert.h>

#include "api/context.h"
#include "api/rate.h"
#include "base/clock.h"

static void append(struct failures *failures, struct slice s)
{
    size_t room = sizeof failures->key - failures->key_len;
    size_t len = s.len < room ? s.len : room;
    if (len > 0) {
        memcpy(failures->key + failures->key_len, s.ptr, len);
        failures->key_len += len;
    }
}

void failures_init(struct failures *failures, struct http_exchange *x, struct slice email,
                   bool known_address)
{
    char client[CLIENT_KEY_TEXT_MOST];
    *failures = (struct failures){.x = x, .known_address = known_address};
    append(failures, email);
    for (size_t i = 0; i < failures->key_len; i++) {
        char c = failures->key[i];
        failures->key[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    if (known_address) {
        append(failures, SLICE("\n"));
        append(failures, client_key_text(x->request.client, client));
    }
}

static struct slice key_of(const struct failures *failures)
{
    return (struct slice){failures->key, failures->key_len};
}

bool failures_take(struct failures *failures)
{
    struct throttle *throttle = api_of(failures->x)->failures;
    if (!throttle) {
        return true;
    }
    failures->state = throttle_take(throttle, key_of(failures), 1, clock_mono_ms());
    return failures->state.allowed;
}

void failures_refuse(const struct failures *failures)
{
    struct throttle *throttle = api_of(failures->x)->failures;
    assert(throttle && !failures->state.allowed);
    rate_add_fields(failures->x, throttle, &failures->state);
    rate_refuse(failures->x, throttle, &failures->state, "wrong passwords for one account");
}

void failures_keep(const struct failures *failures)
{
    struct throttle *throttle = api_of(failures->x)->failures;
    if (throttle) {
        struct throttle_state state = throttle_take(throttle, key_of(failures), 0, clock_mono_ms());
        rate_add_fields(failures->x, throttle, &state);
    }
}

void failures_give_back(const struct failures *failures)
{
    struct throttle *throttle = api_of(failures->x)->failures;
    if (throttle) {
        struct throttle_state state = throttle_give(throttle, key_of(failures), clock_mono_ms());
        rate_add_fields(failures->x, throttle, &state);
    }
}

void failures_forget(const struct failures *failures)
{
    struct throttle *throttle = api_of(failures->x)->failures;
    if (throttle && failures->known_address) {
        throttle_forget(throttle, key_of(failures));
    }
    failures_give_back(failures);
}
