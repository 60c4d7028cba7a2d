// SPDX-License-Identifier: MIT
#include <string.h>

#include "api/context.h"
#include "api/handlers.h"
#include "api/items.h"
#include "api/respond.h"
#include "api/revision_page.h"
#include "base/owner.h"

/* GET /v1/tasks/{id}/history: what was done to a task, the newest first. */

#define HISTORY_MAGIC 0x2b8df04eu

struct history {
    struct store_history op;
    unsigned magic;
    struct revision_page page;
};

/* ---- what is answered ---- */

static struct slice op_of(const struct store_past_change *change)
{
    static const struct slice names[] = {
        [STORE_CREATE] = FIELD_NAME("create"), [STORE_REPLACE] = FIELD_NAME("replace"),
        [STORE_UPDATE] = FIELD_NAME("update"), [STORE_DELETE] = FIELD_NAME("delete"),
        [STORE_MOVE] = FIELD_NAME("move"),     [STORE_RESTORE] = FIELD_NAME("restore"),
    };
    if (change->is_undo) {
        return SLICE("undo");
    }
    const bool known = change->verb < sizeof names / sizeof names[0] && names[change->verb].ptr;
    return known ? names[change->verb] : SLICE("update");
}

static void write_id(struct json_writer *w, struct slice name, const struct uuid *id)
{
    jw_name(w, name);
    if (id) {
        jw_uuid(w, *id);
    } else {
        jw_null(w);
    }
}

static void write_actor(struct json_writer *w, const struct store_actor *by)
{
    static const struct uuid nobody;
    const bool known = !uuid_eq(by->id, nobody);
    jw_open_object(w);
    write_id(w, SLICE("session_id"), known && !by->is_token ? &by->id : NULL);
    write_id(w, SLICE("token_id"), known && by->is_token ? &by->id : NULL);
    respond_member(w, SLICE("name"), known ? by->name : SLICE("operator"));
    jw_close_object(w);
}

static void write_members(struct json_writer *w, const struct resource *resource,
                          const struct store_past_change *change)
{
    jw_open_object(w);
    for (size_t i = 0; i < resource->count; i++) {
        const struct field *field = &resource->fields[i];
        if ((change->members & 1U << i) == 0) {
            continue;
        }
        jw_name(w, field->name);
        jw_open_object(w);
        jw_name(w, SLICE("from"));
        if (change->from) {
            field_write_value(field, change->from, w);
        } else {
            jw_null(w);
        }
        jw_name(w, SLICE("to"));
        field_write_value(field, change->to, w);
        jw_close_object(w);
    }
    jw_close_object(w);
}

static void write_change(struct json_writer *w, const struct resource *resource,
                         const struct store_past_change *change)
{
    jw_open_object(w);
    jw_name(w, SLICE("revision"));
    jw_i64(w, change->revision);
    jw_name(w, SLICE("at"));
    jw_time(w, change->at);
    jw_name(w, SLICE("by"));
    write_actor(w, &change->by);
    respond_member(w, SLICE("op"), op_of(change));
    jw_name(w, SLICE("changes"));
    write_members(w, resource, change);
    jw_close_object(w);
}

static void write_page(struct json_writer *w, const struct store_history *op, struct slice cursor)
{
    jw_open_object(w);
    jw_name(w, SLICE("items"));
    jw_open_array(w);
    for (unsigned i = 0; i < op->count; i++) {
        write_change(w, op->resource, &op->items[i]);
    }
    jw_close_array(w);
    respond_member(w, SLICE("next_cursor"), cursor);
    jw_close_object(w);
}

static void got_history(struct store_op *asked)
{
    struct history *history = OWNER_OF(asked, struct history, op.op, HISTORY_MAGIC);
    const struct store_history *op = &history->op;
    struct http_exchange *x = asked->caller;
    char path[sizeof "/v1/tasks//history" + UUID_TEXT_LEN] = "/v1/tasks/";
    struct slice cursor = {0};
    if (asked->result != ERROR_NONE) {
        respond_error(x, asked->result, NULL);
        return;
    }
    if (!op->found) {
        items_answer_not_found(x);
        return;
    }
    if (op->more) {
        cursor = revision_page_cursor(x, &history->page, op->items[op->count - 1].revision);
        if (!cursor.ptr) {
            respond_no_memory(x);
            return;
        }
    }
    struct json_writer w = respond_json_begin(x);
    write_page(&w, op, cursor);
    uuid_format(op->id, path + strlen(path));
    memcpy(path + strlen("/v1/tasks/") + UUID_TEXT_LEN, "/history", sizeof "/history");
    revision_page_answer(x, &history->page, slice_of(path), cursor);
}

/* ---- what is asked ---- */

/* NULL: it was answered. */
static struct history *read_request(struct http_exchange *x)
{
    struct history *history = arena_new(x->arena, struct history);
    if (!history) {
        respond_no_memory(x);
        return NULL;
    }
    OWNER_SET(history, HISTORY_MAGIC);
    history->op.op = api_op(x, got_history, x);
    history->op.resource = items_resource(x);
    history->op.space = api_caller(x)->user;
    history->op.id = api_path_id(x);
    if (!revision_page_read(x, history->op.id,
                            "Must be a next_cursor of the history of this task. Begin again "
                            "without one.",
                            &history->page)) {
        return NULL;
    }
    history->op.limit = history->page.limit;
    history->op.before = history->page.before;
    return history;
}

bool history_values(struct http_exchange *x)
{
    return read_request(x) != NULL;
}

void history_list(struct http_exchange *x)
{
    struct history *history = read_request(x);
    if (history) {
        api_engine(x)->history(&history->op);
    }
}
