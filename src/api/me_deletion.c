// SPDX-License-Identifier: MIT
#include "api/body.h"
#include "api/context.h"
#include "api/event_log.h"
#include "api/handlers.h"
#include "api/password_check.h"
#include "api/respond.h"

/* POST /v1/me/deletion: the account and all that belongs to it. */

struct deletion {
    struct password_check check; /* first: its address is the deletion's */
    struct store_user_delete op;
};

static void deleted(struct store_op *op)
{
    struct http_exchange *x = op->caller;
    if (op->result != ERROR_NONE) {
        respond_user_error(x, op->result);
        return;
    }
    event_log(x, LOG_INFO, "account_deleted", NULL, NULL);
    respond_done(x);
}

static void proved(struct password_check *check)
{
    struct deletion *deletion = (struct deletion *)check;
    struct http_exchange *x = check->x;
    deletion->op = (struct store_user_delete){
        .op = api_op(x, deleted, x),
        .id = api_caller(x)->user,
        .verified_hash = password_check_user(check)->password_hash,
    };
    api_engine(x)->user_delete(&deletion->op);
}

void me_delete(struct http_exchange *x)
{
    struct deletion *deletion = arena_new(x->arena, struct deletion);
    unsigned set = 0;
    if (!deletion) {
        respond_no_memory(x);
        return;
    }
    struct password_check *check = &deletion->check;
    *check = (struct password_check){.x = x, .loaded = password_check_compare, .proved = proved};
    if (body_decode_user(x, &user_body_proof, FIELD_WHOLE, &check->input, &set)) {
        password_check_load(check);
    }
}
