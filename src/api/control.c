// SPDX-License-Identifier: MIT
#include <assert.h>
#include <stdio.h>

#include "api/access.h"
#include "api/account.h"
#include "api/context.h"
#include "api/handlers.h"
#include "api/respond.h"
#include "api/routes.h"
#include "base/clock.h"

/* What an operator does with accounts; see api_control_routes. */

#define LINK_MOST 4096

#define INVITATION_DAYS 7
#define DAY_MS          INT64_C(86400000)

/* ---- the list ---- */

static void each(struct store_user_list *op, const struct user *row)
{
    struct http_exchange *x = account_call_of(&op->op)->x;
    struct json_writer w = respond_json_begin(x);
    respond_write(&w, &user_body_operator, row);
    buffer_add_char(x->response.body, '\n');
}

static void listed(struct store_op *op)
{
    struct http_exchange *x = account_call_of(op)->x;
    if (respond_failed(x, op->result, ERROR_NONE, NULL)) {
        return;
    }
    respond_no_store(x);
    http_respond_body(x, 200, "application/jsonl");
}

void control_list_users(struct http_exchange *x)
{
    struct account_call *call = account_call_new(x);
    if (!call) {
        return;
    }
    call->op.users = (struct store_user_list){
        .op = account_op(call, listed), .limit = API_CONTROL_USERS_MOST, .each = each};
    if (x->request.parameters[0].ptr) {
        call->op.users.after = api_path_id(x);
    }
    api_engine(x)->user_list(&call->op.users);
}

/* ---- orders about one account ---- */

/* A call with its body read; NULL: answered. */
static struct account_call *begin(struct http_exchange *x, const struct user_body *body)
{
    struct account_call *call = account_call_new(x);
    struct field_errors errors;
    const bool good = call && account_read(call, body, FIELD_WHOLE, &errors) &&
                      account_valid_for_operator(x, &errors);
    return good ? call : NULL;
}

/* Answers with the account, or says why there is none. */
static void answer(const struct store_op *op, int status, const struct user *user)
{
    struct http_exchange *x = account_call_of(op)->x;
    if (!respond_failed(x, op->result, ERROR_NOT_FOUND, "There is no account with this e-mail.")) {
        respond_row(x, status, &user_body_operator, user);
    }
}

static void governed(struct store_op *op)
{
    static const char *const events[] = {
        [STORE_USER_DISABLE] = "user_disabled",
        [STORE_USER_ENABLE] = "user_enabled",
        [STORE_USER_SET_PASSWORD] = "password_changed",
        [STORE_USER_ERASE] = "account_deleted",
    };
    const struct account_call *call = account_call_of(op);
    const struct store_user_govern *govern = &call->op.govern;
    if (op->result == ERROR_NONE) {
        access_event(call->x, LOG_INFO, events[govern->verb], &govern->id, "operator");
    }
    answer(op, 200, &govern->user);
}

static void found(struct store_op *op)
{
    struct account_call *call = account_call_of(op);
    if (op->result != ERROR_NONE) {
        answer(op, 0, NULL);
        return;
    }
    call->op.govern.op = account_op(call, governed);
    call->op.govern.id = call->find.user.id;
    call->op.govern.hash = call->new_hash;
    call->op.govern.now = clock_wall_ms();
    api_engine(call->x)->user_govern(&call->op.govern);
}

static void govern(struct account_call *call, enum store_user_verb verb)
{
    assert((verb == STORE_USER_SET_PASSWORD) == (call->new_hash.ptr != NULL));
    call->op.govern.verb = verb;
    call->find =
        (struct store_user_by_email){.op = account_op(call, found), .email = call->input.email};
    api_engine(call->x)->user_by_email(&call->find);
}

static void govern_by_email(struct http_exchange *x, enum store_user_verb verb)
{
    struct account_call *call = begin(x, &user_body_account);
    if (call) {
        govern(call, verb);
    }
}

