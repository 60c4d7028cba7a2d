// SPDX-License-Identifier: MIT
#include "api/password_check.h"

#include "api/context.h"
#include "api/event_log.h"
#include "api/hashing.h"
#include "api/respond.h"

static void loaded(struct store_op *op)
{
    struct password_check *check = op->caller;
    if (op->result != ERROR_NONE) {
        respond_user_error(check->x, op->result);
        return;
    }
    login_limit_init(&check->limit, check->x, check->get.user.email, check->get.known_address);
    check->loaded(check);
}

void password_check_load(struct password_check *check)
{
    struct http_exchange *x = check->x;
    check->get = (struct store_user_get){
        .op = api_op(x, loaded, check),
        .id = api_caller(x)->user,
        .client = client_key_text(x->request.client, check->client),
    };
    api_engine(x)->user_get(&check->get);
}

static void compared(struct password_job *job)
{
    struct password_check *check = job->caller;
    struct http_exchange *x = check->x;
    hashing_wipe(&check->input.password);
    if (job->failed) {
        login_limit_give_back(&check->limit);
        respond_no_memory(x);
        return;
    }
    if (!job->ok) {
        event_log(x, LOG_WARN, "login_failed", NULL, "wrong_password");
        login_limit_keep(&check->limit);
        respond_error(x, ERROR_WRONG_PASSWORD, NULL);
        return;
    }
    login_limit_forget(&check->limit);
    check->proved(check);
}

void password_check_compare(struct password_check *check)
{
    hashing_verify(check->x, &check->job, &check->input.password, check->get.user.password_hash,
                   &check->limit, compared, check);
}
