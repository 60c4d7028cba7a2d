#include "api/gate.h"

#include "api/context.h"
#include "api/event_log.h"
#include "api/rate.h"
#include "api/respond.h"
#include "api/routes.h"
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

static enum http_verdict reject(struct http_exchange *x, const char *reason)
{
    metrics_count(METRIC_TOKENS_REFUSED, reason);
    event_log(x, LOG_WARN, "token_rejected", NULL, reason);
    respond_error(x, ERROR_INVALID_TOKEN, NULL);
    return HTTP_ANSWERED;
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
    return HTTP_GO;
}

static enum http_verdict conclude(struct check *check)
{
    struct http_exchange *x = check->x;
    if (check->op.op.result == ERROR_NOT_FOUND) {
        return reject(x, "session_ended");
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

/* What stands behind `Bearer `; ptr NULL: the field does not offer a token. */
static struct slice bearer_token(struct slice field)
{
    struct slice rest = field;
    struct slice scheme = slice_next(&rest, ' ');
    if (!rest.ptr || rest.len == 0 || !slice_eq_nocase(scheme, SLICE("Bearer"))) {
        return (struct slice){0};
    }
    return rest;
}

enum http_verdict gate_authorize(struct http_exchange *x)
{
    const struct http_field_value *field = &x->request.fields[HTTP_FIELD_AUTHORIZATION];
    struct slice token = bearer_token(field->value);
    if (!token.ptr) {
        metrics_count(METRIC_TOKENS_REFUSED, "missing");
        respond_error(x, ERROR_UNAUTHORIZED, NULL);
        return HTTP_ANSWERED;
    }
    if (field->count > 1) {
        return reject(x, "repeated");
    }
    if (token.len > JWT_MOST) {
        return reject(x, "too_long");
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
    if (result != JWT_VALID) {
        return reject(x, jwt_result_name(result));
    }
    return ask_store(x, token, &claims);
}

/* ---- how often ---- */

enum http_verdict gate_quota(struct http_exchange *x)
{
    struct api *api = api_of(x);
    struct throttle *throttle = api->auth;
    char client[CLIENT_KEY_TEXT_MOST];
    struct slice key = {0};
    if (x->route->quota == API_QUOTA_API) {
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
    rate_refuse(x, throttle, &state);
    return HTTP_ANSWERED;
}
