// SPDX-License-Identifier: MIT
#include "api/access.h"

#include <stdio.h>
#include <string.h>

#include "api/context.h"
#include "api/event_log.h"
#include "api/rate.h"
#include "api/respond.h"
#include "api/routes.h"
#include "auth/tokens.h"
#include "base/client_key.h"
#include "base/clock.h"
#include "base/metrics.h"

/* ---- who calls ---- */

/* A token that verified, while the store is asked whether its session is alive. */
struct check {
    struct store_session_check op; /* first: its address is the check's */
    struct http_exchange *x;
    struct jwt_claims claims;
    struct slice token;
    uint64_t revocations;
    bool asked;    /* session_check has returned */
    bool answered; /* the store has answered */
};

static void send_refusal(struct http_exchange *x, const struct refusal *refusal)
{
    metrics_count(METRIC_TOKENS_REFUSED, refusal->reason);
    if (refusal->error == ERROR_INVALID_TOKEN) {
        event_log(x, LOG_WARN, "token_rejected", NULL, refusal->reason);
    }
    if (refusal->challenge) {
        http_respond_field_format(x, "WWW-Authenticate",
                                  "Bearer realm=\"taskhold\", error=\"invalid_token\", "
                                  "error_description=\"%s\"",
                                  refusal->challenge);
    }
    respond_error(x, refusal->error, refusal->detail);
}

void access_refuse(struct http_exchange *x)
{
    send_refusal(x, api_caller(x)->refused);
}

/* Answers; or, where the caller may do without a token, leaves the refusal for later. */
static enum http_verdict refuse(struct http_exchange *x, const struct refusal *refusal)
{
    if (x->route->access != HTTP_ACCESS_EITHER) {
        send_refusal(x, refusal);
        return HTTP_ANSWERED;
    }
    struct refusal *kept = arena_new(x->arena, struct refusal);
    struct caller *caller = arena_new(x->arena, struct caller);
    if (!kept || !caller) {
        respond_no_memory(x);
        return HTTP_ANSWERED;
    }
    *kept = *refusal;
    *caller = (struct caller){.refused = kept};
    x->caller = caller;
    return HTTP_GO;
}

static enum http_verdict refuse_missing(struct http_exchange *x)
{
    const struct http_field_value *field = &x->request.fields[HTTP_FIELD_AUTHORIZATION];
    const struct refusal refusal = {
        .error = ERROR_UNAUTHORIZED,
        .reason = "missing",
        .detail = field->value.ptr ? "The Authorization field has no token in it that this server "
                                     "takes. Send it as `Authorization: Bearer TOKEN`."
                                   : NULL,
    };
    return refuse(x, &refusal);
}

static enum http_verdict refuse_foreign(struct http_exchange *x, const char *reason,
                                        const char *detail)
{
    const struct refusal refusal = {
        .error = ERROR_INVALID_TOKEN,
        .reason = reason,
        .detail = detail ? detail
                         : "This is not an access token of this server, or it was changed on its "
                           "way. Send access_token of the last login or refresh as it came.",
        .challenge = "not an access token of this server",
    };
    return refuse(x, &refusal);
}

/* A copy of the text that lives as long as the exchange; NULL without memory, which takes the text
 * of the error instead. */
static const char *keep_text(struct http_exchange *x, const char *text)
{
    return arena_copy(x->arena, slice_of(text)).ptr;
}

static enum http_verdict refuse_expired(struct http_exchange *x, int64_t expired_at)
{
    char when[CLOCK_RFC3339_LEN];
    char detail[160];
    char challenge[80];
    clock_format_rfc3339(expired_at * 1000, when);
    snprintf(detail, sizeof detail,
             "The access token expired at %.*s. Refresh it with POST /v1/auth/refresh, or log in.",
             CLOCK_RFC3339_LEN, when);
    snprintf(challenge, sizeof challenge, "the access token expired at %.*s", CLOCK_RFC3339_LEN,
             when);
    const struct refusal refusal = {
        .error = ERROR_INVALID_TOKEN,
        .reason = "expired",
        .detail = keep_text(x, detail),
        .challenge = keep_text(x, challenge),
    };
    return refuse(x, &refusal);
}

static enum http_verdict refuse_ended(struct http_exchange *x)
{
    static const struct refusal refusal = {
        .error = ERROR_INVALID_TOKEN,
        .reason = "session_ended",
        .detail = "The session of this token has ended: by a logout, from another device, by a "
                  "change of the password, or with the account. Log in again.",
        .challenge = "the session of the access token has ended",
    };
    return refuse(x, &refusal);
}

static enum http_verdict admit(struct http_exchange *x, const struct jwt_claims *claims)
{
    struct caller *caller = arena_new(x->arena, struct caller);
    if (!caller) {
        respond_no_memory(x);
        return HTTP_ANSWERED;
    }
    *caller = (struct caller){.user = claims->user, .session = claims->session};
    x->caller = caller;
    memcpy(&x->payer, &claims->user.bytes[8], sizeof x->payer); /* the random part of the id */
    return HTTP_GO;
}

