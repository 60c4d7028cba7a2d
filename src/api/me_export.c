// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "api/context.h"
#include "api/handlers.h"
#include "api/respond.h"
#include "base/clock.h"
#include "base/owner.h"

/* GET /v1/me/export: the account, its sessions and all its tasks as one document. Account and
 * sessions are read before the answer begins, into the response's body; then the tasks are streamed
 * a page at a time, the next one read when the client has taken the last one. */

#define PAGE_ROWS  50
#define PAGE_MOST  ((size_t)128 * 1024) /* a page ends with the row that makes it larger */
#define PIECE_MOST ((size_t)16 * 1024)
#define ARENA_MOST ((size_t)256 * 1024)

#define EXPORT_MAGIC 0x3f6a90bdu

enum stage {
    STAGE_READ, /* a page is to be read */
    STAGE_WAIT, /* the store has the operation */
    STAGE_GIVE, /* `text` is to be given out */
    STAGE_FAIL,
};

/* Lives from the first byte of the answer until the client has left and the store has answered,
 * whichever comes last; so neither it nor its arena can be the exchange's. */
struct export
{
    struct store_item_list op; /* of the resource whose items are read */
    unsigned magic;
    struct http_exchange *x; /* NULL: the client has left */
    const struct store_engine *engine;
    struct arena *arena; /* of the operation; taken back before each page */
    struct json_writer json;
    struct buffer page;
    struct slice text; /* what of the page, or of the beginning, is not given out */
    enum stage stage;
    bool calling; /* the store's function has not returned */
    bool complete;
    unsigned resource; /* how many were begun */
    int64_t revision;  /* of the page before */
    int64_t begun_at;
};

/* ---- the tasks ---- */

static void destroy(struct export *export)
{
    arena_destroy(&export->arena);
    buffer_finish(&export->page);
    free(export);
}

static bool each(struct store_item_list *op, const void *row)
{
    struct export *export = OWNER_OF(op, struct export, op, EXPORT_MAGIC);
    const struct item *item = row;
    resource_encode(op->resource, item, RESOURCE_ALL, &export->json);
    op->position =
        (struct store_position){.keys = {field_get(op->orders[0].field, item)}, .id = item->id};
    return export->page.len <= PAGE_MOST;
}

/* Begins the array of the next resource; false: there is none. */
static bool begin_resource(struct export *export)
{
    if (export->resource == resource_count) {
        return false;
    }
    const struct resource *resource = resources[export->resource++];
    jw_name(&export->json, resource->collection);
    jw_open_array(&export->json);
    export->op.resource = resource;
    export->op.orders[0].field = resource_field(resource, SLICE("created_at"));
    export->op.order_count = 1;
    export->op.after = false;
    return true;
}

/* Who reads slowly is charged for what waits for them. */
static size_t bytes_held(const struct export *export)
{
    return sizeof *export + arena_held(export->arena) + export->page.capacity;
}

/* What to do with the page that the store has answered. A revision only grows; one that fell says
 * that the account was deleted, and half an export must not look like a whole one. */
static enum stage take_page(struct export *export)
{
    bool gone = export->op.revision < export->revision;
    export->x->error = gone ? ERROR_INVALID_TOKEN : export->op.op.result;
    if (export->x->error != ERROR_NONE) {
        return STAGE_FAIL;
    }
    export->revision = export->op.revision;
    export->op.after = true;
    if (!export->op.more) {
        jw_close_array(&export->json);
        export->complete = !begin_resource(export);
    }
    if (export->complete) {
        jw_name(&export->json, SLICE("exported_at"));
        jw_time(&export->json, export->begun_at);
        jw_close_object(&export->json);
    }
    export->text = buffer_slice(&export->page);
    export->x->held = bytes_held(export);
    return export->page.failed ? STAGE_FAIL : STAGE_GIVE;
}

static void listed(struct store_op *op)
{
    struct export *export = OWNER_OF(op, struct export, op.op, EXPORT_MAGIC);
    if (!export->x) {
        destroy(export);
        return;
    }
    export->stage = take_page(export);
    if (!export->calling) {
        http_stream_ready(export->x);
    }
}

static enum http_stream_step give(void *source, struct buffer *out)
{
    struct export *export = OWNER_CAST(source, struct export, EXPORT_MAGIC);
    if (export->stage == STAGE_READ) {
        arena_reset(export->arena);
        buffer_clear(&export->page);
        export->stage = STAGE_WAIT;
        export->calling = true;
        export->engine->item_list(&export->op);
        export->calling = false;
    }
    if (export->stage != STAGE_GIVE) {
        return export->stage == STAGE_WAIT ? HTTP_STREAM_WAIT : HTTP_STREAM_FAIL;
    }
    struct slice *text = &export->text;
    const struct slice piece = {text->ptr, text->len > PIECE_MOST ? PIECE_MOST : text->len};
    buffer_add(out, piece);
    *text = (struct slice){text->ptr + piece.len, text->len - piece.len};
    if (text->len > 0) {
        return HTTP_STREAM_MORE;
    }
    export->stage = STAGE_READ;
    return export->complete ? HTTP_STREAM_END : HTTP_STREAM_MORE;
}

