// SPDX-License-Identifier: MIT
#include <assert.h>

#include "api/access.h"
#include "api/account.h"
#include "api/context.h"
#include "api/handlers.h"
#include "api/respond.h"
#include "auth/jwt.h"
#include "auth/tokens.h"
#include "base/clock.h"
#include "base/point.h"

/* Accounts and their sessions: POST /v1/auth/register, login, refresh and logout; GET and DELETE
 * /v1/me/sessions. */

#define USER_AGENT_MOST 256 /* bytes */

/* Of a session, however often it is refreshed. */
#define SESSION_MOST_MS (365LL * 24 * 60 * 60 * 1000)

/* ---- register ---- */

static void registered(struct store_op *op)
{
    const struct account_call *call = account_call_of(op);
    struct http_exchange *x = call->x;
    if (respond_failed(x, op->result, ERROR_NONE, NULL)) {
        return;
    }
    const struct user *user = &call->op.create.user;
    assert(!call->input.new_password.ptr);
    access_event(x, LOG_INFO, "registered", &user->id, NULL);
    http_respond_field(x, "Location", http_reference(x, SLICE("/v1/me")));
    respond_row(x, 201, &user_body_user, user);
}

static void create_account(struct account_call *call)
{
    account_create(call, registered);
}

/* An invitation is checked and used up even where registration is open, so that what it says of
 * itself stays true. */
void auth_register(struct http_exchange *x)
{
    struct account_call *call = account_call_begin(x, &user_body_registration);
    if (!call) {
        return;
    }
    const bool closed = strcmp(api_of(x)->options.settings->registration, "closed") == 0;
    if (closed && !call->input.invitation.ptr) {
        account_wipe(&call->input.new_password);
        respond_error(x, ERROR_REGISTRATION_CLOSED, NULL);
        return;
    }
    account_hash(call, &call->input.new_password, create_account);
}

/* ---- tokens ---- */

/* Sends an access token and the refresh token of the session's counter. Uses id, user, counter and
 * expires_at of the session. */
static void send_tokens(struct http_exchange *x, const struct session *session)
{
    const struct settings *settings = api_of(x)->options.settings;
    const int64_t now = clock_wall_ms() / 1000;
    /* Rounded up: what was made a few milliseconds ago has its whole time. At least 1: a token that
     * was just made is still good. */
    int64_t left = (session->expires_at - clock_steady_ms() + 999) / 1000;
    left = left < 1 ? 1 : left;
    const int64_t ttl = settings->access_token_ttl < left ? settings->access_token_ttl : left;
    const struct jwt_claims claims = {
        .user = session->user,
        .session = session->id,
        .token = uuid_make_v7(),
        .issued_at = now,
        .expires_at = now + ttl,
    };
    struct buffer access;
    struct buffer refresh;
    buffer_init(&access, JWT_MOST);
    buffer_init(&refresh, JWT_MOST);
    jwt_make(api_keys(x), settings->jwt_issuer, &claims, &access);
    refresh_token_make(api_keys(x), session->id, session->counter, &refresh);
    if (access.failed || refresh.failed) {
        respond_no_memory(x);
    } else {
        struct json_writer w = respond_json_begin(x);
        jw_open_object(&w);
        respond_member(&w, SLICE("access_token"), buffer_slice(&access));
        respond_member(&w, SLICE("token_type"), SLICE("Bearer"));
        jw_name(&w, SLICE("expires_in"));
        jw_i64(&w, ttl);
        respond_member(&w, SLICE("refresh_token"), buffer_slice(&refresh));
        jw_name(&w, SLICE("refresh_expires_in"));
        jw_i64(&w, left);
        jw_close_object(&w);
        respond_no_store(x);
        respond_json(x, 200);
    }
    buffer_finish(&access);
    buffer_finish(&refresh);
}

/* ---- login ---- */

/* An unknown e-mail takes the same steps as a known one: find, take a guess from the quota, compare
 * (with nothing, at the same cost), answer.
 *
 *   find user -> guess -> compare -> (hash anew, if parameters rose) -> create session -> tokens */

static void refuse_login(struct account_call *call)
{
    const bool known = call->find.op.result == ERROR_NONE;
    access_event(call->x, LOG_WARN, "login_failed", known ? &call->find.user.id : NULL, NULL);
    account_settle(call, ACCOUNT_GUESS_WRONG);
    respond_error(call->x, ERROR_INVALID_CREDENTIALS, NULL);
}

