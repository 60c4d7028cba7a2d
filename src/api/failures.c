#include "api/failures.h"

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
    *failures = (struct failures){.x = x};
    append(failures, email);
    for (size_t i = 0; i < failures->key_len; i++) {
        char c = failures->key[i];
        failures->key[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    if (known_address) {
        append(failures, SLICE("\n"));
        append(failures, x->request.client);
    }
}

static struct slice key_of(const struct failures *failures)
{
    return (struct slice){failures->key, failures->key_len};
}

bool failures_allow(const struct failures *failures)
{
    struct throttle *throttle = api_of(failures->x)->failures;
    if (!throttle) {
        return true;
    }
    struct throttle_state state = throttle_take(throttle, key_of(failures), 0, clock_mono_ms());
    if (state.remaining > 0) {
        return true;
    }
    rate_add_fields(failures->x, throttle, &state);
    rate_refuse(failures->x, throttle, &state);
    return false;
}

static void show(const struct failures *failures, uint32_t tokens)
{
    struct throttle *throttle = api_of(failures->x)->failures;
    struct throttle_state state =
        throttle_take(throttle, key_of(failures), tokens, clock_mono_ms());
    rate_add_fields(failures->x, throttle, &state);
}

void failures_add(const struct failures *failures)
{
    if (api_of(failures->x)->failures) {
        show(failures, 1);
    }
}

void failures_forget(const struct failures *failures)
{
    if (api_of(failures->x)->failures) {
        throttle_forget(api_of(failures->x)->failures, key_of(failures));
        show(failures, 0);
    }
}
