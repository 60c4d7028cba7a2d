// SPDX-License-Identifier: MIT
#include "api/access.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "api/context.h"
#include "api/respond.h"
#include "api/routes.h"
#include "auth/jwt.h"
#include "auth/script_token.h"
#include "auth/tokens.h"
#include "base/client_key.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/owner.h"
#include "http/fields.h"
#include "model/scope.h"

/* ---- who calls ---- */

#define TOKEN_CHECK_MAGIC 0x91c4e7b2u

/* A token that verified, while the store is asked whether its session is alive. */
struct token_check {
    unsigned magic;
    struct store_session_check session;
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
        access_event(x, LOG_WARN, "token_rejected", NULL, refusal->reason);
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
    const struct caller *caller = OWNER_CAST(x->caller, struct caller, CALLER_MAGIC);
    assert(caller->refusal.error != ERROR_NONE);
    send_refusal(x, &caller->refusal);
}

static enum http_verdict leave_caller(struct http_exchange *x, struct caller found)
{
    struct caller *caller = arena_new(x->arena, struct caller);
    if (!caller) {
        respond_no_memory(x);
        return HTTP_ANSWERED;
    }
    *caller = found;
    OWNER_SET(caller, CALLER_MAGIC);
    x->caller = caller;
    return HTTP_GO;
}

/* Answers; or, where the caller may do without a token, leaves the refusal for later. */
static enum http_verdict refuse(struct http_exchange *x, struct refusal refusal)
{
    if (x->route->access == HTTP_ACCESS_EITHER) {
        return leave_caller(x, (struct caller){.refusal = refusal});
    }
    send_refusal(x, &refusal);
    return HTTP_ANSWERED;
}

static enum http_verdict refuse_foreign(struct http_exchange *x, const char *reason,
                                        const char *detail)
{
    return refuse(x, (struct refusal){
                         .error = ERROR_INVALID_TOKEN,
                         .reason = reason,
                         .detail = detail ? detail
                                          : "This is not an access token of this server, or it was "
                                            "changed on its way. Send access_token of the last "
                                            "login or refresh as it came.",
                         .challenge = "not an access token of this server",
                     });
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
    return refuse(x, (struct refusal){
                         .error = ERROR_INVALID_TOKEN,
                         .reason = "expired",
                         .detail = keep_text(x, detail),
                         .challenge = keep_text(x, challenge),
                     });
}

/* 403 (RFC 6750 section 3.1): the token is good, but not for this call. */
static enum http_verdict refuse_scope(struct http_exchange *x, const struct bearer *bearer)
{
    const unsigned needed = x->route->scope;
    char text[SCOPE_TEXT_MOST];
    char detail[192] = "No token of a script may make this call: log in, and use the access token.";
    const struct slice names = scope_write(needed, text);
    access_event(x, LOG_WARN, "insufficient_scope", &bearer->user, NULL);
    if (needed) {
        snprintf(detail, sizeof detail, "This call needs a token with the scope%s %.*s.",
                 needed & (needed - 1) ? "s" : "", (int)names.len, names.ptr);
    }
    http_respond_field_format(
        x, "WWW-Authenticate", "Bearer realm=\"taskhold\", error=\"insufficient_scope\"%s%.*s%s",
        needed ? ", scope=\"" : "", (int)names.len, names.ptr, needed ? "\"" : "");
    respond_error(x, ERROR_INSUFFICIENT_SCOPE, detail);
    return HTTP_ANSWERED;
}

/* `bearer->used_at` moves on where the use is noted. */
static enum http_verdict admit(struct http_exchange *x, struct bearer *bearer)
{
    memcpy(&x->payer, &bearer->user.bytes[8], sizeof x->payer); /* the random part of the id */
    if (bearer->scopes != 0) {
        token_uses_note(x, bearer);
        if (!scope_covers(bearer->scopes, x->route->scope)) {
            return refuse_scope(x, bearer);
        }
    }
    return leave_caller(x, (struct caller){.user = bearer->user,
                                           .session = bearer->session,
                                           .script_token = bearer->script_token,
                                           .scopes = bearer->scopes,
                                           .expires_at = bearer->expires_at});
}

