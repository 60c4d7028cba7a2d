// SPDX-License-Identifier: MIT
#include "api/body.h"
#include "api/context.h"
#include "api/event_log.h"
#include "api/handlers.h"
#include "api/hashing.h"
#include "api/login_limit.h"
#include "api/respond.h"
#include "api/token_answer.h"
#include "base/clock.h"
#include "base/utf8.h"

/* POST /v1/auth/login. An unknown e-mail takes the same steps as a known one: find, take a guess
 * from the quota, compare (with nothing, at the same cost), answer.
 *
 *   find user -> guess -> compare -> (hash anew, if parameters rose) -> create session -> tokens */

#define USER_AGENT_MOST 256 /* bytes */

struct login {
    struct http_exchange *x;
    struct user_input input;
    struct login_limit limit;
    struct store_user_by_email find;
    struct password_job compare;
    struct password_job rehash;
    struct store_session_create create;
    char client[CLIENT_KEY_TEXT_MOST];
};

static void fail(struct login *login)
{
    struct http_exchange *x = login->x;
    bool known = login->find.op.result == ERROR_NONE;
    event_log(x, LOG_WARN, "login_failed", known ? &login->find.user.id : NULL, NULL);
    login_limit_keep(&login->limit);
    respond_error(x, ERROR_INVALID_CREDENTIALS, NULL);
}

static void created(struct store_op *op)
{
    struct login *login = op->caller;
    struct http_exchange *x = login->x;
    if (op->result == ERROR_INVALID_CREDENTIALS) {
        fail(login);
        return;
    }
    if (op->result != ERROR_NONE) {
        login_limit_give_back(&login->limit);
        respond_error(x, op->result, NULL);
        return;
    }
    login_limit_forget(&login->limit);
    event_log(x, LOG_INFO, "login_ok", &login->find.user.id, NULL);
    token_answer(x, &login->create.session);
}

/* What the client calls itself; nothing when that is no UTF-8. */
static struct slice user_agent(const struct http_exchange *x)
{
    struct slice field = http_request_field(&x->request, HTTP_FIELD_USER_AGENT);
    return utf8_valid(field) ? utf8_cut(field, USER_AGENT_MOST) : (struct slice){0};
}

static void create_session(struct login *login, struct slice rehash)
{
    struct http_exchange *x = login->x;
    int64_t now = clock_steady_ms();
    login->create = (struct store_session_create){
        .op = api_op(x, created, login),
        .session = {.id = uuid_make_v7(),
                    .user = login->find.user.id,
                    .counter = 1,
                    .created_at = now,
                    .last_used_at = now,
                    .expires_at = now + api_of(x)->options.settings->refresh_token_ttl * 1000,
                    .user_agent = user_agent(x),
                    .ip = x->request.client},
        .client = login->find.client,
        .verified_hash = login->find.user.password_hash,
        .rehash = rehash,
    };
    api_engine(x)->session_create(&login->create);
}

/* A login does not fail because its hash could not be made stronger. */
static void rehashed(struct password_job *job)
{
    struct login *login = job->caller;
    hashing_wipe(&login->input.password);
    create_session(login, job->ok ? hashing_result(job) : (struct slice){0});
}

static void compared(struct password_job *job)
{
    struct login *login = job->caller;
    struct http_exchange *x = login->x;
    if (job->ok && job->outdated) {
        hashing_make(x, &login->rehash, &login->input.password, &login->limit, rehashed, login);
        return;
    }
    hashing_wipe(&login->input.password);
    if (job->failed) {
        login_limit_give_back(&login->limit);
        respond_no_memory(x);
    } else if (job->ok) {
        create_session(login, (struct slice){0});
    } else {
        fail(login);
    }
}

static void found(struct store_op *op)
{
    struct login *login = op->caller;
    struct http_exchange *x = login->x;
    if (op->result != ERROR_NONE && op->result != ERROR_NOT_FOUND) {
        respond_error(x, op->result, NULL);
        return;
    }
    bool known = op->result == ERROR_NONE;
    login_limit_init(&login->limit, x, login->input.email, known && login->find.known_address);
    /* A disabled account is compared with nothing, as one that does not exist. */
    bool usable = known && login->find.user.disabled_at == 0;
    struct slice hash = usable ? login->find.user.password_hash : (struct slice){0};
    hashing_verify(x, &login->compare, &login->input.password, hash, &login->limit, compared,
                   login);
}

void accounts_login(struct http_exchange *x)
{
    struct login *login = arena_new(x->arena, struct login);
    unsigned set = 0;
    if (!login) {
        respond_no_memory(x);
        return;
    }
    login->x = x;
    if (!body_decode_user(x, &user_body_credentials, FIELD_WHOLE, &login->input, &set)) {
        return;
    }
    login->find = (struct store_user_by_email){
        .op = api_op(x, found, login),
        .email = login->input.email,
        .client = client_key_text(x->request.client, login->client),
    };
    api_engine(x)->user_by_email(&login->find);
}
