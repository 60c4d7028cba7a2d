// SPDX-License-Identifier: MIT
#include "store_fixture.h"

#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <setjmp.h>

#include <cmocka.h>

#include "model/task.h"

#ifdef FAILING
#include "failing.h"
#define WAIT_MOST_MS 5000
#else
#define WAIT_MOST_MS 20000
#endif

void loop_open(struct loop *loop, const struct store_engine *engine, struct store *store)
{
    *loop = (struct loop){.engine = engine, .store = store};
    loop->inbox = inbox_create();
    loop->arena = arena_create((size_t)1 << 22);
    assert_non_null(loop->inbox);
    assert_non_null(loop->arena);
    loop->session = engine->session_open(store, loop->inbox);
    assert_non_null(loop->session);
}

void loop_close(struct loop *loop)
{
    loop->engine->session_close(&loop->session);
    assert_null(loop->session);
    arena_destroy(&loop->arena);
    inbox_destroy(&loop->inbox);
}

static void on_done(struct store_op *op)
{
    struct loop *loop = op->caller;
#ifdef FAILING
    if (op->result == ERROR_INTERNAL_ERROR && failing_struck(FAILING_MEMORY))
        failing_wrong("a lack of memory is called a fault of the program");
#endif
    loop->running--;
    loop->answered++;
}

void loop_begin(struct loop *loop, struct store_op *op)
{
    *op = (struct store_op){
        .session = loop->session,
        .arena = loop->arena,
        .done = on_done,
        .caller = loop,
        .result = ERROR_COUNT,
    };
    loop->running++;
}

void loop_finish(struct loop *loop)
{
    const struct store_engine *engine = loop->engine;
    const int descriptor = engine->descriptor ? engine->descriptor(loop->session) : -1;
    loop->engine->turn_end(loop->session);
    while (loop->running > 0) {
        struct pollfd ready[] = {{inbox_fd(loop->inbox), POLLIN, 0}, {descriptor, POLLIN, 0}};
        const int found = poll(ready, 2, WAIT_MOST_MS);
#ifdef FAILING
        if (found == 0)
            failing_wrong("an operation is not answered");
#endif
        assert_true(found > 0);
        if (ready[0].revents)
            (void)inbox_run(loop->inbox);
        if (ready[1].revents)
            loop->engine->ready(loop->session);
        loop->engine->turn_end(loop->session);
    }
}

struct uuid make_user(struct loop *loop, const char *name)
{
    char email[64];
    (void)snprintf(email, sizeof email, "%s@example.org", name);
    struct store_user_create op = {
        .user = {.id = uuid_make_v7(),
                 .email = slice_of(email),
                 .password_hash = TEST_HASH,
                 .created_at = TEST_NOW,
                 .updated_at = TEST_NOW},
    };
    assert_int_equal(LOOP_CALL(loop, user_create, &op), ERROR_NONE);
    return op.user.id;
}

struct store_session_create session_of(struct uuid user, const char *ip, int64_t now)
{
    return (struct store_session_create){
        .session = {.id = uuid_make_v7(),
                    .user = user,
                    .counter = 1,
                    .created_at = now,
                    .last_used_at = now,
                    .expires_at = now + 1000000,
                    .user_agent = SLICE("curl"),
                    .ip = slice_of(ip)},
        .client = slice_of(ip),
        .verified_hash = TEST_HASH,
    };
}

/* ---- items ---- */

const struct resource *fixture_resource = &task_resource;

/* Can any value of its type stand in it, whatever else there is? */
static bool is_free(const struct field *field)
{
    static const char *const bound[] = {
        "list_id",           "parent_id",  "time_zone",    "recurrence",
        "recurrence_anchor", "blocked_by", "completed_at", "start"};
    for (size_t i = 0; i < sizeof bound / sizeof bound[0]; i++) {
        if (slice_eq(field->name, slice_of(bound[i])))
            return false;
    }
    return field->bit != 0;
}

unsigned fixture_settable(void)
{
    unsigned set = 0;
    for (size_t i = 0; i < fixture_resource->count; i++)
        set |= is_free(&fixture_resource->fields[i]) ? fixture_resource->fields[i].bit : 0;
    return set;
}