static void leave(void *source)
{
    struct export *export = OWNER_CAST(source, struct export, EXPORT_MAGIC);
    if (export->stage == STAGE_WAIT) {
        export->x = NULL; /* listed() ends it */
    } else {
        destroy(export);
    }
}

/* ---- the beginning of the document ---- */

struct beginning {
    union {
        struct store_op op;
        struct store_user_get user;
        struct store_session_list sessions;
    } call; /* first: its address is the beginning's */
    struct http_exchange *x;
    struct json_writer json;
    int64_t now;
};

static size_t largest_item(void)
{
    size_t most = 0;
    for (unsigned i = 0; i < resource_count; i++) {
        const size_t bytes = resource_json_most(resources[i]);
        most = bytes > most ? bytes : most;
    }
    return most;
}

static struct export *make_export(const struct beginning *beginning)
{
    struct http_exchange *x = beginning->x;
    struct export *export = calloc(1, sizeof *export);
    if (!export) {
        return NULL;
    }
    export->arena = arena_create(ARENA_MOST);
    if (!export->arena) {
        free(export);
        return NULL;
    }
    export->op.op = api_op(x, listed, NULL);
    export->op.op.arena = export->arena;
    OWNER_SET(export, EXPORT_MAGIC);
    export->op.space = api_caller(x)->user;
    export->op.limit = PAGE_ROWS;
    export->op.each = each;
    export->x = x;
    export->engine = api_engine(x);
    buffer_init(&export->page, PAGE_MOST + largest_item() + 1024); /* and what ends the document */
    export->json = beginning->json;
    (void)begin_resource(export); /* into the beginning */
    export->json.out = &export->page;
    export->begun_at = beginning->now;
    export->stage = STAGE_GIVE;
    export->text = buffer_slice(x->response.body);
    return export;
}

static void answer(struct beginning *beginning)
{
    struct http_exchange *x = beginning->x;
    jw_close_array(&beginning->json);
    struct export *export = x->response.body->failed ? NULL : make_export(beginning);
    if (!export) {
        respond_no_memory(x);
        return;
    }
    x->response.stream = give;
    x->response.stream_source = export;
    x->response.stream_close = leave;
    x->held = bytes_held(export) + PAGE_MOST; /* of the first page, which comes soon */
    respond_no_store(x);
    http_respond_field(x, "Content-Disposition",
                       SLICE("attachment; filename=\"taskhold-export.json\""));
    respond_json(x, 200);
}

static void each_session(struct store_session_list *op, const struct session *row)
{
    struct beginning *beginning = (struct beginning *)op;
    respond_write_session(&beginning->json, row,
                          uuid_eq(row->id, api_caller(beginning->x)->session));
}

static void got_sessions(struct store_op *op)
{
    struct beginning *beginning = (struct beginning *)op;
    if (op->result != ERROR_NONE) {
        respond_error(beginning->x, op->result, NULL);
        return;
    }
    answer(beginning);
}

static void got_user(struct store_op *op)
{
    struct beginning *beginning = (struct beginning *)op;
    struct http_exchange *x = beginning->x;
    if (op->result != ERROR_NONE) {
        respond_user_error(x, op->result);
        return;
    }
    jw_open_object(&beginning->json);
    jw_name(&beginning->json, SLICE("user"));
    respond_write(&beginning->json, &user_body_user, &beginning->call.user.user);
    jw_name(&beginning->json, SLICE("sessions"));
    jw_open_array(&beginning->json);
    beginning->call.sessions = (struct store_session_list){
        .op = api_op(x, got_sessions, NULL),
        .user = api_caller(x)->user,
        .now = beginning->now,
        .each = each_session,
    };
    api_engine(x)->session_list(&beginning->call.sessions);
}

void me_export(struct http_exchange *x)
{
    struct beginning *beginning = arena_new(x->arena, struct beginning);
    if (!beginning) {
        respond_no_memory(x);
        return;
    }
    beginning->x = x;
    beginning->json = respond_json_begin(x);
    beginning->now = clock_wall_ms();
    beginning->call.user.op = api_op(x, got_user, NULL);
    beginning->call.user.id = api_caller(x)->user;
    api_engine(x)->user_get(&beginning->call.user);
}