static enum http_verdict conclude(struct token_check *check)
{
    struct http_exchange *x = check->x;
    const enum error result = check->session.op.result;
    if (result == ERROR_NOT_FOUND) {
        return refuse(x, (struct refusal){
                             .error = ERROR_INVALID_TOKEN,
                             .reason = "session_ended",
                             .detail = "The session of this token has ended: by a logout, from "
                                       "another device, by a change of the password, or with the "
                                       "account. Log in again.",
                             .challenge = "the session of the access token has ended",
                         });
    }
    if (result != ERROR_NONE) {
        respond_error(x, result, NULL);
        return HTTP_ANSWERED;
    }
    /* A session may end before its last access token does. */
    const int64_t session_end = check->session.expires_at / 1000;
    struct bearer bearer = {
        .user = check->claims.user,
        .session = check->claims.session,
        .issued_at = check->claims.issued_at,
        .expires_at =
            check->claims.expires_at < session_end ? check->claims.expires_at : session_end,
    };
    token_cache_put(api_loop_of(x)->tokens, check->token, &bearer, check->revocations);
    return admit(x, &bearer);
}

static void checked(struct store_op *op)
{
    struct token_check *check = OWNER_OF(op, struct token_check, session.op, TOKEN_CHECK_MAGIC);
    assert(!check->answered);
    check->answered = true;
    if (check->asked && conclude(check) == HTTP_GO) {
        http_continue(check->x);
    }
}

static enum http_verdict ask_store(struct http_exchange *x, struct slice token,
                                   const struct jwt_claims *claims)
{
    struct token_check *check = arena_new(x->arena, struct token_check);
    if (!check) {
        respond_no_memory(x);
        return HTTP_ANSWERED;
    }
    OWNER_SET(check, TOKEN_CHECK_MAGIC);
    check->x = x;
    check->claims = *claims;
    check->token = token;
    check->revocations = revocations_of(api_of(x)->options.revocations, claims->user);
    check->session = (struct store_session_check){
        .op = api_op(x, checked, NULL),
        .user = claims->user,
        .id = claims->session,
        .now = clock_steady_ms(),
    };
    api_engine(x)->session_check(&check->session);
    check->asked = true;
    return check->answered ? conclude(check) : HTTP_LATER;
}

/* ---- tokens of scripts ---- */

#define SCRIPT_CHECK_MAGIC 0x4be80d67u

/* One of the right form, while the store is asked whose it is. */
struct script_check {
    unsigned magic;
    struct store_script_token_check found;
    struct http_exchange *x;
    struct slice token;
    uint8_t hash[SCRIPT_TOKEN_HASH_LEN];
    uint64_t revocations; /* of all */
    bool asked;           /* script_token_check has returned */
    bool answered;        /* the store has answered */
};

static enum http_verdict conclude_script(struct script_check *check)
{
    struct http_exchange *x = check->x;
    const struct revocations *revocations = api_of(x)->options.revocations;
    const struct script_token *token = &check->found.token;
    const enum error result = check->found.op.result;
    if (result == ERROR_NOT_FOUND) {
        return refuse(x, (struct refusal){
                             .error = ERROR_INVALID_TOKEN,
                             .reason = "token_ended",
                             .detail = "There is no such token for scripts any more: it was ended, "
                                       "by itself or with a change of the password, has expired, "
                                       "or the account is disabled or gone. Make a new one with "
                                       "POST /v1/me/tokens.",
                             .challenge = "the token has ended or expired",
                         });
    }
    if (result != ERROR_NONE) {
        respond_error(x, result, NULL);
        return HTTP_ANSWERED;
    }
    const uint64_t counter = revocations_of(revocations, token->user);
    struct bearer bearer = {
        .user = token->user,
        .script_token = token->id,
        .scopes = token->scopes,
        .issued_at = clock_wall_ms() / 1000,
        .expires_at = token->expires_at / 1000,
        .used_at = token->last_used_at,
    };
    token_uses_note(x, &bearer);
    if (revocations_of_all(revocations) == check->revocations) {
        token_cache_put(api_loop_of(x)->tokens, check->token, &bearer, counter);
    }
    return admit(x, &bearer);
}

static void script_checked(struct store_op *op)
{
    struct script_check *check = OWNER_OF(op, struct script_check, found.op, SCRIPT_CHECK_MAGIC);
    assert(!check->answered);
    check->answered = true;
    if (check->asked && conclude_script(check) == HTTP_GO) {
        http_continue(check->x);
    }
}

