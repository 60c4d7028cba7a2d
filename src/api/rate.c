// SPDX-License-Identifier: MIT
#include "api/rate.h"

#include <stdio.h>

#include "api/event_log.h"
#include "api/respond.h"
#include "base/metrics.h"

#define DETAIL_MOST 192

void rate_add_fields(struct http_exchange *x, const struct throttle *throttle,
                     const struct throttle_state *state)
{
    const struct throttle_options *quota = throttle_options_of(throttle);
    http_respond_field_format(x, "RateLimit-Policy", "\"%s\";q=%u;w=%u", quota->name, quota->quota,
                              quota->window_s);
    http_respond_field_format(x, "RateLimit", "\"%s\";r=%u;t=%u", quota->name, state->remaining,
                              state->reset_s);
}

void rate_refuse(struct http_exchange *x, const struct throttle *throttle,
                 const struct throttle_state *state, const char *what)
{
    char detail[DETAIL_MOST];
    uint32_t seconds = state->retry_after > 0 ? state->retry_after : 1;
    snprintf(detail, sizeof detail, "The quota `%s`, of %s, is used up. Try again in %u second%s.",
             throttle_options_of(throttle)->name, what, seconds, seconds == 1 ? "" : "s");
    metrics_count(METRIC_THROTTLED, throttle_options_of(throttle)->name);
    event_log(x, LOG_WARN, "throttled", NULL, throttle_options_of(throttle)->name);
    http_respond_field_format(x, "Retry-After", "%u", seconds);
    respond_error(x, ERROR_RATE_LIMITED, detail);
}
