// SPDX-License-Identifier: MIT
#include "api/login_limit.h"

#include <assert.h>

#include "api/context.h"
#include "api/rate.h"
#include "base/clock.h"

static void append(struct login_limit *limit, struct slice s)
{
    size_t room = sizeof limit->key - limit->key_len;
    size_t len = s.len < room ? s.len : room;
    if (len > 0) {
        memcpy(limit->key + limit->key_len, s.ptr, len);
        limit->key_len += len;
    }
}

void login_limit_init(struct login_limit *limit, struct http_exchange *x, struct slice email,
                      bool known_address)
{
    char client[CLIENT_KEY_TEXT_MOST];
    *limit = (struct login_limit){.x = x, .known_address = known_address};
    append(limit, email);
    for (size_t i = 0; i < limit->key_len; i++) {
        char c = limit->key[i];
        limit->key[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    if (known_address) {
        append(limit, SLICE("\n"));
        append(limit, client_key_text(x->request.client, client));
    }
}

static struct slice key_of(const struct login_limit *limit)
{
    return (struct slice){limit->key, limit->key_len};
}

bool login_limit_take(struct login_limit *limit)
{
    struct throttle *throttle = api_of(limit->x)->failures;
    if (!throttle) {
        return true;
    }
    limit->state = throttle_take(throttle, key_of(limit), 1, clock_mono_ms());
    return limit->state.allowed;
}

void login_limit_refuse(const struct login_limit *limit)
{
    struct throttle *throttle = api_of(limit->x)->failures;
    assert(throttle && !limit->state.allowed);
    rate_add_fields(limit->x, throttle, &limit->state);
    rate_refuse(limit->x, throttle, &limit->state, "wrong passwords for one account");
}

void login_limit_keep(const struct login_limit *limit)
{
    struct throttle *throttle = api_of(limit->x)->failures;
    if (throttle) {
        struct throttle_state state = throttle_take(throttle, key_of(limit), 0, clock_mono_ms());
        rate_add_fields(limit->x, throttle, &state);
    }
}

void login_limit_give_back(const struct login_limit *limit)
{
    struct throttle *throttle = api_of(limit->x)->failures;
    if (throttle) {
        struct throttle_state state = throttle_give(throttle, key_of(limit), clock_mono_ms());
        rate_add_fields(limit->x, throttle, &state);
    }
}

void login_limit_forget(const struct login_limit *limit)
{
    struct throttle *throttle = api_of(limit->x)->failures;
    if (throttle && limit->known_address) {
        throttle_forget(throttle, key_of(limit));
    }
    login_limit_give_back(limit);
}