static enum http_verdict ask_store_for_script(struct http_exchange *x, struct slice token)
{
    struct script_check *check = arena_new(x->arena, struct script_check);
    if (!check) {
        respond_no_memory(x);
        return HTTP_ANSWERED;
    }
    OWNER_SET(check, SCRIPT_CHECK_MAGIC);
    check->x = x;
    check->token = token;
    script_token_hash(token, check->hash);
    check->revocations = revocations_of_all(api_of(x)->options.revocations);
    check->found = (struct store_script_token_check){
        .op = api_op(x, script_checked, NULL), .hash = check->hash, .now = clock_steady_ms()};
    api_engine(x)->script_token_check(&check->found);
    check->asked = true;
    return check->answered ? conclude_script(check) : HTTP_LATER;
}

/* ---- the way of a token ---- */

/* What stands after `Bearer `; ptr NULL: the field does not offer a token. */
static struct slice bearer_token(struct slice field)
{
    struct slice rest = field;
    struct slice scheme = slice_next(&rest, ' ');
    while (rest.len > 0 && rest.ptr[0] == ' ') { /* 1*SP (RFC 9110 section 11.4) */
        rest = slice_from(rest, 1);
    }
    if (!rest.ptr || rest.len == 0 || !slice_eq_nocase(scheme, SLICE("Bearer"))) {
        return (struct slice){0};
    }
    return rest;
}

