// SPDX-License-Identifier: MIT
#include "api/batch_body.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "api/item_move.h"
#include "model/field_errors.h"
#include "model/task.h"

#define POINTER_MOST 640 /* of a name whose every byte is escaped */

static const struct operation_kind {
    struct slice name;
    enum store_verb verb;
    enum field_mode mode; /* of its task */
    bool needs_id;
    bool has_task;
} kinds[] = {
    {FIELD_NAME("create"), STORE_CREATE, FIELD_WHOLE, false, true},
    {FIELD_NAME("replace"), STORE_REPLACE, FIELD_WHOLE, true, true},
    {FIELD_NAME("update"), STORE_UPDATE, FIELD_PATCH, true, true},
    {FIELD_NAME("delete"), STORE_DELETE, FIELD_PATCH, true, false},
    {FIELD_NAME("move"), STORE_MOVE, FIELD_SOME, true, true},
};
#define KINDS (sizeof kinds / sizeof *kinds)

/* Reading all of it. */
struct batch_reading {
    struct batch_body *body;
    struct arena *arena;
    struct zones *zones;
    struct field_reading task; /* of the operation that is looked at */
};

/* The members of one operation. */
struct members {
    struct json_member op;
    struct json_member id;
    struct json_member if_match;
    struct json_member task;
};

/* ---- what is wrong with the batch ---- */

