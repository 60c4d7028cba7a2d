// SPDX-License-Identifier: MIT
#include "api/context.h"
#include "api/event_log.h"
#include "api/handlers.h"
#include "api/proof.h"
#include "api/respond.h"
#include "api/user_answer.h"
#include "base/clock.h"

/* PUT /v1/me/email. */

struct change {
    struct proof proof; /* first: its address is the change's */
    struct store_user_set_email op;
};

static void changed(struct store_op *op)
{
    const struct store_user_set_email *set = (const struct store_user_set_email *)op;
    if (op->result != ERROR_NONE) {
        user_answer_error(op->caller, op->result);
        return;
    }
    event_log(op->caller, LOG_INFO, "email_changed", NULL, NULL);
    user_answer(op->caller, 200, &set->user);
}

static void proved(struct proof *proof)
{
    struct change *change = (struct change *)proof;
    struct http_exchange *x = proof->x;
    change->op = (struct store_user_set_email){
        .op = api_op(x, changed, x),
        .id = api_caller(x)->user,
        .verified_hash = proof_user(proof)->password_hash,
        .email = proof->input.email,
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
    struct proof *proof = &change->proof;
    *proof = (struct proof){.x = x, .loaded = proof_compare, .proved = proved};
    if (user_body_decode(x, &user_body_email, FIELD_WHOLE, &proof->input, &set)) {
        proof_load(proof);
    }
}