enum http_verdict access_authorize(struct http_exchange *x)
{
    const struct http_field_value *field = &x->request.fields[HTTP_FIELD_AUTHORIZATION];
    const struct slice token = bearer_token(field->value);
    assert(x->route->access != HTTP_ACCESS_PUBLIC && !x->caller);
    if (!token.ptr) {
        return refuse(x, (struct refusal){
                             .error = ERROR_UNAUTHORIZED,
                             .reason = "missing",
                             .detail = field->value.ptr
                                           ? "The Authorization field holds no token that this "
                                             "server accepts. Send it as `Authorization: Bearer "
                                             "TOKEN`."
                                           : NULL,
                         });
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
    if (slice_starts(token, SLICE(SCRIPT_TOKEN_PREFIX)) && !script_token_is_whole(token)) {
        return refuse_foreign(x, "malformed",
                              "This begins as a token for scripts does and is none: a part is "
                              "missing, or a character is wrong. Send it as it was shown.");
    }
    if (token.len > JWT_MOST) {
        return refuse_foreign(x, "too_long", NULL);
    }
    const int64_t now = clock_wall_ms() / 1000;
    struct bearer *known = token_cache_find(api_loop_of(x)->tokens, token, now);
    if (known) {
        return admit(x, known);
    }
    if (slice_starts(token, SLICE(SCRIPT_TOKEN_PREFIX))) {
        return ask_store_for_script(x, token);
    }
    struct jwt_claims claims = {0};
    const enum jwt_result result =
        jwt_verify(api_keys(x), api_of(x)->options.settings->jwt_issuer, token, now, &claims);
    if (result == JWT_EXPIRED) {
        return refuse_expired(x, claims.expires_at);
    }
    if (result == JWT_NO_MEMORY) {
        respond_no_memory(x); /* and no 401, after which a client would log out */
        return HTTP_ANSWERED;
    }
    if (result != JWT_VALID) {
        return refuse_foreign(x, jwt_result_name(result), NULL);
    }
    return ask_store(x, token, &claims);
}

/* ---- how often ---- */

void access_rate_fields(struct http_exchange *x, const struct throttle *throttle,
                        const struct throttle_state *state)
{
    const struct throttle_options *quota = throttle_options_of(throttle);
    assert(state->remaining <= quota->quota);
    http_respond_field_format(x, "RateLimit-Policy", "\"%s\";q=%u;w=%u", quota->name, quota->quota,
                              quota->window_s);
    http_respond_field_format(x, "RateLimit", "\"%s\";r=%u;t=%u", quota->name, state->remaining,
                              state->reset_s);
}

void access_rate_refuse(struct http_exchange *x, const struct throttle *throttle,
                        const struct throttle_state *state, const char *what)
{
    const char *name = throttle_options_of(throttle)->name;
    const uint32_t seconds = state->retry_after > 0 ? state->retry_after : 1;
    char detail[192];
    assert(!state->allowed);
    snprintf(detail, sizeof detail, "The quota `%s`, of %s, is used up. Try again in %u second%s.",
             name, what, seconds, seconds == 1 ? "" : "s");
    metrics_count(METRIC_THROTTLED, name);
    access_event(x, LOG_WARN, "throttled", NULL, name);
    http_respond_field_format(x, "Retry-After", "%u", seconds);
    respond_error(x, ERROR_RATE_LIMITED, detail);
}

enum http_verdict access_quota(struct http_exchange *x)
{
    struct throttle *throttle = api_of(x)->auth;
    const char *what = "calls with a password or a refresh token from one address";
    char client[CLIENT_KEY_TEXT_MOST];
    struct slice key = {0};
    assert(x->route->quota != API_QUOTA_NONE && x->route->quota < API_QUOTA_COUNT);
    if (x->route->quota == API_QUOTA_API && api_admitted(x)) {
        throttle = api_of(x)->calls;
        what = "calls by one account";
        key = (struct slice){(const char *)api_caller(x)->user.bytes, sizeof(struct uuid)};
    } else {
        key = client_key_text(x->request.client, client);
    }
    if (!throttle) {
        return HTTP_GO;
    }
    const struct throttle_state state = throttle_take(throttle, key, 1, clock_mono_ms());
    access_rate_fields(x, throttle, &state);
    if (state.allowed) {
        return HTTP_GO;
    }
    access_rate_refuse(x, throttle, &state, what);
    return HTTP_ANSWERED;
}

bool access_quota_more(struct http_exchange *x, uint32_t tokens)
{
    struct throttle *throttle = api_of(x)->calls;
    const struct uuid user = api_caller(x)->user;
    assert(x->route->quota == API_QUOTA_API && tokens > 0);
    if (!throttle) {
        return true;
    }
    const uint32_t most = throttle_options_of(throttle)->quota - 1; /* one was taken */
    const struct throttle_state state =
        throttle_take(throttle, (struct slice){(const char *)user.bytes, sizeof user},
                      tokens < most ? tokens : most, clock_mono_ms());
    http_respond_field_drop(x, "RateLimit-Policy");
    http_respond_field_drop(x, "RateLimit");
    access_rate_fields(x, throttle, &state);
    if (!state.allowed) {
        access_rate_refuse(x, throttle, &state, "calls by one account");
    }
    return state.allowed;
}

/* ---- the log ---- */

/* The user's id as text in `text`; empty when nobody is known. */
static struct slice user_text(const struct http_exchange *x, const struct uuid *user,
                              char text[static UUID_TEXT_LEN])
{
    if (!user && api_admitted(x)) {
        user = &api_caller(x)->user;
    }
    if (!user) {
        return (struct slice){0};
    }
    uuid_format(*user, text);
    return (struct slice){text, UUID_TEXT_LEN};
}

void access_event(const struct http_exchange *x, enum log_level level, const char *event,
                  const struct uuid *user, const char *reason)
{
    assert(event && level < LOG_OFF);
    metrics_count(METRIC_SECURITY_EVENTS, event);
    if (!log_on(level)) {
        return;
    }
    char id[UUID_TEXT_LEN];
    log_write(level, event,
              LOG_FIELDS(LOG_O("reason", slice_of(reason)), LOG_T("client", x->request.client),
                         LOG_O("user_id", user_text(x, user, id)),
                         LOG_T("request_id", x->request.id),
                         LOG_O("trace_id", http_trace_id(&x->request))));
}

void access_log(struct http_exchange *x, size_t bytes)
{
    if (!log_on(LOG_INFO)) {
        return;
    }
    char id[UUID_TEXT_LEN];
    /* Without a target the request line was never understood. */
    struct slice method =
        x->request.target.ptr ? http_method_name(x->request.method) : (struct slice){0};
    struct slice route = slice_of(x->route ? x->route->path : NULL);
    struct slice code = slice_of(x->error != ERROR_NONE ? error_row(x->error)->code : NULL);
    log_write(LOG_INFO, "request",
              LOG_FIELDS(LOG_WORD("method", method), LOG_WORD("route", route),
                         LOG_HTTP_STATUS("status", x->response.status), LOG_US("us", x->took_us),
                         LOG_O("code", code),
                         LOG_O("outcome", x->abandoned ? SLICE("abandoned") : (struct slice){0}),
                         LOG_N("bytes", bytes), LOG_T("client", x->request.client),
                         LOG_O("user_id", user_text(x, NULL, id)),
                         LOG_T("request_id", x->request.id),
                         LOG_O("trace_id", http_trace_id(&x->request))));
}
