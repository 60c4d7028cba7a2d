// SPDX-License-Identifier: MIT
#include <assert.h>
#include <stdio.h>

#include "api/body.h"
#include "api/context.h"
#include "api/event_log.h"
#include "api/handlers.h"
#include "api/hashing.h"
#include "api/password_rule.h"
#include "api/respond.h"
#include "api/routes.h"
#include "auth/tokens.h"
#include "base/clock.h"

/* What an operator does with accounts; see api_control_routes. */

#define DETAIL_MOST 512
#define LINK_MOST   4096

#define INVITATION_DAYS 7
#define DAY_MS          INT64_C(86400000)

/* ---- the list ---- */

struct listing {
    struct store_user_list op; /* first: its address is the listing's */
    struct http_exchange *x;
};

static void each(struct store_user_list *op, const struct user *row)
{
    const struct listing *listing = (const struct listing *)op;
    struct json_writer w = respond_json_begin(listing->x);
    respond_write(&w, &user_body_operator, row);
    buffer_add_char(listing->x->response.body, '\n');
}

static void listed(struct store_op *op)
{
    struct http_exchange *x = ((const struct listing *)op)->x;
    if (op->result != ERROR_NONE) {
        respond_error(x, op->result, NULL);
        return;
    }
    respond_no_store(x);
    http_respond_body(x, 200, "application/jsonl");
}

void control_list_users(struct http_exchange *x)
{
    struct listing *listing = arena_new(x->arena, struct listing);
    if (!listing) {
        respond_no_memory(x);
        return;
    }
    listing->x = x;
    listing->op = (struct store_user_list){
        .op = api_op(x, listed, NULL), .limit = API_CONTROL_USERS_MOST, .each = each};
    if (x->request.parameters[0].ptr) {
        listing->op.after = api_path_id(x);
    }
    api_engine(x)->user_list(&listing->op);
}

/* ---- orders about one account ---- */

struct order {
    struct http_exchange *x;
    struct user_input input;
    struct password_job job;
    struct store_user_by_email find;
    struct store_user_create create;
    struct store_user_govern govern;
};

/* Sends 422 with all of `errors` in one sentence, and returns false, when there are any. */
static bool is_valid(struct http_exchange *x, const struct field_errors *errors)
{
    char text[DETAIL_MOST] = "";
    size_t len = 0;
    for (unsigned i = 0; i < errors->count && len < sizeof text; i++) {
        const struct field_error *error = &errors->list[i];
        struct slice name = {error->pointer.ptr + 1, error->pointer.len - 1};
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%.*s: %s", len > 0 ? " " : "",
                                (int)name.len, name.ptr, error->detail);
    }
    if (errors->count > 0) {
        respond_error(x, ERROR_VALIDATION_FAILED, text);
    }
    return errors->count == 0;
}

/* An order with its body read; NULL: answered. */
static struct order *begin(struct http_exchange *x, const struct user_body *body)
{
    struct order *order = arena_new(x->arena, struct order);
    if (!order) {
        respond_no_memory(x);
        return NULL;
    }
    *order = (struct order){.x = x};
    struct field_reading reading = {
        .fields = body->fields, .count = body->count, .input = &order->input};
    if (!body_read(x, &reading)) {
        return NULL;
    }
    password_rule_check(x, "/password", order->input.new_password, order->input.email,
                        &reading.errors);
    return is_valid(x, &reading.errors) ? order : NULL;
}

static void answer(const struct order *order, enum error result, int status,
                   const struct user *user)
{
    struct http_exchange *x = order->x;
    if (result != ERROR_NONE) {
        respond_error(x, result,
                      result == ERROR_NOT_FOUND ? "There is no account with this e-mail." : NULL);
        return;
    }
    respond_no_store(x);
    struct json_writer w = respond_json_begin(x);
    respond_write(&w, &user_body_operator, user);
    respond_json(x, status);
}

static void log_governed(const struct http_exchange *x, const struct store_user_govern *op)
{
    static const char by[] = "operator";
    switch (op->verb) {
    case STORE_USER_DISABLE: event_log(x, LOG_INFO, "user_disabled", &op->id, by); break;
    case STORE_USER_ENABLE: event_log(x, LOG_INFO, "user_enabled", &op->id, by); break;
    case STORE_USER_SET_PASSWORD: event_log(x, LOG_INFO, "password_changed", &op->id, by); break;
    case STORE_USER_ERASE: event_log(x, LOG_INFO, "account_deleted", &op->id, by); break;
    }
}

static void governed(struct store_op *op)
{
    const struct order *order = op->caller;
    if (op->result == ERROR_NONE) {
        log_governed(order->x, &order->govern);
    }
    answer(order, op->result, 200, &order->govern.user);
}

static void found(struct store_op *op)
{
    struct order *order = op->caller;
    struct http_exchange *x = order->x;
    if (op->result != ERROR_NONE) {
        answer(order, op->result, 0, NULL);
        return;
    }
    order->govern.op = api_op(x, governed, order);
    order->govern.id = order->find.user.id;
    order->govern.now = clock_wall_ms();
    api_engine(x)->user_govern(&order->govern);
}

static void govern(struct order *order, enum store_user_verb verb)
{
    order->govern.verb = verb;
    order->find = (struct store_user_by_email){.op = api_op(order->x, found, order),
                                               .email = order->input.email};
    api_engine(order->x)->user_by_email(&order->find);
}