/* ---- one account ---- */

static void account_found(struct store_op *op)
{
    answer(op, 200, &account_call_of(op)->find.user);
}

void control_find_user(struct http_exchange *x)
{
    struct account_call *call = begin(x, &user_body_account);
    if (call) {
        call->find = (struct store_user_by_email){.op = account_op(call, account_found),
                                                  .email = call->input.email};
        api_engine(x)->user_by_email(&call->find);
    }
}

void control_disable_user(struct http_exchange *x)
{
    govern_by_email(x, STORE_USER_DISABLE);
}

void control_enable_user(struct http_exchange *x)
{
    govern_by_email(x, STORE_USER_ENABLE);
}

void control_delete_user(struct http_exchange *x)
{
    govern_by_email(x, STORE_USER_ERASE);
}

/* ---- orders with a password ---- */

static void created(struct store_op *op)
{
    const struct account_call *call = account_call_of(op);
    const struct user *user = &call->op.create.user;
    if (op->result == ERROR_NONE) {
        access_event(call->x, LOG_INFO, "registered", &user->id, "operator");
    }
    answer(op, 201, user);
}

static void create(struct account_call *call)
{
    account_create(call, created);
}

void control_add_user(struct http_exchange *x)
{
    struct account_call *call = begin(x, &user_body_added);
    if (call) {
        account_hash(call, &call->input.new_password, create);
    }
}

static void set_password(struct account_call *call)
{
    govern(call, STORE_USER_SET_PASSWORD);
}

void control_set_password(struct http_exchange *x)
{
    struct account_call *call = begin(x, &user_body_new_password);
    if (call) {
        account_hash(call, &call->input.new_password, set_password);
    }
}

/* ---- invitations ---- */

static void invited(struct store_op *op)
{
    const struct account_call *call = account_call_of(op);
    const struct store_invitation_create *invite = &call->op.invite;
    struct http_exchange *x = call->x;
    if (respond_failed(x, op->result, ERROR_QUOTA_EXCEEDED,
                       "There are 10,000 invitations that nobody has used yet. They expire by "
                       "themselves; give fewer days.")) {
        return;
    }
    access_event(x, LOG_INFO, "invited", NULL, "operator");
    const char *url = api_of(x)->options.settings->public_url;
    struct buffer link;
    buffer_init(&link, LINK_MOST);
    if (url) { /* no browser sends what stands after `#` to a server, and no server logs it */
        buffer_add_format(&link, "%s%s#invitation=%s", url,
                          slice_ends(slice_of(url), SLICE("/")) ? "" : "/", call->invitation);
    }
    struct json_writer w = respond_json_begin(x);
    jw_open_object(&w);
    respond_member(&w, SLICE("invitation"), slice_of(call->invitation));
    respond_member(&w, SLICE("email"), invite->email);
    jw_name(&w, SLICE("expires_at"));
    jw_time(&w, invite->expires_at);
    respond_member(&w, SLICE("link"), url ? buffer_slice(&link) : (struct slice){0});
    jw_close_object(&w);
    buffer_finish(&link);
    respond_no_store(x);
    respond_json(x, 201);
}

void control_invite(struct http_exchange *x)
{
    struct account_call *call = begin(x, &user_body_invite);
    uint64_t days = INVITATION_DAYS;
    if (!call) {
        return;
    }
    if (call->input.days.ptr) {
        const bool read = slice_to_u64(call->input.days, USER_DAYS_MOST, &days);
        assert(read); /* as the body's rule has it */
        (void)read;
    }
    const int64_t now = clock_wall_ms();
    call->op.invite = (struct store_invitation_create){
        .op = account_op(call, invited),
        .email = call->input.email,
        .now = now,
        .expires_at = now + (int64_t)days * DAY_MS,
    };
    invitation_make(call->invitation, call->op.invite.hash);
    api_engine(x)->invitation_create(&call->op.invite);
}
