// SPDX-License-Identifier: MIT
#include "api/body.h"
#include "api/context.h"
#include "api/event_log.h"
#include "api/handlers.h"
#include "api/hashing.h"
#include "api/password_rule.h"
#include "api/respond.h"
#include "auth/tokens.h"
#include "base/clock.h"

/* POST /v1/auth/register: the rules, the hash, the row. An invitation that is sent is looked at and
 * used up whether registration is closed or not: what it says of itself stays true. */

struct registration {
    struct store_user_create op; /* first: its address is the registration's */
    struct http_exchange *x;
    struct user_input input;
    struct password_job job;
    uint8_t invitation[INVITATION_HASH_LEN];
};

static void created(struct store_op *op)
{
    const struct registration *registration = (const struct registration *)op;
    struct http_exchange *x = registration->x;
    if (op->result != ERROR_NONE) {
        respond_error(x, op->result, NULL);
        return;
    }
    event_log(x, LOG_INFO, "registered", &registration->op.user.id, NULL);
    http_respond_field(x, "Location", http_reference(x, SLICE("/v1/me")));
    respond_row(x, 201, &user_body_user, &registration->op.user);
}

static void hashed(struct password_job *job)
{
    struct registration *registration = job->caller;
    struct http_exchange *x = registration->x;
    hashing_wipe(&registration->input.new_password);
    if (!job->ok) {
        respond_no_memory(x);
        return;
    }
    int64_t now = clock_wall_ms();
    registration->op = (struct store_user_create){
        .op = api_op(x, created, NULL),
        .user = {.id = uuid_make_v7(),
                 .email = registration->input.email,
                 .name = registration->input.name,
                 .password_hash = hashing_result(job),
                 .created_at = now,
                 .updated_at = now},
        .invitation = registration->input.invitation.ptr ? registration->invitation : NULL,
    };
    api_engine(x)->user_create(&registration->op);
}

static bool is_closed(const struct http_exchange *x)
{
    return strcmp(api_of(x)->options.settings->registration, "closed") == 0;
}

void accounts_register(struct http_exchange *x)
{
    struct registration *registration = arena_new(x->arena, struct registration);
    if (!registration) {
        respond_no_memory(x);
        return;
    }
    registration->x = x;
    struct user_input *input = &registration->input;
    struct field_reading reading = {.fields = user_body_registration.fields,
                                    .count = user_body_registration.count,
                                    .input = input};
    if (!body_read(x, &reading)) {
        return;
    }
    password_rule_check(x, "/password", input->new_password, input->email, &reading.errors);
    if (!body_valid(x, &reading.errors)) {
        return;
    }
    if (!input->invitation.ptr && is_closed(x)) {
        hashing_wipe(&input->new_password);
        respond_error(x, ERROR_REGISTRATION_CLOSED, NULL);
        return;
    }
    invitation_hash(input->invitation, registration->invitation);
    hashing_make(x, &registration->job, &input->new_password, NULL, hashed, registration);
}
