// SPDX-License-Identifier: MIT
#include "api/body.h"
#include "api/context.h"
#include "api/handlers.h"
#include "api/precondition.h"
#include "api/respond.h"
#include "base/clock.h"

/* GET and PATCH /v1/me. */

/* Sends the account with its tag. */
static void answer(struct http_exchange *x, const struct user *user)
{
    char text[TAG_MOST];
    http_respond_field(x, "ETag", tag_make(api_tag_space(x), TAG_USER, user_version(user), text));
    respond_row(x, 200, &user_body_user, user);
}

/* ---- reading ---- */

struct reading {
    struct store_user_get op; /* first: its address is the reading's */
    struct http_conditions conditions;
};

static void got(struct store_op *op)
{
    struct reading *reading = (struct reading *)op;
    const struct user *user = &reading->op.user;
    struct http_exchange *x = op->caller;
    if (op->result != ERROR_NONE) {
        respond_user_error(x, op->result);
        return;
    }
    char text[TAG_MOST];
    struct slice tag = tag_make(api_tag_space(x), TAG_USER, user_version(user), text);
    enum http_conditions_verdict verdict = http_conditions_judge(&reading->conditions, tag);
    if (verdict == HTTP_CONDITIONS_GO) {
        answer(x, user);
    } else {
        precondition_answer(x, verdict, tag, SLICE("no-store"));
    }
}

void me_get(struct http_exchange *x)
{
    struct reading *reading = arena_new(x->arena, struct reading);
    if (!reading) {
        respond_no_memory(x);
        return;
    }
    if (!precondition_parse(x, &reading->conditions)) {
        return;
    }
    reading->op.op = api_op(x, got, x);
    reading->op.id = api_caller(x)->user;
    api_engine(x)->user_get(&reading->op);
}

/* ---- changing ---- */

static void refuse(struct http_exchange *x, enum store_verdict verdict, const struct user *user)
{
    precondition_refuse(x, verdict, TAG_USER, user_version(user));
}

static void renamed(struct store_op *op)
{
    const struct store_user_rename *rename = (const struct store_user_rename *)op;
    if (op->result == ERROR_PRECONDITION_FAILED) {
        refuse(op->caller, rename->verdict, &rename->user);
    } else if (op->result != ERROR_NONE) {
        respond_user_error(op->caller, op->result);
    } else {
        answer(op->caller, &rename->user);
    }
}

/* An empty patch changes nothing, and so needs no write. */
struct looking {
    struct store_user_get op; /* first: its address is the looking's */
    const struct store_precondition *precondition;
};

static void looked(struct store_op *op)
{
    const struct looking *looking = (const struct looking *)op;
    const struct user *user = &looking->op.user;
    if (op->result != ERROR_NONE) {
        respond_user_error(op->caller, op->result);
        return;
    }
    enum store_verdict verdict =
        store_precondition_judge(looking->precondition, true, user_version(user));
    if (verdict == STORE_HOLDS) {
        answer(op->caller, user);
    } else {
        refuse(op->caller, verdict, user);
    }
}

void me_patch(struct http_exchange *x)
{
    struct store_user_rename *rename = arena_new(x->arena, struct store_user_rename);
    struct looking *looking = arena_new(x->arena, struct looking);
    struct user_input input = {0};
    unsigned set = 0;
    if (!rename || !looking) {
        respond_no_memory(x);
        return;
    }
    if (!precondition_read(x, TAG_USER, &rename->precondition) ||
        !body_decode_user(x, &user_body_profile, FIELD_PATCH, &input, &set)) {
        return;
    }
    if (!(set & USER_NAME)) {
        looking->op.op = api_op(x, looked, x);
        looking->op.id = api_caller(x)->user;
        looking->precondition = &rename->precondition;
        api_engine(x)->user_get(&looking->op);
        return;
    }
    rename->op = api_op(x, renamed, x);
    rename->id = api_caller(x)->user;
    rename->name = input.name;
    rename->now = clock_wall_ms();
    api_engine(x)->user_rename(rename);
}
