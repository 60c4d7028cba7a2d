// SPDX-License-Identifier: MIT
#include "api/context.h"
#include "api/handlers.h"
#include "api/items.h"
#include "api/respond.h"
#include "api/revision_page.h"
#include "base/owner.h"
#include "store/retention.h"

/* /v1/trash: the tasks that were deleted, and how they come back or go for good. */

#define TRASH_MAGIC 0x64c1ba97u

struct trash {
    struct store_trash_list op;
    unsigned magic;
    struct revision_page page;
};

/* ---- the page ---- */

static void write_trashed(struct json_writer *w, const struct store_trashed *trashed,
                          int64_t keep_ms)
{
    jw_open_object(w);
    jw_name(w, SLICE("task"));
    resource_encode(&task_resource, trashed->task, RESOURCE_ALL, w);
    jw_name(w, SLICE("deleted_at"));
    jw_time(w, trashed->deleted_at);
    jw_name(w, SLICE("expires_at"));
    jw_time(w, trashed->deleted_at + keep_ms);
    jw_close_object(w);
}

static void write_page(struct http_exchange *x, const struct store_trash_list *op,
                       struct slice cursor)
{
    const int64_t keep_ms = retention_keep_ms(api_of(x)->options.settings->keep_seconds);
    struct json_writer w = respond_json_begin(x);
    jw_open_object(&w);
    jw_name(&w, SLICE("items"));
    jw_open_array(&w);
    for (unsigned i = 0; i < op->count; i++) {
        write_trashed(&w, &op->items[i], keep_ms);
    }
    jw_close_array(&w);
    respond_member(&w, SLICE("next_cursor"), cursor);
    jw_close_object(&w);
}

static void listed(struct store_op *asked)
{
    struct trash *trash = OWNER_OF(asked, struct trash, op.op, TRASH_MAGIC);
    const struct store_trash_list *op = &trash->op;
    struct http_exchange *x = asked->caller;
    struct slice cursor = {0};
    if (asked->result != ERROR_NONE) {
        respond_error(x, asked->result, NULL);
        return;
    }
    if (op->more) {
        cursor = revision_page_cursor(x, &trash->page, op->items[op->count - 1].revision);
        if (!cursor.ptr) {
            respond_no_memory(x);
            return;
        }
    }
    write_page(x, op, cursor);
    revision_page_answer(x, &trash->page, SLICE("/v1/trash"), cursor);
}

/* NULL: it was answered. */
static struct trash *read_request(struct http_exchange *x)
{
    static const struct uuid no_thing;
    struct trash *trash = arena_new(x->arena, struct trash);
    if (!trash) {
        respond_no_memory(x);
        return NULL;
    }
    OWNER_SET(trash, TRASH_MAGIC);
    trash->op.op = api_op(x, listed, x);
    trash->op.space = api_caller(x)->user;
    if (!revision_page_read(x, no_thing,
                            "Must be a next_cursor of the trash of this account. Begin again "
                            "without one.",
                            &trash->page)) {
        return NULL;
    }
    trash->op.limit = trash->page.limit;
    trash->op.before = trash->page.before;
    return trash;
}

bool trash_list_values(struct http_exchange *x)
{
    return read_request(x) != NULL;
}

void trash_list(struct http_exchange *x)
{
    struct trash *trash = read_request(x);
    if (trash) {
        api_engine(x)->trash_list(&trash->op);
    }
}

/* ---- what leaves it ---- */

void trash_restore(struct http_exchange *x)
{
    struct store_item_write *write = items_write_begin(x, STORE_RESTORE);
    if (write && items_read_nothing(x)) {
        idempotency_bind(write, NULL);
        api_engine(x)->item_write(write);
    }
}

static void leave(struct http_exchange *x, enum store_verb verb)
{
    struct store_item_write *write = items_write_begin(x, verb);
    if (write) {
        idempotency_bind(write, NULL);
        api_engine(x)->item_write(write);
    }
}

void trash_purge(struct http_exchange *x)
{
    leave(x, STORE_PURGE);
}

void trash_empty(struct http_exchange *x)
{
    leave(x, STORE_EMPTY);
}
