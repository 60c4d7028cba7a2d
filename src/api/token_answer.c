// SPDX-License-Identifier: MIT
#include "api/token_answer.h"

#include "api/context.h"
#include "api/respond.h"
#include "auth/tokens.h"
#include "base/clock.h"

/* At least 1: a token that was just made is still good. */
static int64_t at_least_one(int64_t seconds)
{
    return seconds < 1 ? 1 : seconds;
}

static void make_access_token(const struct http_exchange *x, const struct session *session,
                              int64_t now, int64_t ttl, struct buffer *out)
{
    struct jwt_claims claims = {
        .user = session->user,
        .session = session->id,
        .token = uuid_make_v7(),
        .issued_at = now,
        .expires_at = now + ttl,
    };
    jwt_make(api_keys(x), api_of(x)->options.settings->jwt_issuer, &claims, out);
}

struct tokens {
    struct slice access_token;
    struct slice refresh_token;
    int64_t expires_in; /* seconds */
    int64_t refresh_expires_in;
};

static void write_answer(struct http_exchange *x, const struct tokens *tokens)
{
    respond_no_store(x);
    struct json_writer w = respond_json_begin(x);
    jw_open_object(&w);
    jw_name(&w, SLICE("access_token"));
    jw_text(&w, tokens->access_token);
    jw_name(&w, SLICE("token_type"));
    jw_text(&w, SLICE("Bearer"));
    jw_name(&w, SLICE("expires_in"));
    jw_i64(&w, tokens->expires_in);
    jw_name(&w, SLICE("refresh_token"));
    jw_text(&w, tokens->refresh_token);
    jw_name(&w, SLICE("refresh_expires_in"));
    jw_i64(&w, tokens->refresh_expires_in);
    jw_close_object(&w);
    respond_json(x, 200);
}

void token_answer(struct http_exchange *x, const struct session *session)
{
    const struct api_options *options = &api_of(x)->options;
    int64_t now = clock_wall_ms() / 1000;
    /* Rounded up: what was made a few milliseconds ago has its whole time. */
    int64_t left = at_least_one((session->expires_at - clock_steady_ms() + 999) / 1000);
    int64_t ttl = options->settings->access_token_ttl;
    if (ttl > left) {
        ttl = left;
    }
    struct buffer access;
    struct buffer refresh;
    buffer_init(&access, JWT_MOST);
    buffer_init(&refresh, JWT_MOST);
    make_access_token(x, session, now, ttl, &access);
    refresh_token_make(api_keys(x), session->id, session->counter, &refresh);
    if (access.failed || refresh.failed) {
        respond_no_memory(x);
    } else {
        write_answer(x, &(struct tokens){.access_token = buffer_slice(&access),
                                         .refresh_token = buffer_slice(&refresh),
                                         .expires_in = ttl,
                                         .refresh_expires_in = left});
    }
    buffer_finish(&access);
    buffer_finish(&refresh);
}
