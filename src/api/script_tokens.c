// SPDX-License-Identifier: MIT
#include <assert.h>

#include "api/access.h"
#include "api/account.h"
#include "api/context.h"
#include "api/handlers.h"
#include "api/respond.h"
#include "base/clock.h"

/* Tokens for scripts: POST and GET /v1/me/tokens, DELETE /v1/me/tokens/{id}; and what an operator
 * does with them (api_control_routes). */

/* Ten years, however many of them are leap years. */
#define EXPIRY_MOST_MS (INT64_C(3653) * 24 * 60 * 60 * 1000)

/* ---- answers ---- */

/* The members of a token; `text` NULL: it is not shown. */
static void write_token(struct json_writer *w, const struct script_token *token, const char *text)
{
    const struct user_body *shown = &user_body_token_shown;
    jw_open_object(w);
    field_write(shown->fields, shown->count, token, w);
    jw_name(w, SLICE("scopes"));
    jw_open_array(w);
    for (unsigned i = 0; i < SCOPE_COUNT; i++) {
        if (token->scopes & 1U << i) {
            jw_text(w, scope_names[i]);
        }
    }
    jw_close_array(w);
    if (text) {
        respond_member(w, SLICE("token"), slice_of(text));
    }
    jw_close_object(w);
}

static const char *event_reason(const struct http_exchange *x)
{
    return x->route->access == HTTP_ACCESS_PUBLIC ? "operator" : NULL;
}

/* ---- a new one ---- */

/* When it expires; what is wrong with that goes to `errors`. */
static void judge_expiry(struct account_call *call, struct field_errors *errors)
{
    const int64_t now = clock_steady_ms();
    int64_t *at = &call->token_expires_at;
    const struct slice text = call->input.expires_at;
    if (text.ptr && clock_parse_rfc3339(text, at) && (*at <= now || *at > now + EXPIRY_MOST_MS)) {
        field_errors_add(errors, SLICE("/expires_at"), "out_of_range",
                         "Must be ahead, and at most 10 years.");
    }
}

static void made(struct store_op *op)
{
    struct account_call *call = account_call_of(op);
    struct http_exchange *x = call->x;
    const struct script_token *token = &call->op.make_token.token;
    if (op->result == ERROR_NOT_FOUND && x->route->access == HTTP_ACCESS_TOKEN) {
        respond_user_error(x, op->result);
        return;
    }
    if (respond_failed(x, op->result, ERROR_TOO_MANY_TOKENS,
                       "The account has 50 tokens for scripts, which is as many as it may. Nothing "
                       "was changed. End one that is no longer needed.")) {
        return;
    }
    access_event(x, LOG_INFO, "token_made", &token->user, event_reason(x));
    struct json_writer w = respond_json_begin(x);
    write_token(&w, token, call->script_token);
    respond_no_store(x);
    respond_json(x, 201);
}

/* `verified_hash` ptr NULL: an operator asks. */
static void make_token(struct account_call *call, struct uuid user, struct slice verified_hash)
{
    script_token_make(call->script_token, call->script_token_hash);
    call->op.make_token = (struct store_script_token_create){
        .op = account_op(call, made),
        .token = {.id = uuid_make_v7(),
                  .user = user,
                  .scopes = scope_read(call->input.scopes),
                  .created_at = clock_steady_ms(),
                  .expires_at = call->token_expires_at,
                  .name = call->input.name},
        .hash = call->script_token_hash,
        .verified_hash = verified_hash,
    };
    api_engine(call->x)->script_token_create(&call->op.make_token);
}

static void make_own(struct account_call *call)
{
    make_token(call, api_caller(call->x)->user, call->get.user.password_hash);
}

void script_tokens_make(struct http_exchange *x)
{
    struct account_call *call = NULL;
    struct field_errors errors;
    if (x->request.fields[HTTP_FIELD_IDEMPOTENCY_KEY].value.ptr) {
        respond_error(x, ERROR_INVALID_HEADER,
                      "This call takes no Idempotency-Key: its answer, which holds a token, is "
                      "kept nowhere. Send the request without it.");
        return;
    }
    call = account_call_new(x);
    if (!call || !account_read(call, &user_body_script_token, FIELD_WHOLE, &errors)) {
        return;
    }
    judge_expiry(call, &errors);
    if (body_valid(x, &errors)) {
        account_check_password(call, make_own);
    }
}

/* ---- the list ---- */

static void each(struct store_script_token_list *op, const struct script_token *row)
{
    struct account_call *call = account_call_of(&op->op);
    write_token(&call->json, row, NULL);
}

static void listed(struct store_op *op)
{
    struct account_call *call = account_call_of(op);
    if (respond_failed(call->x, op->result, ERROR_NONE, NULL)) {
        return;
    }
    jw_close_array(&call->json);
    jw_close_object(&call->json);
    respond_no_store(call->x);
    respond_json(call->x, 200);
}

