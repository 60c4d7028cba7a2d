// SPDX-License-Identifier: MIT
#include <assert.h>

#include "api/access.h"
#include "api/account.h"
#include "api/context.h"
#include "api/handlers.h"
#include "api/precondition.h"
#include "api/respond.h"
#include "base/clock.h"

/* GET and PATCH /v1/me; PUT /v1/me/password and /v1/me/email and POST /v1/me/deletion, which take
 * the password beside the token. */

static struct slice tag_of(const struct account_call *call, const struct user *user,
                           char text[static TAG_MOST])
{
    return tag_make(api_tag_space(call->x), TAG_USER, user_version(user), text);
}

/* Sends the account with its tag. */
static void answer(struct account_call *call, const struct user *user)
{
    char text[TAG_MOST];
    http_respond_field(call->x, "ETag", tag_of(call, user, text));
    respond_row(call->x, 200, &user_body_user, user);
}

static void get_user(struct account_call *call, void (*done)(struct store_op *op))
{
    call->get =
        (struct store_user_get){.op = account_op(call, done), .id = api_caller(call->x)->user};
    api_engine(call->x)->user_get(&call->get);
}

/* ---- reading ---- */

static void got(struct store_op *op)
{
    struct account_call *call = account_call_of(op);
    const struct user *user = &call->get.user;
    if (op->result != ERROR_NONE) {
        respond_user_error(call->x, op->result);
        return;
    }
    char text[TAG_MOST];
    const struct slice tag = tag_of(call, user, text);
    if (precondition_holds(call->x, &call->conditions, tag, SLICE("no-store"))) {
        answer(call, user);
    }
}

void me_get(struct http_exchange *x)
{
    struct account_call *call = account_call_new(x);
    if (call && precondition_parse(x, &call->conditions)) {
        get_user(call, got);
    }
}

/* ---- changing the profile ---- */

static void refuse(struct account_call *call, enum store_verdict verdict, const struct user *user)
{
    precondition_refuse(call->x, verdict, TAG_USER, user_version(user));
}

static void profile_set(struct store_op *op)
{
    struct account_call *call = account_call_of(op);
    const struct store_user_set_profile *profile = &call->op.set_profile;
    if (op->result == ERROR_PRECONDITION_FAILED) {
        refuse(call, profile->verdict, &profile->user);
    } else if (op->result != ERROR_NONE) {
        respond_user_error(call->x, op->result);
    } else {
        answer(call, &profile->user);
    }
}

/* An empty patch changes nothing, and so needs no write. */
static void looked(struct store_op *op)
{
    struct account_call *call = account_call_of(op);
    const struct user *user = &call->get.user;
    if (op->result != ERROR_NONE) {
        respond_user_error(call->x, op->result);
        return;
    }
    const enum store_verdict verdict =
        store_precondition_judge(&call->op.set_profile.precondition, true, user_version(user));
    if (verdict == STORE_HOLDS) {
        answer(call, user);
    } else {
        refuse(call, verdict, user);
    }
}

void me_patch(struct http_exchange *x)
{
    struct account_call *call = account_call_new(x);
    struct field_errors errors;
    if (!call || !precondition_read(x, TAG_USER, &call->op.set_profile.precondition) ||
        !account_read(call, &user_body_profile, FIELD_PATCH, &errors) || !body_valid(x, &errors)) {
        return;
    }
    if (!(call->set & (USER_NAME | USER_TIME_ZONE))) {
        get_user(call, looked);
        return;
    }
    struct store_user_set_profile *profile = &call->op.set_profile;
    profile->op = account_op(call, profile_set);
    profile->id = api_caller(x)->user;
    profile->sets_name = call->set & USER_NAME;
    profile->sets_time_zone = call->set & USER_TIME_ZONE;
    profile->name = call->input.name;
    profile->time_zone = call->input.time_zone;
    profile->now = clock_wall_ms();
    api_engine(x)->user_set_profile(profile);
}

/* ---- changes that take the password ---- */

/* The answer to all three. */
static void changed(struct store_op *op)
{
    const struct account_call *call = account_call_of(op);
    assert(call->event);
    if (op->result != ERROR_NONE) {
        respond_user_error(call->x, op->result);
        return;
    }
    access_event(call->x, LOG_INFO, call->event, NULL, NULL);
    if (call->shown) {
        respond_row(call->x, 200, &user_body_user, call->shown);
    } else {
        respond_done(call->x);
    }
}

/* Every other session ends. */
static void set_password(struct account_call *call)
{
    call->event = "password_changed";
    call->op.set_password = (struct store_user_set_password){
        .op = account_op(call, changed),
        .id = api_caller(call->x)->user,
        .verified_hash = call->get.user.password_hash,
        .hash = call->new_hash,
        .keep = api_caller(call->x)->session,
        .now = clock_wall_ms(),
    };
    api_engine(call->x)->user_set_password(&call->op.set_password);
}

static void hash_password(struct account_call *call)
{
    account_hash(call, &call->input.new_password, set_password);
}

void me_put_password(struct http_exchange *x)
{
    struct account_call *call = account_call_begin(x, &user_body_password);
    if (call) {
        account_check_password(call, hash_password);
    }
}

static void set_email(struct account_call *call)
{
    call->event = "email_changed";
    call->shown = &call->op.set_email.user;
    call->op.set_email = (struct store_user_set_email){
        .op = account_op(call, changed),
        .id = api_caller(call->x)->user,
        .verified_hash = call->get.user.password_hash,
        .email = call->input.email,
        .now = clock_wall_ms(),
    };
    api_engine(call->x)->user_set_email(&call->op.set_email);
}

void me_put_email(struct http_exchange *x)
{
    struct account_call *call = account_call_begin(x, &user_body_email);
    if (call) {
        account_check_password(call, set_email);
    }
}

static void delete_user(struct account_call *call)
{
    call->event = "account_deleted";
    call->op.erase = (struct store_user_delete){
        .op = account_op(call, changed),
        .id = api_caller(call->x)->user,
        .verified_hash = call->get.user.password_hash,
    };
    api_engine(call->x)->user_delete(&call->op.erase);
}

void me_delete(struct http_exchange *x)
{
    struct account_call *call = account_call_begin(x, &user_body_proof);
    if (call) {
        account_check_password(call, delete_user);
    }
}