static void logged_in(struct store_op *op)
{
    struct account_call *call = account_call_of(op);
    struct http_exchange *x = call->x;
    if (op->result == ERROR_INVALID_CREDENTIALS) {
        refuse_login(call);
        return;
    }
    if (op->result != ERROR_NONE) {
        account_settle(call, ACCOUNT_GUESS_UNUSED);
        respond_error(x, op->result, NULL);
        return;
    }
    account_settle(call, ACCOUNT_GUESS_RIGHT);
    access_event(x, LOG_INFO, "login_ok", &call->find.user.id, NULL);
    send_tokens(x, &call->op.login.session);
}

static void create_session(struct account_call *call)
{
    struct http_exchange *x = call->x;
    const struct slice agent = x->request.fields[HTTP_FIELD_USER_AGENT].value;
    const int64_t now = clock_steady_ms();
    assert(!call->input.password.ptr && call->limit.taken);
    call->op.login = (struct store_session_create){
        .op = account_op(call, logged_in),
        .session = {.id = uuid_make_v7(),
                    .user = call->find.user.id,
                    .counter = 1,
                    .created_at = now,
                    .last_used_at = now,
                    .expires_at = now + api_of(x)->options.settings->refresh_token_ttl * 1000,
                    .ip = x->request.client},
        .client = call->find.client,
        .verified_hash = call->find.user.password_hash,
        .rehash = call->new_hash,
    };
    if (utf8_valid(agent)) {
        call->op.login.session.user_agent = utf8_cut(agent, USER_AGENT_MOST);
    }
    api_engine(x)->session_create(&call->op.login);
}

static void compared(struct account_call *call)
{
    if (call->job.ok && call->job.outdated) {
        account_hash(call, &call->input.password, create_session);
        return;
    }
    account_wipe(&call->input.password);
    if (call->job.ok) {
        create_session(call);
    } else {
        refuse_login(call);
    }
}

static void found(struct store_op *op)
{
    struct account_call *call = account_call_of(op);
    if (op->result != ERROR_NONE && op->result != ERROR_NOT_FOUND) {
        respond_error(call->x, op->result, NULL);
        return;
    }
    const bool known = op->result == ERROR_NONE;
    /* A disabled account is compared with nothing, as one that does not exist. */
    const bool usable = known && call->find.user.disabled_at == 0;
    account_compare(call, call->input.email, known && call->find.known_address,
                    usable ? call->find.user.password_hash : (struct slice){0}, compared);
}

void auth_login(struct http_exchange *x)
{
    struct account_call *call = account_call_begin(x, &user_body_credentials);
    if (call) {
        call->find = (struct store_user_by_email){
            .op = account_op(call, found),
            .email = call->input.email,
            .client = client_key_text(x->request.client, call->client),
        };
        api_engine(x)->user_by_email(&call->find);
    }
}

/* ---- refresh ---- */

static void refreshed(struct store_op *op)
{
    const struct account_call *call = account_call_of(op);
    const struct store_session_refresh *refresh = &call->op.refresh;
    POINT(ROTATION_BEFORE_ANSWER);
    if (refresh->reuse) {
        access_event(call->x, LOG_WARN, "refresh_reuse", &refresh->session.user, NULL);
    }
    if (!respond_failed(call->x, op->result, ERROR_INVALID_REFRESH_TOKEN,
                        refresh->reuse
                            ? "This refresh token was used before, as if somebody had copied it; "
                              "the session has been ended. Log in again."
                            : "The session of this refresh token has ended or expired. Log in "
                              "again.")) {
        send_tokens(call->x, &refresh->session);
    }
}

/* The store moves the session's counter, or ends the session when an old token comes again. A token
 * that is not ours costs no database access. */
void auth_refresh(struct http_exchange *x)
{
    struct account_call *call = account_call_begin(x, &user_body_refresh);
    if (!call) {
        return;
    }
    const struct settings *settings = api_of(x)->options.settings;
    struct store_session_refresh *refresh = &call->op.refresh;
    *refresh = (struct store_session_refresh){
        .op = account_op(call, refreshed),
        .now = clock_steady_ms(),
        .ttl_ms = settings->refresh_token_ttl * 1000,
        .lifetime_ms = SESSION_MOST_MS,
        .grace_ms = settings->refresh_grace_seconds * 1000,
    };
    if (!refresh_token_parse(api_keys(x), call->input.refresh_token, &refresh->id,
                             &refresh->counter)) {
        respond_error(x, ERROR_INVALID_REFRESH_TOKEN,
                      "This is not a refresh token of this server: send the `refresh_token` of the "
                      "last answer, whole and unchanged.");
        return;
    }
    api_engine(x)->session_refresh(refresh);
}

