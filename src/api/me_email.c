// SPDX-License-Identifier: MIT
#include "api/body.h"
#include "api/context.h"
#include "api/event_log.h"
#include "api/handlers.h"
#include "api/password_check.h"
#include "api/respond.h"
#include "base/clock.h"

/* PUT /v1/me/email. */

struct change {
    struct password_check check; /* first: its address is the change's */
    struct store_user_set_email op;
};

static void changed(struct store_op *op)
{
    const struct store_user_set_email *set = (const struct store_user_set_email *)op;
    if (op->result != ERROR_NONE) {
        respond_user_error(op->caller, op->result);
        return;
    }
    event_log(op->caller, LOG_INFO, "email_changed", NULL, NULL);
    respond_row(op->caller, 200, &user_body_user, &set->user);
}

static void proved(struct password_check *check)
{
    struct change *change = (struct change *)check;
    struct http_exchange *x = check->x;
    change->op = (struct store_user_set_email){
        .op = api_op(x, changed, x),
        .id = api_caller(x)->user,
        .verified_hash = password_check_user(check)->password_hash,
        .email = check->input.email,
        .now = clock_wall_ms(),
    };
    api_engine(x)->user_set_email(&change->op);
}

void me_put_email(struct http_exchange *x)
{
    struct change *change = arena_new(x->arena, struct change);
    unsigned set = 0;
    if (!change) {
        respond_no_memory(x);
        return;
    }
    struct password_check *check = &change->check;
    *check = (struct password_check){.x = x, .loaded = password_check_compare, .proved = proved};
    if (body_decode_user(x, &user_body_email, FIELD_WHOLE, &check->input, &set)) {
        password_check_load(check);
    }
}
