// SPDX-License-Identifier: MIT
#include "api/proof.h"

#include "api/context.h"
#include "api/event_log.h"
#include "api/hashing.h"
#include "api/respond.h"
#include "api/user_answer.h"

static void loaded(struct store_op *op)
{
    struct proof *proof = op->caller;
    if (op->result != ERROR_NONE) {
        user_answer_error(proof->x, op->result);
        return;
    }
    failures_init(&proof->failures, proof->x, proof->get.user.email, proof->get.known_address);
    proof->loaded(proof);
}

void proof_load(struct proof *proof)
{
    struct http_exchange *x = proof->x;
    proof->get = (struct store_user_get){
        .op = api_op(x, loaded, proof),
        .id = api_caller(x)->user,
        .client = client_key_text(x->request.client, proof->client),
    };
    api_engine(x)->user_get(&proof->get);
}

static void compared(struct password_job *job)
{
    struct proof *proof = job->caller;
    struct http_exchange *x = proof->x;
    hashing_wipe(&proof->input.password);
    if (job->failed) {
        failures_give_back(&proof->failures);
        respond_no_memory(x);
        return;
    }
    if (!job->ok) {
        event_log(x, LOG_WARN, "login_failed", NULL, "wrong_password");
        failures_keep(&proof->failures);
        respond_error(x, ERROR_WRONG_PASSWORD, NULL);
        return;
    }
    failures_forget(&proof->failures);
    proof->proved(proof);
}

void proof_compare(struct proof *proof)
{
    hashing_verify(proof->x, &proof->job, &proof->input.password, proof->get.user.password_hash,
                   &proof->failures, compared, proof);
}
