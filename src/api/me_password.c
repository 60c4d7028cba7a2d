// SPDX-License-Identifier: MIT
#include "api/body.h"
#include "api/context.h"
#include "api/event_log.h"
#include "api/handlers.h"
#include "api/hashing.h"
#include "api/password_check.h"
#include "api/password_rule.h"
#include "api/respond.h"
#include "base/clock.h"

/* PUT /v1/me/password: every other session ends. */

struct change {
    struct password_check check; /* first: its address is the change's */
    struct password_job job;
    struct store_user_set_password op;
};

static void changed(struct store_op *op)
{
    struct http_exchange *x = op->caller;
    if (op->result != ERROR_NONE) {
        respond_user_error(x, op->result);
        return;
    }
    event_log(x, LOG_INFO, "password_changed", NULL, NULL);
    respond_done(x);
}

static void hashed(struct password_job *job)
{
    struct change *change = job->caller;
    struct http_exchange *x = change->check.x;
    hashing_wipe(&change->check.input.new_password);
    if (!job->ok) {
        respond_no_memory(x);
        return;
    }
    change->op = (struct store_user_set_password){
        .op = api_op(x, changed, x),
        .id = api_caller(x)->user,
        .verified_hash = password_check_user(&change->check)->password_hash,
        .hash = hashing_result(job),
        .keep = api_caller(x)->session,
        .now = clock_wall_ms(),
    };
    api_engine(x)->user_set_password(&change->op);
}

static void proved(struct password_check *check)
{
    struct change *change = (struct change *)check;
    hashing_make(check->x, &change->job, &check->input.new_password, NULL, hashed, change);
}

/* The one rule that needs the row. */
static void loaded(struct password_check *check)
{
    struct field_errors errors = {0};
    password_rule_check(check->x, "/new_password", check->input.new_password,
                        password_check_user(check)->email, &errors);
    if (body_valid(check->x, &errors)) {
        password_check_compare(check);
    }
}

void me_put_password(struct http_exchange *x)
{
    struct change *change = arena_new(x->arena, struct change);
    if (!change) {
        respond_no_memory(x);
        return;
    }
    struct password_check *check = &change->check;
    *check = (struct password_check){.x = x, .loaded = loaded, .proved = proved};
    struct field_reading reading = {.fields = user_body_password.fields,
                                    .count = user_body_password.count,
                                    .input = &check->input};
    if (!body_read(x, &reading)) {
        return;
    }
    password_rule_check(x, "/new_password", check->input.new_password, (struct slice){0},
                        &reading.errors);
    if (body_valid(x, &reading.errors)) {
        password_check_load(check);
    }
}