static enum http_verdict conclude(struct check *check)
{
    struct http_exchange *x = check->x;
    if (check->op.op.result == ERROR_NOT_FOUND) {
        return refuse_ended(x);
    }
    if (check->op.op.result != ERROR_NONE) {
        respond_error(x, check->op.op.result, NULL);
        return HTTP_ANSWERED;
    }
    /* A session may end before its last access token does. */
    int64_t session_end = check->op.expires_at / 1000;
    if (check->claims.expires_at > session_end) {
        check->claims.expires_at = session_end;
    }
    token_cache_put(api_loop_of(x)->tokens, check->token, &check->claims, check->revocations);
    return admit(x, &check->claims);
}

static void checked(struct store_op *op)
{
    struct check *check = (struct check *)op;
    check->answered = true;
    if (check->asked && conclude(check) == HTTP_GO) {
        http_continue(check->x);
    }
}

static enum http_verdict ask_store(struct http_exchange *x, struct slice token,
                                   const struct jwt_claims *claims)
{
    struct check *check = arena_new(x->arena, struct check);
    if (!check) {
        respond_no_memory(x);
        return HTTP_ANSWERED;
    }
    check->x = x;
    check->claims = *claims;
    check->token = token;
    check->revocations = revocations_of(api_of(x)->options.revocations, claims->user);
    check->op = (struct store_session_check){
        .op = api_op(x, checked, NULL),
        .user = claims->user,
        .id = claims->session,
        .now = clock_steady_ms(),
    };
    api_engine(x)->session_check(&check->op);
    check->asked = true;
    return check->answered ? conclude(check) : HTTP_LATER;
}

/* What stands after `Bearer `; ptr NULL: the field does not offer a token. */
static struct slice bearer_token(struct slice field)
{
    struct slice rest = field;
    struct slice scheme = slice_next(&rest, ' ');
    while (rest.len > 0 && rest.ptr[0] == ' ') { /* 1*SP (RFC 9110 section 11.4) */
        rest = (struct slice){rest.ptr + 1, rest.len - 1};
    }
    if (!rest.ptr || rest.len == 0 || !slice_eq_nocase(scheme, SLICE("Bearer"))) {
        return (struct slice){0};
    }
    return rest;
}

enum http_verdict access_authorize(struct http_exchange *x)
{
    const struct http_field_value *field = &x->request.fields[HTTP_FIELD_AUTHORIZATION];
    struct slice token = bearer_token(field->value);
    if (!token.ptr) {
        return refuse_missing(x);
    }
    if (field->count > 1) {
        return refuse_foreign(x, "repeated",
                              "The Authorization field came more than once: send it once.");
    }
    if (token.len == REFRESH_TOKEN_LEN && !memchr(token.ptr, '.', token.len)) {
        return refuse_foreign(x, "malformed",
                              "This looks like a refresh token: it is good for POST "
                              "/v1/auth/refresh alone. Send access_token here.");
    }
    if (token.len > JWT_MOST) {
        return refuse_foreign(x, "too_long", NULL);
    }
    int64_t now = clock_wall_ms() / 1000;
    const struct jwt_claims *known = token_cache_find(api_loop_of(x)->tokens, token, now);
    if (known) {
        return admit(x, known);
    }
    const struct api_options *options = &api_of(x)->options;
    struct jwt_claims claims = {0};
    enum jwt_result result =
        jwt_verify(api_keys(x), options->settings->jwt_issuer, token, now, &claims);
    if (result == JWT_EXPIRED) {
        return refuse_expired(x, claims.expires_at);
    }
    if (result != JWT_VALID) {
        return refuse_foreign(x, jwt_result_name(result), NULL);
    }
    return ask_store(x, token, &claims);
}

/* ---- how often ---- */

enum http_verdict access_quota(struct http_exchange *x)
{
    struct api *api = api_of(x);
    struct throttle *throttle = api->auth;
    char client[CLIENT_KEY_TEXT_MOST];
    struct slice key = {0};
    if (x->route->quota == API_QUOTA_API && api_admitted(x)) {
        throttle = api->calls;
        key = (struct slice){(const char *)api_caller(x)->user.bytes, sizeof(struct uuid)};
    } else {
        key = client_key_text(x->request.client, client);
    }
    if (!throttle) {
        return HTTP_GO;
    }
    struct throttle_state state = throttle_take(throttle, key, 1, clock_mono_ms());
    rate_add_fields(x, throttle, &state);
    if (state.allowed) {
        return HTTP_GO;
    }
    rate_refuse(x, throttle, &state,
                throttle == api->calls
                    ? "calls by one account"
                    : "calls with a password or a refresh token from one address");
    return HTTP_ANSWERED;
}
