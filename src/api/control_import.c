// SPDX-License-Identifier: MIT
#include <assert.h>
#include <stdio.h>

#include "api/context.h"
#include "api/handlers.h"
#include "api/respond.h"
#include "api/routes.h"
#include "base/clock.h"
#include "base/json_reader.h"
#include "base/owner.h"

/* Items of another service's file, which `taskhold import --from` gives under ids of its own; see
 * api_control_routes. None of one request refers to another of it. They are to be written in their
 * order, because what is written later gets the later place. */

#define DETAIL_MOST 512

#define IMPORT_ITEM_MAGIC 0x6c1ea54fu

struct import_item {
    unsigned magic;
    struct import *import;
    struct uuid id;
    const void *values;
    unsigned given;    /* the members that the line has */
    const char *wrong; /* why it cannot even be tried; NULL: nothing */
    union {
        struct store_item_write write;
        struct store_item_get get; /* of a dry run */
    } op;
};

struct import {
    struct http_exchange *x;
    const struct resource *resource;
    struct uuid user;
    bool dry_run;
    bool one_by_one;
    unsigned count;
    unsigned next; /* the first that was not given to the store; one by one only */
    unsigned left; /* without an answer; not one by one */
    struct import_item items[API_CONTROL_IMPORT_MOST];
};

/* ---- the answer ---- */

static void import_say(struct import *import, struct slice outcome, const char *detail)
{
    struct json_writer w = respond_json_begin(import->x);
    jw_open_object(&w);
    respond_member(&w, SLICE("outcome"), outcome);
    respond_member(&w, SLICE("detail"), detail ? slice_of(detail) : (struct slice){0});
    jw_close_object(&w);
    buffer_add_char(import->x->response.body, '\n');
}

/* Was it tried, whatever came of it? */
static bool is_tried(enum error result)
{
    return result == ERROR_NONE || result == ERROR_QUOTA_EXCEEDED || result == ERROR_TOO_MANY;
}

/* The line of an item that was written or could not be; ERROR_NONE. Or why it could not be tried.
 */
static enum error import_say_written(struct import *import, const struct store_item_write *write)
{
    char detail[DETAIL_MOST];
    if (write->op.result == ERROR_QUOTA_EXCEEDED) {
        import_say(import, SLICE("refused"),
                   "The account would hold more than the server allows; see USER_TASKS_MOST and "
                   "USER_BYTES_MOST.");
    } else if (write->op.result == ERROR_TOO_MANY) {
        (void)snprintf(detail, sizeof detail, "The account has %lld %s, and cannot have more.",
                       (long long)import->resource->most, import->resource->collection.ptr);
        import_say(import, SLICE("refused"), detail);
    } else if (write->op.result != ERROR_NONE) {
        return write->op.result;
    } else if (write->outcome == STORE_CREATED) {
        import_say(import, SLICE("made"), NULL);
    } else if (write->outcome == STORE_PRECONDITION_FAILED) {
        import_say(import, SLICE("there"), NULL);
    } else {
        assert(write->outcome == STORE_INVALID && write->errors);
        (void)field_errors_say(write->errors, detail, sizeof detail);
        import_say(import, SLICE("refused"), detail);
    }
    return ERROR_NONE;
}

static enum error import_say_found(struct import *import, const struct store_item_get *get)
{
    if (get->op.result != ERROR_NONE && get->op.result != ERROR_NOT_FOUND) {
        return get->op.result;
    }
    import_say(import, get->op.result == ERROR_NONE ? SLICE("there") : SLICE("made"), NULL);
    return ERROR_NONE;
}

/* The lines end before the first item that could not be tried. */
static void import_respond(struct import *import)
{
    enum error error = ERROR_NONE;
    unsigned said = 0;
    for (; said < import->count; said++) {
        const struct import_item *item = &import->items[said];
        if (item->wrong) {
            import_say(import, SLICE("refused"), item->wrong);
        } else {
            error = import->dry_run ? import_say_found(import, &item->op.get)
                                    : import_say_written(import, &item->op.write);
        }
        if (error != ERROR_NONE) {
            break;
        }
    }
    if (said == 0) {
        respond_error(import->x, error, error == ERROR_NOT_FOUND ? "The account is gone." : NULL);
        return;
    }
    respond_no_store(import->x);
    http_respond_body(import->x, 200, "application/jsonl");
}

/* ---- the store ---- */

static void import_give_next(struct import *import);

static void import_answered(struct store_op *op)
{
    const struct import_item *item = OWNER_CAST(op->caller, struct import_item, IMPORT_ITEM_MAGIC);
    struct import *import = item->import;
    assert(import->left > 0);
    if (import->one_by_one && is_tried(op->result)) {
        import_give_next(import);
    } else if (import->one_by_one || --import->left == 0) {
        import_respond(import);
    }
}

