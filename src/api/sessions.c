#include "api/context.h"
#include "api/encode.h"
#include "api/event_log.h"
#include "api/handlers.h"
#include "api/respond.h"
#include "base/clock.h"

/* GET /v1/me/sessions, DELETE /v1/me/sessions/{id}, POST /v1/auth/logout. */

/* ---- the list ---- */

struct listing {
    struct store_session_list op; /* first: its address is the listing's */
    struct http_exchange *x;
    struct json_writer json;
};

static void each(struct store_session_list *op, const struct session *row)
{
    struct listing *listing = (struct listing *)op;
    encode_session(&listing->json, row, uuid_eq(row->id, api_caller(listing->x)->session));
}

static void listed(struct store_op *op)
{
    struct listing *listing = (struct listing *)op;
    if (op->result != ERROR_NONE) {
        respond_error(listing->x, op->result, NULL);
        return;
    }
    jw_close_array(&listing->json);
    jw_close_object(&listing->json);
    respond_no_store(listing->x);
    respond_json(listing->x, 200);
}

void sessions_list(struct http_exchange *x)
{
    struct listing *listing = arena_new(x->arena, struct listing);
    if (!listing) {
        respond_no_memory(x);
        return;
    }
    listing->x = x;
    listing->op.op = api_op(x, listed, NULL);
    listing->op.user = api_caller(x)->user;
    listing->op.now = clock_steady_ms();
    listing->op.each = each;
    listing->json = respond_json_begin(x);
    jw_open_object(&listing->json);
    jw_name(&listing->json, SLICE("items"));
    jw_open_array(&listing->json);
    api_engine(x)->session_list(&listing->op);
}

/* ---- the end of one ---- */

static void end_session(struct http_exchange *x, struct uuid id, void (*done)(struct store_op *op))
{
    struct store_session_end *end = arena_new(x->arena, struct store_session_end);
    if (!end) {
        respond_no_memory(x);
        return;
    }
    end->op = api_op(x, done, x);
    end->user = api_caller(x)->user;
    end->id = id;
    api_engine(x)->session_end(end);
}

static void ended(struct store_op *op)
{
    if (op->result != ERROR_NONE) {
        respond_error(op->caller, op->result, NULL);
        return;
    }
    event_log(op->caller, LOG_INFO, "session_ended", NULL, NULL);
    respond_done(op->caller);
}

/* That the session ended in between is what the caller wanted. */
static void logged_out(struct store_op *op)
{
    if (op->result == ERROR_NOT_FOUND) {
        op->result = ERROR_NONE;
    }
    ended(op);
}

void sessions_delete(struct http_exchange *x)
{
    end_session(x, api_path_id(x), ended);
}

void sessions_logout(struct http_exchange *x)
{
    end_session(x, api_caller(x)->session, logged_out);
}