static struct field_value sample_value(const struct field *field, unsigned number)
{
    static const char *const texts[] = {"b", "a", "B", "\xc3\xa4", "aa", "", "\xf0\x9f\x98\x80"};
    static struct uuid ids[5];
    struct field_value value = {.null = (field->flags & FIELD_NULLABLE) != 0 && number % 3 == 2};
    struct uuid *id = &ids[number % 5];
    if (value.null)
        return value;
    switch (field->type) {
    case FIELD_TEXT: value.bytes = slice_of(texts[number % 7]); break;
    case FIELD_CHOICE: value.number = number % field->choice_count; break;
    case FIELD_BOOL: value.number = number % 2; break;
    case FIELD_TIME: value.number = TEST_NOW + number % 5; break;
    case FIELD_WHEN: value.number = 2 * (TEST_NOW + number % 5); break;
    case FIELD_STRINGS:
        value.bytes = number % 2 ? SLICE("[\"a\",\"\xc3\xa4\"]") : SLICE("[]");
        break;
    case FIELD_UUIDS:
        value.bytes =
            number % 2 ? SLICE("[\"01a20472-533f-74f7-8a77-8e2ec4b5150b\"]") : SLICE("[]");
        break;
    case FIELD_MAP: value.bytes = number % 2 ? SLICE("{\"a\":\"b\"}") : SLICE("{}"); break;
    case FIELD_NUMBER:
        value.number = field->least_number + (int64_t)(number % 4);
        assert_true(field->least_number == field->most_number ||
                    value.number <= field->most_number);
        break;
    case FIELD_UUID:
        id->bytes[0] = (uint8_t)(1 + number % 5);
        value.bytes = (struct slice){(const char *)id->bytes, sizeof id->bytes};
        break;
    }
    return value;
}

static void set_sample(const struct field *field, void *item, unsigned number)
{
    const struct field_value value = sample_value(field, number);
    assert_true(field_set(field, item, &value));
}

void sample_item(void *item, unsigned number)
{
    const struct resource *resource = fixture_resource;
    assert_true(resource->size <= FIXTURE_ITEM_MOST);
    resource_clear(resource, item);
    for (size_t i = 0; i < resource->count; i++) {
        if (is_free(&resource->fields[i]))
            set_sample(&resource->fields[i], item, number);
    }
}

const struct field *long_text(void)
{
    const struct field *longest = NULL;
    for (size_t i = 0; i < fixture_resource->count; i++) {
        const struct field *field = &fixture_resource->fields[i];
        if (field->type == FIELD_TEXT && field->bit != 0 &&
            (!longest || field->most > longest->most))
            longest = field;
    }
    assert_non_null(longest);
    return longest;
}

const struct field *first_member(void)
{
    for (size_t i = 0; i < fixture_resource->count; i++) {
        if (is_free(&fixture_resource->fields[i]))
            return &fixture_resource->fields[i];
    }
    fail_msg("a resource of which nothing can be set");
    return NULL;
}

struct write write_of(enum store_verb verb, struct uuid space, struct uuid id, int64_t now)
{
    struct write write = {
        .op = {.resource = fixture_resource,
               .verb = verb,
               .space = space,
               .actor = space,
               .id = id,
               .set = verb == STORE_DELETE ? 0 : fixture_settable(),
               .now = now,
               .steady = now},
    };
    sample_item(&write.values, 0);
    return write;
}

struct write patch_of(struct uuid space, struct uuid id, const struct field *field, unsigned number,
                      int64_t now)
{
    struct write write = write_of(STORE_UPDATE, space, id, now);
    write.op.set = field->bit;
    set_sample(field, &write.values, number);
    return write;
}

void write_begin(struct loop *loop, struct write *write)
{
    write->op.values = write->op.verb == STORE_DELETE ? NULL : &write->values;
    loop_begin(loop, &write->op.op);
    loop->engine->item_write(&write->op);
}

enum error write_run(struct loop *loop, struct write *write)
{
    write_begin(loop, write);
    loop_finish(loop);
    return write->op.op.result;
}

enum store_outcome write_outcome(struct loop *loop, struct write *write)
{
    assert_int_equal(write_run(loop, write), ERROR_NONE);
    return write->op.outcome;
}

void assert_written(struct loop *loop, const struct write *write)
{
    const void *item = NULL;
    assert_int_equal(get_item(loop, write->op.space, write->op.id, &item), ERROR_NONE);
    assert_non_null(item);
    assert_non_null(write->op.item);
    assert_int_equal(resource_differ(fixture_resource, item, write->op.item), 0);
}

struct item make_item(struct loop *loop, struct uuid space, unsigned number, int64_t now)
{
    struct write write = write_of(STORE_CREATE, space, uuid_make_v7(), now);
    sample_item(&write.values, number);
    assert_int_equal(write_run(loop, &write), ERROR_NONE);
    assert_int_equal(write.op.outcome, STORE_CREATED);
    return *(const struct item *)write.op.item;
}

static void on_item(struct store_op *base)
{
    struct store_item_get *op = (struct store_item_get *)base;
    const struct resource *resource = op->resource;
    void *item = base->result == ERROR_NONE ? arena_alloc(base->arena, resource->size) : NULL;
    if (item)
        memcpy(item, op->item, resource->size);
    for (size_t i = 0; i < resource->count && item; i++) {
        struct slice *text = (struct slice *)((char *)item + resource->fields[i].at);
        if (field_is_text(resource->fields[i].type) && text->ptr)
            *text = arena_copy(base->arena, *text);
    }
    op->item = item;
    on_done(base);
}

enum error get_item(struct loop *loop, struct uuid space, struct uuid id, const void **item)
{
    struct store_item_get op = {.resource = fixture_resource, .space = space, .id = id};
    loop_begin(loop, &op.op);
    op.op.done = on_item;
    loop->engine->item_get(&op);
    loop_finish(loop);
    *item = op.item;
    return op.op.result;
}
