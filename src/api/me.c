#include "api/context.h"
#include "api/handlers.h"
#include "api/respond.h"
#include "api/user_answer.h"
#include "base/clock.h"

/* GET and PATCH /v1/me. */

static void got(struct store_op *op)
{
    const struct store_user_get *get = (const struct store_user_get *)op;
    if (op->result != ERROR_NONE) {
        user_answer_error(op->caller, op->result);
        return;
    }
    user_answer(op->caller, 200, &get->user);
}

static void read_account(struct http_exchange *x)
{
    struct store_user_get *get = arena_new(x->arena, struct store_user_get);
    if (!get) {
        respond_no_memory(x);
        return;
    }
    get->op = api_op(x, got, x);
    get->id = api_caller(x)->user;
    api_engine(x)->user_get(get);
}

static void renamed(struct store_op *op)
{
    const struct store_user_rename *rename = (const struct store_user_rename *)op;
    if (op->result != ERROR_NONE) {
        user_answer_error(op->caller, op->result);
        return;
    }
    user_answer(op->caller, 200, &rename->user);
}

static void rename_account(struct http_exchange *x, struct slice name)
{
    struct store_user_rename *rename = arena_new(x->arena, struct store_user_rename);
    if (!rename) {
        respond_no_memory(x);
        return;
    }
    rename->op = api_op(x, renamed, x);
    rename->id = api_caller(x)->user;
    rename->name = name;
    rename->now = clock_wall_ms();
    api_engine(x)->user_rename(rename);
}

void me_get(struct http_exchange *x)
{
    read_account(x);
}

void me_patch(struct http_exchange *x)
{
    struct user_input input = {0};
    unsigned set = 0;
    if (!user_body_decode(x, &user_body_profile, FIELD_PATCH, &input, &set)) {
        return;
    }
    if (set & USER_NAME) {
        rename_account(x, input.name);
    } else {
        read_account(x); /* an empty patch changes nothing */
    }
}