static void import_give(struct import_item *item)
{
    struct import *import = item->import;
    const struct store_op op = api_op(import->x, import_answered, item);
    if (import->dry_run) {
        item->op.get = (struct store_item_get){
            .op = op, .resource = import->resource, .space = import->user, .id = item->id};
        api_engine(import->x)->item_get(&item->op.get);
        return;
    }
    item->op.write = (struct store_item_write){
        .op = op,
        .resource = import->resource,
        .verb = STORE_REPLACE,
        .space = import->user,
        .id = item->id,
        .values = item->values,
        .set = resource_settable(import->resource),
        .given = item->given,
        .precondition.none_match = {.present = true, .any = true},
        .now = clock_wall_ms(),
        .steady = clock_steady_ms(),
    };
    api_engine(import->x)->item_write(&item->op.write);
}

static void import_give_next(struct import *import)
{
    while (import->next < import->count && import->items[import->next].wrong) {
        import->next++;
    }
    if (import->next == import->count) {
        import_respond(import);
    } else {
        import_give(&import->items[import->next++]);
    }
}

/* An engine that is not shared writes in the order of the calls, and what comes together it commits
 * together; the arena is its own from the first call to the last answer. Of the other kind a write
 * that met another node's runs again, after those that were called later. */
static void import_begin(struct import *import)
{
    import->one_by_one = !import->dry_run && api_engine(import->x)->shared;
    import->left = 1; /* or the first answer, given at once, would be the last */
    if (import->one_by_one) {
        import_give_next(import);
        return;
    }
    for (unsigned i = 0; i < import->count; i++) {
        if (!import->items[i].wrong) {
            import->left++;
            import_give(&import->items[i]);
        }
    }
    if (--import->left == 0) {
        import_respond(import);
    }
}

/* ---- the body ---- */

/* False without memory. */
static bool read_item(struct import *import, const struct json_member *member)
{
    struct import_item *item = &import->items[import->count];
    struct arena *arena = import->x->arena;
    const struct resource *resource = import->resource;
    void *values = arena_alloc(arena, resource->size);
    char detail[DETAIL_MOST];
    if (!values) {
        return false;
    }
    resource_clear(resource, values);
    struct json_reader reader = json_member_reader(member);
    struct field_reading reading = {.fields = resource->fields,
                                    .count = resource->count,
                                    .mode = FIELD_WHOLE,
                                    .arena = arena,
                                    .zones = api_of(import->x)->options.zones,
                                    .input = values};
    if (!field_read(&reading, &reader)) {
        return false;
    }
    if (reading.errors.count > 0) {
        (void)field_errors_say(&reading.errors, detail, sizeof detail);
        item->wrong = arena_copy(arena, slice_of(detail)).ptr;
        if (!item->wrong) {
            return false;
        }
    }
    OWNER_SET(item, IMPORT_ITEM_MAGIC);
    item->import = import;
    item->values = values;
    item->given = reading.set;
    import->count++;
    return true;
}

static enum error read_items(struct import *import, const struct json_member *items)
{
    struct json_parts parts = {0};
    struct json_member member;
    while (json_member_next(items, &parts, &member)) {
        if (import->count == API_CONTROL_IMPORT_MOST || member.kind != JSON_KIND_OBJECT ||
            !uuid_parse(member.name, &import->items[import->count].id)) {
            return ERROR_VALIDATION_FAILED;
        }
        if (!read_item(import, &member)) {
            return ERROR_OVERLOADED;
        }
    }
    return ERROR_NONE;
}

/* The collection comes last. */
static enum error read_import(struct import *import, struct json_reader *reader)
{
    bool known = false;
    struct json_member member;
    enum error error = ERROR_NONE;
    while (error == ERROR_NONE && json_reader_next(reader, &member)) {
        const struct resource *resource = NULL;
        for (unsigned i = 0; i < resource_count && !resource; i++) {
            resource = slice_eq(member.name, resources[i]->collection) ? resources[i] : NULL;
        }
        if (slice_eq(member.name, SLICE("user")) && member.kind == JSON_KIND_TEXT) {
            known = uuid_parse(member.text, &import->user);
        } else if (slice_eq(member.name, SLICE("dry_run")) && member.kind == JSON_KIND_BOOL) {
            import->dry_run = json_member_bool(&member);
        } else if (resource && !import->resource && member.kind == JSON_KIND_OBJECT) {
            import->resource = resource;
            error = read_items(import, &member);
        } else {
            error = ERROR_VALIDATION_FAILED;
        }
    }
    const bool whole = known && import->count > 0;
    return error == ERROR_NONE && !whole ? ERROR_VALIDATION_FAILED : error;
}

void control_import(struct http_exchange *x)
{
    struct import *import = arena_new(x->arena, struct import);
    char why[JSON_READER_WHY] = "";
    struct json_reader reader;
    enum error error = ERROR_OVERLOADED;
    if (!import) {
        respond_no_memory(x);
        return;
    }
    import->x = x;
    const enum json_read result = json_reader_init(&reader, x->request.body, JSON_TOKENS, why);
    if (result == JSON_READ_OK) {
        error = read_import(import, &reader);
    } else if (result == JSON_READ_INVALID) {
        error = ERROR_INVALID_JSON;
    }
    json_reader_finish(&reader);
    if (error != ERROR_NONE) {
        respond_error(x, error, *why ? why : NULL);
        return;
    }
    import_begin(import);
}