static void list_tokens(struct account_call *call, struct uuid user)
{
    assert(call->x->route->access == HTTP_ACCESS_TOKEN);
    call->json = respond_json_begin(call->x);
    jw_open_object(&call->json);
    jw_name(&call->json, SLICE("items"));
    jw_open_array(&call->json);
    call->op.tokens = (struct store_script_token_list){
        .op = account_op(call, listed), .user = user, .now = clock_steady_ms(), .each = each};
    api_engine(call->x)->script_token_list(&call->op.tokens);
}

void script_tokens_list(struct http_exchange *x)
{
    struct account_call *call = account_call_new(x);
    if (call) {
        list_tokens(call, api_caller(x)->user);
    }
}

/* ---- the end of one ---- */

static void ended(struct store_op *op)
{
    const struct account_call *call = account_call_of(op);
    if (respond_failed(call->x, op->result, ERROR_NOT_FOUND,
                       "There is no token with this id in the account, or it has ended. GET "
                       "/v1/me/tokens lists those that there are.")) {
        return;
    }
    access_event(call->x, LOG_INFO, "token_deleted", &call->op.end_token.user,
                 event_reason(call->x));
    if (call->x->route->access == HTTP_ACCESS_TOKEN) {
        respond_done(call->x);
        return;
    }
    struct json_writer w = respond_json_begin(call->x); /* an operator's */
    jw_open_object(&w);
    jw_name(&w, SLICE("id"));
    jw_uuid(&w, call->op.end_token.id);
    jw_close_object(&w);
    respond_json(call->x, 200);
}

static void end_token(struct account_call *call, struct uuid user, struct uuid id)
{
    call->op.end_token =
        (struct store_script_token_end){.op = account_op(call, ended), .user = user, .id = id};
    api_engine(call->x)->script_token_end(&call->op.end_token);
}

void script_tokens_end(struct http_exchange *x)
{
    struct account_call *call = account_call_new(x);
    if (call) {
        end_token(call, api_caller(x)->user, api_path_id(x));
    }
}

/* A JSON object on each line. */
static void each_line(struct store_script_token_list *op, const struct script_token *row)
{
    struct http_exchange *x = account_call_of(&op->op)->x;
    struct json_writer w = respond_json_begin(x);
    write_token(&w, row, NULL);
    buffer_add_char(x->response.body, '\n');
}

static void listed_lines(struct store_op *op)
{
    struct http_exchange *x = account_call_of(op)->x;
    if (!respond_failed(x, op->result, ERROR_NONE, NULL)) {
        respond_no_store(x);
        http_respond_body(x, 200, "application/jsonl");
    }
}

/* ---- an operator's orders: read, find the account, then as above ---- */

/* False: it was answered. */
static bool is_found(const struct account_call *call)
{
    return !respond_failed(call->x, call->find.op.result, ERROR_NOT_FOUND,
                           "There is no account with this e-mail.");
}

static void found_to_make(struct store_op *op)
{
    struct account_call *call = account_call_of(op);
    if (is_found(call)) {
        make_token(call, call->find.user.id, (struct slice){0});
    }
}

static void found_to_list(struct store_op *op)
{
    struct account_call *call = account_call_of(op);
    if (is_found(call)) {
        call->op.tokens = (struct store_script_token_list){.op = account_op(call, listed_lines),
                                                           .user = call->find.user.id,
                                                           .now = clock_steady_ms(),
                                                           .each = each_line};
        api_engine(call->x)->script_token_list(&call->op.tokens);
    }
}

static void found_to_end(struct store_op *op)
{
    struct account_call *call = account_call_of(op);
    struct uuid id;
    if (is_found(call)) {
        const bool read = uuid_parse_any_case(call->input.id, &id);
        assert(read); /* as the body's rule has it */
        (void)read;
        end_token(call, call->find.user.id, id);
    }
}

static void find_account(struct http_exchange *x, const struct user_body *body,
                         void (*found)(struct store_op *op))
{
    struct account_call *call = account_call_new(x);
    struct field_errors errors;
    if (!call || !account_read(call, body, FIELD_WHOLE, &errors)) {
        return;
    }
    judge_expiry(call, &errors);
    if (account_valid_for_operator(x, &errors)) {
        call->find =
            (struct store_user_by_email){.op = account_op(call, found), .email = call->input.email};
        api_engine(x)->user_by_email(&call->find);
    }
}

void control_make_token(struct http_exchange *x)
{
    find_account(x, &user_body_operator_token, found_to_make);
}

void control_list_tokens(struct http_exchange *x)
{
    find_account(x, &user_body_account, found_to_list);
}

void control_end_token(struct http_exchange *x)
{
    find_account(x, &user_body_token_end, found_to_end);
}