/* ---- the list of sessions ---- */

static void each(struct store_session_list *op, const struct session *row)
{
    struct account_call *call = account_call_of(&op->op);
    respond_write_session(&call->json, row, uuid_eq(row->id, api_caller(call->x)->session));
}

static void listed(struct store_op *op)
{
    struct account_call *call = account_call_of(op);
    if (respond_failed(call->x, op->result, ERROR_NONE, NULL)) {
        return;
    }
    jw_close_array(&call->json);
    jw_close_object(&call->json);
    respond_no_store(call->x);
    respond_json(call->x, 200);
}

void auth_list_sessions(struct http_exchange *x)
{
    struct account_call *call = account_call_new(x);
    if (!call) {
        return;
    }
    call->json = respond_json_begin(x);
    jw_open_object(&call->json);
    jw_name(&call->json, SLICE("items"));
    jw_open_array(&call->json);
    call->op.sessions = (struct store_session_list){
        .op = account_op(call, listed),
        .user = api_caller(x)->user,
        .now = clock_steady_ms(),
        .each = each,
    };
    api_engine(x)->session_list(&call->op.sessions);
}

/* ---- the end of one, or of all others ---- */

static void ended(struct store_op *op)
{
    const struct account_call *call = account_call_of(op);
    const struct store_session_end *end = &call->op.end;
    if (respond_failed(call->x, op->result, ERROR_NOT_FOUND,
                       "There is no session with this id in your account, or it has ended. GET "
                       "/v1/me/sessions lists those that there are.")) {
        return;
    }
    access_event(call->x, LOG_INFO, "session_ended", &end->user, end->others ? "others" : NULL);
    respond_done(call->x);
}

/* That the session ended in between is what the caller wanted. */
static void logged_out(struct store_op *op)
{
    if (op->result == ERROR_NOT_FOUND) {
        respond_done(account_call_of(op)->x);
        return;
    }
    ended(op);
}

/* `end`: what of it names the session; the rest is filled in. */
static void end_session(struct http_exchange *x, struct store_session_end end,
                        void (*done)(struct store_op *op))
{
    struct account_call *call = account_call_new(x);
    if (call) {
        call->op.end = end;
        call->op.end.op = account_op(call, done);
        api_engine(x)->session_end(&call->op.end);
    }
}

void auth_end_session(struct http_exchange *x)
{
    const struct store_session_end end = {.user = api_caller(x)->user, .id = api_path_id(x)};
    end_session(x, end, ended);
}

void auth_end_other_sessions(struct http_exchange *x)
{
    const struct caller *caller = api_caller(x);
    const struct store_session_end end = {
        .user = caller->user, .id = caller->session, .others = true};
    end_session(x, end, ended);
}

/* By an access token, without a body; or by any genuine refresh token of the session, the current
 * one or an older: to show an old one elsewhere would end the session too. */
void auth_logout(struct http_exchange *x)
{
    const bool has_body = x->request.body.len > 0;
    assert(x->route->access == HTTP_ACCESS_EITHER);
    if (!api_admitted(x)) {
        struct account_call *call = has_body ? account_call_begin(x, &user_body_refresh) : NULL;
        struct store_session_end end = {0};
        int64_t counter = 0;
        if (!has_body) {
            access_refuse(x);
        } else if (call && !refresh_token_parse(api_keys(x), call->input.refresh_token, &end.id,
                                                &counter)) {
            respond_error(x, ERROR_INVALID_REFRESH_TOKEN,
                          "This is not a refresh token of this server: send the `refresh_token` of "
                          "a login or a refresh, whole and unchanged.");
        } else if (call) {
            end_session(x, end, logged_out);
        }
        return;
    }
    if (has_body) {
        struct http_problem_errors errors = {0};
        http_problem_errors_add(
            &errors, (struct http_problem_error){
                         .pointer = SLICE(""),
                         .code = "not_allowed",
                         .detail = "The access token says which session ends: send no body with "
                                   "it, or the body without the Authorization field."});
        http_respond_problem(x, ERROR_VALIDATION_FAILED, NULL, &errors);
        return;
    }
    const struct caller *caller = api_caller(x);
    const struct store_session_end end = {.user = caller->user, .id = caller->session};
    end_session(x, end, logged_out);
}
