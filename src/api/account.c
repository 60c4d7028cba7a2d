// SPDX-License-Identifier: MIT
#include "api/account.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>

#include "api/access.h"
#include "api/context.h"
#include "api/respond.h"
#include "api/routes.h"
#include "auth/password.h"
#include "base/clock.h"
#include "base/owner.h"

/* ---- the policy for passwords ---- */

static const struct {
    const char *code;
    const char *detail;
} verdicts[] = {
    [PASSWORD_TOO_SHORT] = {"too_short", "Is too short."},
    [PASSWORD_TOO_LONG] = {"too_long", "Must have at most 1024 bytes."},
    [PASSWORD_COMMON] = {"password_common",
                         "Is one of the passwords that everybody tries first; choose another."},
    [PASSWORD_CONTAINS_EMAIL] = {"password_contains_email",
                                 "Must not hold the part of the e-mail address before the @."},
};

/* Adds what the policy says against a new password; `email` may be empty. One with ptr NULL
 * (missing, or not a string) is passed over: the fields have complained already. */
static void judge_password(struct http_exchange *x, const char *pointer, struct slice password,
                           struct slice email, struct field_errors *errors)
{
    const unsigned least = (unsigned)api_of(x)->options.settings->password_min_length;
    const enum password_verdict verdict =
        password.ptr ? password_judge(password, email, least) : PASSWORD_OK;
    if (verdict == PASSWORD_OK) {
        return;
    }
    const char *detail = verdicts[verdict].detail;
    if (verdict == PASSWORD_TOO_SHORT) { /* the least length is a setting */
        char text[64];
        snprintf(text, sizeof text, "Must have at least %u characters.", least);
        const struct slice copy = arena_copy(x->arena, slice_of(text));
        detail = copy.ptr ? copy.ptr : detail;
    }
    field_errors_add(errors, slice_of(pointer), verdicts[verdict].code, detail);
}

/* ---- the call ---- */

struct account_call *account_call_new(struct http_exchange *x)
{
    struct account_call *call = arena_new(x->arena, struct account_call);
    if (!call) {
        respond_no_memory(x);
        return NULL;
    }
    OWNER_SET(call, ACCOUNT_CALL_MAGIC);
    call->x = x;
    return call;
}

bool account_read(struct account_call *call, const struct user_body *body, enum field_mode mode,
                  struct field_errors *errors)
{
    assert(OWNER_IS(call, ACCOUNT_CALL_MAGIC) && call->set == 0);
    struct user_input *input = &call->input;
    struct field_reading reading = {
        .fields = body->fields, .count = body->count, .mode = mode, .input = input};
    if (!body_read(call->x, &reading, NULL)) {
        return false;
    }
    judge_password(call->x, body == &user_body_password ? "/new_password" : "/password",
                   input->new_password, input->email, &reading.errors);
    call->set = reading.set;
    *errors = reading.errors;
    return true;
}

struct account_call *account_call_begin(struct http_exchange *x, const struct user_body *body)
{
    struct account_call *call = account_call_new(x);
    struct field_errors errors;
    const bool good =
        call && account_read(call, body, FIELD_WHOLE, &errors) && body_valid(x, &errors);
    return good ? call : NULL;
}

struct account_call *account_call_of(const struct store_op *op)
{
    assert(op->result < ERROR_COUNT);
    return OWNER_CAST(op->caller, struct account_call, ACCOUNT_CALL_MAGIC);
}

struct store_op account_op(struct account_call *call, void (*done)(struct store_op *op))
{
    assert(OWNER_IS(call, ACCOUNT_CALL_MAGIC));
    return api_op(call->x, done, call);
}

#define SENTENCES_MOST 512

bool account_valid_for_operator(struct http_exchange *x, const struct field_errors *errors)
{
    char text[SENTENCES_MOST] = "";
    if (errors->count > 0) {
        (void)field_errors_say(errors, text, sizeof text);
        respond_error(x, ERROR_VALIDATION_FAILED, text);
    }
    return errors->count == 0;
}

/* ---- guesses ---- */

void account_settle(struct account_call *call, enum account_guess guess)
{
    struct login_limit *limit = &call->limit;
    struct throttle *throttle = api_of(call->x)->failures;
    assert(OWNER_IS(call, ACCOUNT_CALL_MAGIC) && limit->taken);
    limit->taken = false;
    if (!throttle) {
        return;
    }
    const struct slice key = {limit->key, limit->key_len};
    const int64_t now = clock_mono_ms();
    if (guess == ACCOUNT_GUESS_RIGHT && limit->known_address) {
        throttle_forget(throttle, key);
    }
    const struct throttle_state state = guess == ACCOUNT_GUESS_WRONG
                                            ? throttle_take(throttle, key, 0, now)
                                            : throttle_give(throttle, key, now);
    access_rate_fields(call->x, throttle, &state);
}

/* ---- passwords ---- */

void account_wipe(struct slice *password)
{
    if (password->ptr) {
        /* The bytes are ours: decoding copied them into the request's arena. */
        sodium_memzero((void *)(uintptr_t)password->ptr, password->len);
        *password = (struct slice){0};
    }
}

/* The answer ends the request, and its memory is another's then: so the passwords go first. */
static void refuse(struct account_call *call, enum error error)
{
    account_wipe(&call->input.password);
    account_wipe(&call->input.new_password);
    if (call->limit.taken) {
        account_settle(call, ACCOUNT_GUESS_UNUSED);
    }
    respond_error(call->x, error, NULL);
}