static bool complain(struct batch_reading *r, const char *code, const char *detail,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The format makes the pointer. False without memory. */
static bool complain(struct batch_reading *r, const char *code, const char *detail,
                     const char *format, ...)
{
    char pointer[POINTER_MOST];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(pointer, sizeof pointer, format, arguments);
    va_end(arguments);
    const struct slice copy = arena_copy(r->arena, slice_of(pointer));
    field_errors_add(&r->body->errors, copy, code, detail);
    return copy.ptr != NULL;
}

/* A name that nothing has, as field_complain escapes and cuts it. */
static bool complain_of_name(struct batch_reading *r, struct slice name, const char *detail,
                             const char *before)
{
    struct field_reading one = {.arena = r->arena};
    return field_complain(&one, name, "unknown", "%s", detail) &&
           complain(r, "unknown", detail, "%s%s", before, one.errors.list[0].pointer.ptr);
}

/* ---- one operation ---- */

static struct json_member *member_named(struct members *members, struct slice name)
{
    return slice_eq(name, SLICE("op"))         ? &members->op
           : slice_eq(name, SLICE("id"))       ? &members->id
           : slice_eq(name, SLICE("if_match")) ? &members->if_match
           : slice_eq(name, SLICE("task"))     ? &members->task
                                               : NULL;
}

/* False without memory. */
static bool find_members(struct batch_reading *r, unsigned at, const struct json_member *object,
                         struct members *members)
{
    struct json_reader reader = json_member_reader(object);
    struct json_member member;
    char before[32];
    (void)snprintf(before, sizeof before, "/operations/%u", at);
    while (json_reader_next(&reader, &member)) {
        struct json_member *place = member_named(members, member.name);
        if (place) {
            *place = member;
        } else if (!complain_of_name(
                       r, member.name,
                       "There is no such member here. There may be: op, id, if_match, task.",
                       before)) {
            return false;
        }
    }
    return true;
}

static const struct operation_kind *find_kind(const struct json_member *op)
{
    for (size_t i = 0; op->kind == JSON_KIND_TEXT && i < KINDS; i++) {
        if (slice_eq(op->text, kinds[i].name)) {
            return &kinds[i];
        }
    }
    return NULL;
}

static bool read_id(struct batch_reading *r, unsigned at, const struct operation_kind *kind,
                    const struct json_member *id, struct store_item_write *write)
{
    if (!id->name.ptr) {
        write->id = kind->needs_id ? (struct uuid){{0}} : uuid_make_v7();
        return !kind->needs_id || complain(r, "required", "Is missing; this operation needs it.",
                                           "/operations/%u/id", at);
    }
    write->chosen = kind->verb == STORE_CREATE;
    if (id->kind != JSON_KIND_TEXT) {
        return complain(r, "type", "Must be a string.", "/operations/%u/id", at);
    }
    return uuid_parse_any_case(id->text, &write->id) ||
           complain(r, "uuid", "Must be a UUID.", "/operations/%u/id", at);
}

static bool read_match(struct batch_reading *r, unsigned at, const struct json_member *if_match,
                       struct batch_operation *operation)
{
    if (!if_match->name.ptr) {
        return true;
    }
    if (if_match->kind != JSON_KIND_TEXT) {
        return complain(r, "type", "Must be a string.", "/operations/%u/if_match", at);
    }
    if (if_match->text.len > BATCH_MATCH_MOST) {
        return complain(r, "too_long", "Must have at most 1,024 characters.",
                        "/operations/%u/if_match", at);
    }
    operation->if_match = arena_copy(r->arena, if_match->text);
    return operation->if_match.ptr != NULL;
}

/* Whether a member is there that the operation has, or not where it has none. */
static bool judge_task(struct batch_reading *r, unsigned at, const struct operation_kind *kind,
                       const struct json_member *task, bool *good)
{
    const char *code = NULL;
    const char *detail = NULL;
    if (kind->has_task && !task->name.ptr) {
        code = "required";
        detail = "Is missing; this operation needs it.";
    } else if (!kind->has_task && task->name.ptr) {
        code = "not_allowed";
        detail = "A delete has no task: leave it out.";
    } else if (task->name.ptr && task->kind != JSON_KIND_OBJECT) {
        code = "type";
        detail = "Must be an object.";
    }
    *good = !code && task->name.ptr;
    return !code || complain(r, code, detail, "/operations/%u/task", at);
}

/* As the operation's own call reads its body. */
static bool read_task(struct batch_reading *r, const struct operation_kind *kind,
                      const struct json_member *task, struct batch_operation *operation)
{
    struct store_item_write *write = &operation->write;
    struct field_reading *reading = &r->task;
    struct json_reader reader = json_member_reader(task);
    reading->set = 0;
    reading->errors.count = 0;
    reading->errors.overflow = false;
    if (kind->verb == STORE_MOVE) {
        if (!item_move_read(reading, &reader, write)) {
            return false;
        }
    } else {
        void *values = arena_alloc(r->arena, task_resource.size);
        if (!values) {
            return false;
        }
        resource_clear(&task_resource, values);
        reading->fields = task_resource.fields;
        reading->count = task_resource.count;
        reading->mode = kind->mode;
        reading->input = values;
        if (!field_read(reading, &reader)) {
            return false;
        }
        write->values = values;
        write->set = kind->mode == FIELD_WHOLE ? resource_settable(&task_resource) : reading->set;
        write->given = reading->set;
    }
    if (reading->errors.count == 0) {
        return true;
    }
    struct field_errors *errors = arena_new(r->arena, struct field_errors);
    operation->errors = errors;
    if (errors) {
        *errors = reading->errors;
    }
    return errors != NULL;
}

static bool read_operation(struct batch_reading *r, unsigned at, const struct json_member *object)
{
    struct batch_operation *operation = &r->body->operations[at];
    struct members members = {0};
    bool good = false;
    if (object->kind != JSON_KIND_OBJECT) {
        return complain(r, "type", "Must be an object.", "/operations/%u", at);
    }
    if (!find_members(r, at, object, &members)) {
        return false;
    }
    if (!members.op.name.ptr) {
        return complain(r, "required", "Is missing; each operation needs it.", "/operations/%u/op",
                        at);
    }
    const struct operation_kind *kind = find_kind(&members.op);
    if (!kind) {
        return complain(r, members.op.kind == JSON_KIND_TEXT ? "not_allowed" : "type",
                        "Must be one of: create, replace, update, delete, move.",
                        "/operations/%u/op", at);
    }
    operation->write.resource = &task_resource;
    operation->write.verb = kind->verb;
    return read_id(r, at, kind, &members.id, &operation->write) &&
           read_match(r, at, &members.if_match, operation) &&
           judge_task(r, at, kind, &members.task, &good) &&
           (!good || read_task(r, kind, &members.task, operation));
}

/* ---- the whole ---- */

static bool read_operations(struct batch_reading *r, const struct json_member *list)
{
    struct batch_body *body = r->body;
    struct json_parts parts = {0};
    struct json_member part;
    if (list->kind != JSON_KIND_ARRAY) {
        return complain(r, "type", "Must be an array of objects.", "/operations");
    }
    const size_t count = json_member_parts(list);
    if (count == 0 || count > STORE_BATCH_MOST) {
        return complain(r, count == 0 ? "empty" : "too_many",
                        "Must have 1 to 100 operations; send more in several batches.",
                        "/operations");
    }
    body->operations = arena_alloc(r->arena, count * sizeof *body->operations);
    if (!body->operations) {
        return false;
    }
    body->count = (unsigned)count;
    for (unsigned at = 0; json_member_next(list, &parts, &part); at++) {
        if (!read_operation(r, at, &part)) {
            return false;
        }
    }
    return true;
}

static bool read_batch(struct batch_reading *r, struct json_reader *reader)
{
    struct json_member member;
    bool listed = false;
    bool on = true;
    while (on && json_reader_next(reader, &member)) {
        if (slice_eq(member.name, SLICE("operations"))) {
            listed = true;
            on = read_operations(r, &member);
        } else if (!slice_eq(member.name, SLICE("atomic"))) {
            on = complain_of_name(r, member.name,
                                  "There is no such member here. There may be: operations, atomic.",
                                  "");
        } else if (member.kind != JSON_KIND_BOOL) {
            on = complain(r, "type", "Must be true or false.", "/atomic");
        } else {
            r->body->atomic = json_member_bool(&member);
        }
    }
    return on &&
           (listed || complain(r, "required", "Is missing; this call needs it.", "/operations"));
}

enum json_read batch_body_read(struct slice text, struct arena *arena, struct zones *zones,
                               struct batch_body *body, uint8_t *content,
                               char why[static JSON_READER_WHY])
{
    struct json_reader reader;
    struct batch_reading r = {
        .body = body, .arena = arena, .zones = zones, .task = {.arena = arena, .zones = zones}};
    assert(arena && body && why);
    *body = (struct batch_body){.atomic = true};
    enum json_read result = json_reader_init(&reader, text, BATCH_TOKENS, why);
    if (result == JSON_READ_OK && !read_batch(&r, &reader)) {
        result = JSON_READ_NO_MEMORY;
    }
    if (result == JSON_READ_OK && content) {
        json_reader_digest(&reader, content);
    }
    json_reader_finish(&reader);
    return result;
}