static void govern_by_email(struct http_exchange *x, enum store_user_verb verb)
{
    struct order *order = begin(x, &user_body_account);
    if (order) {
        govern(order, verb);
    }
}

void control_disable_user(struct http_exchange *x)
{
    govern_by_email(x, STORE_USER_DISABLE);
}

void control_enable_user(struct http_exchange *x)
{
    govern_by_email(x, STORE_USER_ENABLE);
}

void control_delete_user(struct http_exchange *x)
{
    govern_by_email(x, STORE_USER_ERASE);
}

/* ---- orders with a password ---- */

static void created(struct store_op *op)
{
    const struct order *order = op->caller;
    if (op->result == ERROR_NONE) {
        event_log(order->x, LOG_INFO, "registered", &order->create.user.id, "operator");
    }
    answer(order, op->result, 201, &order->create.user);
}

static void create(struct order *order)
{
    const int64_t now = clock_wall_ms();
    order->create = (struct store_user_create){
        .op = api_op(order->x, created, order),
        .user = {.id = uuid_make_v7(),
                 .email = order->input.email,
                 .name = order->input.name,
                 .password_hash = hashing_result(&order->job),
                 .created_at = now,
                 .updated_at = now},
    };
    api_engine(order->x)->user_create(&order->create);
}

static bool take_hash(struct password_job *job)
{
    struct order *order = job->caller;
    hashing_wipe(&order->input.new_password);
    if (!job->ok) {
        respond_no_memory(order->x);
    }
    return job->ok;
}

static void hashed_new(struct password_job *job)
{
    if (take_hash(job)) {
        create(job->caller);
    }
}

static void hashed_change(struct password_job *job)
{
    struct order *order = job->caller;
    if (take_hash(job)) {
        order->govern.hash = hashing_result(job);
        govern(order, STORE_USER_SET_PASSWORD);
    }
}

static void hash(struct order *order, void (*done)(struct password_job *job))
{
    hashing_make(order->x, &order->job, &order->input.new_password, NULL, done, order);
}

void control_add_user(struct http_exchange *x)
{
    struct order *order = begin(x, &user_body_added);
    if (order) {
        hash(order, hashed_new);
    }
}

void control_set_password(struct http_exchange *x)
{
    struct order *order = begin(x, &user_body_new_password);
    if (order) {
        hash(order, hashed_change);
    }
}

/* ---- invitations ---- */

struct invite {
    struct store_invitation_create op; /* first: its address is the invite's */
    struct http_exchange *x;
    char text[INVITATION_LEN + 1];
};

/* The invitation stands after `#`, which no browser sends to a server and no server logs. */
static void write_link(struct json_writer *w, const struct invite *invite)
{
    const char *url = api_of(invite->x)->options.settings->public_url;
    struct buffer link;
    if (!url) {
        jw_null(w);
        return;
    }
    buffer_init(&link, LINK_MOST);
    buffer_add_format(&link, "%s%s#invitation=%s", url,
                      slice_ends(slice_of(url), SLICE("/")) ? "" : "/", invite->text);
    jw_text(w, buffer_slice(&link));
    buffer_finish(&link);
}

static void write_invitation(struct json_writer *w, const struct invite *invite)
{
    jw_open_object(w);
    jw_name(w, SLICE("invitation"));
    jw_text(w, slice_of(invite->text));
    jw_name(w, SLICE("email"));
    if (invite->op.email.ptr) {
        jw_text(w, invite->op.email);
    } else {
        jw_null(w);
    }
    jw_name(w, SLICE("expires_at"));
    jw_time(w, invite->op.expires_at);
    jw_name(w, SLICE("link"));
    write_link(w, invite);
    jw_close_object(w);
}

static void invited(struct store_op *op)
{
    const struct invite *invite = (const struct invite *)op;
    struct http_exchange *x = invite->x;
    if (op->result != ERROR_NONE) {
        respond_error(x, op->result,
                      op->result == ERROR_QUOTA_EXCEEDED
                          ? "There are 10,000 invitations that nobody used yet. They expire by "
                            "themselves; give fewer days."
                          : NULL);
        return;
    }
    event_log(x, LOG_INFO, "invited", NULL, "operator");
    respond_no_store(x);
    struct json_writer w = respond_json_begin(x);
    write_invitation(&w, invite);
    respond_json(x, 201);
}

void control_invite(struct http_exchange *x)
{
    struct invite *invite = arena_new(x->arena, struct invite);
    const struct order *order = begin(x, &user_body_invite);
    uint64_t days = INVITATION_DAYS;
    if (!order) {
        return;
    }
    if (!invite) {
        respond_no_memory(x);
        return;
    }
    if (order->input.days.ptr) {
        const bool read = slice_to_u64(order->input.days, USER_DAYS_MOST, &days);
        assert(read); /* as the body's rule has it */
        (void)read;
    }
    const int64_t now = clock_wall_ms();
    invite->x = x;
    invite->op = (struct store_invitation_create){
        .op = api_op(x, invited, NULL),
        .email = order->input.email,
        .now = now,
        .expires_at = now + (int64_t)days * DAY_MS,
    };
    invitation_make(invite->text, invite->op.hash);
    api_engine(x)->invitation_create(&invite->op);
}
