// SPDX-License-Identifier: MIT
#include "api/access.h"
#include "api/body.h"
#include "api/context.h"
#include "api/event_log.h"
#include "api/handlers.h"
#include "api/respond.h"
#include "auth/tokens.h"
#include "base/clock.h"

/* GET and DELETE /v1/me/sessions, DELETE /v1/me/sessions/{id}, POST /v1/auth/logout. */

/* ---- the list ---- */

struct listing {
    struct store_session_list op; /* first: its address is the listing's */
    struct http_exchange *x;
    struct json_writer json;
};

static void each(struct store_session_list *op, const struct session *row)
{
    struct listing *listing = (struct listing *)op;
    respond_write_session(&listing->json, row, uuid_eq(row->id, api_caller(listing->x)->session));
}

static void listed(struct store_op *op)
{
    struct listing *listing = (struct listing *)op;
    if (op->result != ERROR_NONE) {
        respond_error(listing->x, op->result, NULL);
        return;
    }
    jw_close_array(&listing->json);
    jw_close_object(&listing->json);
    respond_no_store(listing->x);
    respond_json(listing->x, 200);
}

void sessions_list(struct http_exchange *x)
{
    struct listing *listing = arena_new(x->arena, struct listing);
    if (!listing) {
        respond_no_memory(x);
        return;
    }
    listing->x = x;
    listing->op.op = api_op(x, listed, NULL);
    listing->op.user = api_caller(x)->user;
    listing->op.now = clock_steady_ms();
    listing->op.each = each;
    listing->json = respond_json_begin(x);
    jw_open_object(&listing->json);
    jw_name(&listing->json, SLICE("items"));
    jw_open_array(&listing->json);
    api_engine(x)->session_list(&listing->op);
}

/* ---- the end of one, or of all others ---- */

/* `end`: what of it names the session; the rest is filled in. */
static void end_session(struct http_exchange *x, struct store_session_end end,
                        void (*done)(struct store_op *op))
{
    struct store_session_end *op = arena_new(x->arena, struct store_session_end);
    if (!op) {
        respond_no_memory(x);
        return;
    }
    *op = end;
    op->op = api_op(x, done, x);
    api_engine(x)->session_end(op);
}

static void ended(struct store_op *op)
{
    const struct store_session_end *end = (const struct store_session_end *)op;
    if (op->result != ERROR_NONE) {
        respond_error(
            op->caller, op->result,
            op->result == ERROR_NOT_FOUND
                ? "There is no session with this id in your account, or it has ended. GET "
                  "/v1/me/sessions lists those that there are."
                : NULL);
        return;
    }
    event_log(op->caller, LOG_INFO, "session_ended", &end->user, end->others ? "others" : NULL);
    respond_done(op->caller);
}

/* That the session ended in between is what the caller wanted. */
static void logged_out(struct store_op *op)
{
    if (op->result == ERROR_NOT_FOUND) {
        respond_done(op->caller);
        return;
    }
    ended(op);
}

void sessions_delete(struct http_exchange *x)
{
    const struct store_session_end end = {.user = api_caller(x)->user, .id = api_path_id(x)};
    end_session(x, end, ended);
}

void sessions_delete_others(struct http_exchange *x)
{
    const struct caller *caller = api_caller(x);
    const struct store_session_end end = {
        .user = caller->user, .id = caller->session, .others = true};
    end_session(x, end, ended);
}

/* ---- logout ---- */

static void refuse_body(struct http_exchange *x)
{
    struct field_errors errors = {0};
    field_errors_add(&errors, SLICE(""), "not_allowed",
                     "The access token says which session ends: send no body with it, or the body "
                     "without the Authorization field.");
    bool answered = !body_valid(x, &errors);
    assert(answered);
    (void)answered;
}

/* Any genuine refresh token of the session will do, the current one or an older: to show an old one
 * elsewhere would end the session too. */
static void log_out_by_body(struct http_exchange *x)
{
    struct user_input input = {0};
    struct store_session_end end = {0};
    unsigned set = 0;
    int64_t counter = 0;
    if (!body_decode_user(x, &user_body_refresh, FIELD_WHOLE, &input, &set)) {
        return;
    }
    if (!refresh_token_parse(api_keys(x), input.refresh_token, &end.id, &counter)) {
        respond_error(x, ERROR_INVALID_REFRESH_TOKEN,
                      "This is no refresh token of this server: send the `refresh_token` of a "
                      "login or a refresh, whole and unchanged.");
        return;
    }
    end_session(x, end, logged_out);
}

void sessions_logout(struct http_exchange *x)
{
    const struct caller *caller = api_caller(x);
    const bool has_body = x->request.body.len > 0;
    if (api_admitted(x) && has_body) {
        refuse_body(x);
    } else if (api_admitted(x)) {
        const struct store_session_end end = {.user = caller->user, .id = caller->session};
        end_session(x, end, logged_out);
    } else if (has_body) {
        log_out_by_body(x);
    } else {
        access_refuse(x);
    }
}