/* False: the pool is full. */
static bool submit(struct account_call *call, enum password_work work, struct slice *password,
                   void (*done)(struct password_job *job))
{
    assert(OWNER_IS(call, ACCOUNT_CALL_MAGIC) && call->next && password->ptr);
    call->password = password;
    call->job.work = work;
    call->job.inbox = http_loop_inbox(call->x->loop);
    call->job.password = *password;
    call->job.done = done;
    call->job.caller = call;
    return hasher_submit(api_of(call->x)->hasher, &call->job);
}

static void compared(struct password_job *job)
{
    struct account_call *call = OWNER_CAST(job->caller, struct account_call, ACCOUNT_CALL_MAGIC);
    if (job->failed) {
        refuse(call, ERROR_OVERLOADED);
    } else {
        call->next(call);
    }
}

void account_compare(struct account_call *call, struct slice email, bool known_address,
                     struct slice hash, void (*next)(struct account_call *call))
{
    struct login_limit *limit = &call->limit;
    struct throttle *throttle = api_of(call->x)->failures;
    const size_t email_len = email.len < USER_EMAIL_MOST ? email.len : USER_EMAIL_MOST;
    char text[CLIENT_KEY_TEXT_MOST];
    struct slice client = {"", 0};
    assert(!limit->taken);
    call->next = next;
    call->job = (struct password_job){0};
    if (known_address) {
        client = client_key_text(call->x->request.client, text);
    }
    *limit = (struct login_limit){.known_address = known_address};
    const int len = snprintf(limit->key, sizeof limit->key, "%.*s%s%.*s", (int)email_len, email.ptr,
                             known_address ? "\n" : "", (int)client.len, client.ptr);
    assert(len >= 0 && (size_t)len < sizeof limit->key);
    limit->key_len = (size_t)len;
    const struct slice key = {limit->key, limit->key_len};
    (void)slice_lower(key, limit->key);
    if (throttle) {
        const struct throttle_state state = throttle_take(throttle, key, 1, clock_mono_ms());
        if (!state.allowed) {
            account_wipe(&call->input.password);
            account_wipe(&call->input.new_password);
            access_rate_fields(call->x, throttle, &state);
            access_rate_refuse(call->x, throttle, &state, "wrong passwords for one account");
            return;
        }
    }
    limit->taken = true;
    if (hash.len >= sizeof call->job.hash) {
        refuse(call, ERROR_INTERNAL_ERROR);
        return;
    }
    if (hash.len > 0) {
        memcpy(call->job.hash, hash.ptr, hash.len);
    }
    if (!submit(call, PASSWORD_VERIFY, &call->input.password, compared)) {
        refuse(call, ERROR_OVERLOADED);
    }
}

static void hashed(struct password_job *job)
{
    struct account_call *call = OWNER_CAST(job->caller, struct account_call, ACCOUNT_CALL_MAGIC);
    if (!job->ok && call->password == &call->input.new_password) {
        refuse(call, ERROR_OVERLOADED);
        return;
    }
    account_wipe(call->password);
    if (job->ok) {
        call->new_hash = slice_of(job->hash);
    }
    call->next(call);
}

void account_hash(struct account_call *call, struct slice *password,
                  void (*next)(struct account_call *call))
{
    assert(password == &call->input.password || password == &call->input.new_password);
    call->next = next;
    call->job = (struct password_job){0};
    if (!submit(call, PASSWORD_HASH, password, hashed)) {
        refuse(call, ERROR_OVERLOADED);
    }
}

/* ---- the caller's own password ---- */

static void checked(struct account_call *call)
{
    struct http_exchange *x = call->x;
    account_wipe(&call->input.password);
    if (!call->job.ok) {
        access_event(x, LOG_WARN, "login_failed", NULL, "wrong_password");
        account_settle(call, ACCOUNT_GUESS_WRONG);
        respond_error(x, ERROR_WRONG_PASSWORD, NULL);
        return;
    }
    account_settle(call, ACCOUNT_GUESS_RIGHT);
    call->checked(call);
}

static void loaded(struct store_op *op)
{
    struct account_call *call = account_call_of(op);
    const struct user *user = &call->get.user;
    struct field_errors errors = {0};
    if (op->result != ERROR_NONE) {
        respond_user_error(call->x, op->result);
        return;
    }
    judge_password(call->x, "/new_password", call->input.new_password, user->email, &errors);
    if (body_valid(call->x, &errors)) {
        account_compare(call, user->email, call->get.known_address, user->password_hash, checked);
    }
}

void account_check_password(struct account_call *call, void (*next)(struct account_call *call))
{
    struct http_exchange *x = call->x;
    assert(x->route->access == HTTP_ACCESS_TOKEN && x->route->quota == API_QUOTA_AUTH);
    assert(call->input.password.ptr && !call->limit.taken);
    call->checked = next;
    call->get = (struct store_user_get){
        .op = account_op(call, loaded),
        .id = api_caller(x)->user,
        .client = client_key_text(x->request.client, call->client),
    };
    api_engine(x)->user_get(&call->get);
}

/* ---- a new account ---- */

void account_create(struct account_call *call, void (*done)(struct store_op *op))
{
    const struct user_input *input = &call->input;
    const int64_t now = clock_wall_ms();
    assert(call->new_hash.ptr && !input->new_password.ptr);
    call->op.create = (struct store_user_create){
        .op = account_op(call, done),
        .user = {.id = uuid_make_v7(),
                 .email = input->email,
                 .name = input->name,
                 .time_zone = SLICE(ZONE_UTC),
                 .password_hash = call->new_hash,
                 .created_at = now,
                 .updated_at = now},
    };
    if (input->invitation.ptr) {
        invitation_hash(input->invitation, call->invitation_hash);
        call->op.create.invitation = call->invitation_hash;
    }
    api_engine(call->x)->user_create(&call->op.create);
}
