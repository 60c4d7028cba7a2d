// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/field_json.h"
#include "model/resource.h"

#include <stdio.h>
#include <stdlib.h>

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

struct thing {
    ITEM_MEMBERS;
    struct slice labels;
    struct slice ids;
    struct slice map;
    int64_t due;
    int64_t start;
    unsigned size;
    int64_t amount;
};

static const struct slice sizes[] = {FIELD_NAME("none"), FIELD_NAME("some")};

#define MEMBER(place, member, kind, ...)                                                           \
    {                                                                                              \
        .name = FIELD_NAME(#member), .type = FIELD_##kind, .at = offsetof(struct thing, member),   \
        .bit = 1U << (place), __VA_ARGS__                                                          \
    }

static const struct field fields[] = {
    MEMBER(0, labels, STRINGS, .most = 64, .most_items = 32),
    MEMBER(1, ids, UUIDS, .most_items = 3),
    MEMBER(2, map, MAP, .most = 500, .most_name = 40, .most_items = 50),
    MEMBER(3, due, WHEN, .flags = FIELD_NULLABLE),
    MEMBER(4, start, WHEN, .flags = FIELD_REQUIRED),
    MEMBER(5, size, CHOICE, .choices = sizes, .choice_count = 2, .initial = 1),
    MEMBER(6, amount, NUMBER, .initial = 7),
};

static const struct resource things = {.name = FIELD_NAME("thing"),
                                       .collection = FIELD_NAME("things"),
                                       .fields = fields,
                                       .count = COUNT(fields),
                                       .size = sizeof(struct thing)};

static struct arena *arena;
static struct thing thing;

static int set_up(void **state)
{
    (void)state;
    arena = arena_create(4 << 20);
    resource_clear(&things, &thing);
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    arena_destroy(&arena);
    return 0;
}

static struct field_reading read_body(enum field_mode mode, struct slice body)
{
    struct json_reader reader;
    char why[JSON_READER_WHY];
    struct field_reading reading = {
        .fields = fields, .count = COUNT(fields), .mode = mode, .arena = arena, .input = &thing};
    assert_int_equal(json_reader_init(&reader, body, JSON_TOKENS, why), JSON_READ_OK);
    assert_true(field_read(&reading, &reader));
    json_reader_finish(&reader);
    return reading;
}

/* Of a body: what is wrong, as `pointer code` pairs; and what is then written, if nothing is. */
static void check(enum field_mode mode, const char *body, const char *expected)
{
    struct buffer out;
    struct json_writer w;
    resource_clear(&things, &thing);
    const struct field_reading reading = read_body(mode, slice_of(body));
    buffer_init(&out, 1 << 20);
    for (unsigned i = 0; i < reading.errors.count; i++) {
        const struct field_error *error = &reading.errors.list[i];
        assert_true(strlen(error->detail) > 0);
        buffer_add_text(&out, i > 0 ? ", " : "");
        buffer_add(&out, error->pointer);
        buffer_add_format(&out, " %s", error->code);
    }
    json_writer_init(&w, &out);
    if (reading.errors.count == 0)
        resource_encode(&things, &thing, reading.set, &w);
    buffer_add_char(&out, '\0');
    assert_false(out.failed);
    if (strcmp(out.data, expected) != 0)
        fail_msg("%s: %s", body, out.data);
    buffer_finish(&out);
}

static void whens(void **state)
{
    static const struct {
        const char *body;
        const char *expected;
    } cases[] = {
        {"{\"due\":\"2026-12-01\"}", "{\"due\":\"2026-12-01\"}"},
        {"{\"due\":\"1970-01-01\"}", "{\"due\":\"1970-01-01\"}"},
        {"{\"due\":\"1970-01-01T00:00:00Z\"}", "{\"due\":\"1970-01-01T00:00:00.000Z\"}"},
        {"{\"due\":\"2999-12-31T23:59:59.9999Z\"}", "{\"due\":\"2999-12-31T23:59:59.999Z\"}"},
        {"{\"due\":\"2026-12-01T01:00:00+02:00\"}", "{\"due\":\"2026-11-30T23:00:00.000Z\"}"},
        {"{\"due\":null}", "{\"due\":null}"},
        {"{\"start\":null}", "/start type"},
        {"{\"due\":\"2026-12-01T01:00:00 02:00\"}", "/due time"},
        {"{\"due\":\"1969-12-31\"}", "/due time"},
        {"{\"due\":\"3000-01-01\"}", "/due time"},
        {"{\"due\":\"2026-02-29\"}", "/due time"},
        {"{\"due\":\"2026-12-01Z\"}", "/due time"},
        {"{\"due\":\"2026-12-01T23:59:60Z\"}", "/due time"},
        {"{\"due\":\"2026-12-01T24:00:00Z\"}", "/due time"},
        {"{\"due\":\"2026-12-01T10:00:00\"}", "/due time"},
        {"{\"due\":\"\"}", "/due time"},
        {"{\"due\":20261201}", "/due type"},
        {"{\"due\":[]}", "/due type"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        check(FIELD_SOME, cases[i].body, cases[i].expected);
    check(FIELD_WHOLE, "{}", "/start required");
    check(FIELD_PATCH, "{\"start\":null}", "/start required");
    /* What no pack makes is damage. */
    const struct field_value half = {.number = 3};
    assert_false(field_set(&fields[3], &thing, &half));
}

static void sets_of_strings(void **state)
{
    static const struct {
        const char *body;
        const char *expected;
    } cases[] = {
        {"{\"labels\":[]}", "{\"labels\":[]}"},
        {"{\"labels\":[\"b\",\"a\"]}", "{\"labels\":[\"a\",\"b\"]}"},
        {"{\"labels\":[\"a\",\"A\",\"a\"]}", "{\"labels\":[\"A\",\"a\"]}"},
        {"{\"labels\":[\"ab\",\"a\",\"\"]}", "/labels/2 too_short"},
        /* By code point, not by UTF-16; as sent: the two forms of an accent are two. */
        {"{\"labels\":[\"\\ud83d\\ude00\",\"\\uffee\",\"\\u00e9\",\"e\\u0301\"]}",
         "{\"labels\":[\"e\xcc\x81\",\"\xc3\xa9\",\"\xef\xbf\xae\",\"\xf0\x9f\x98\x80\"]}"},
        {"{\"labels\":[\"\\\\\",\"\\\"\",\"/\",\",\",\"...\",\" a \"]}",
         "{\"labels\":[\" a \",\"\\\"\",\",\",\"...\",\"/\",\"\\\\\"]}"},
        {"{\"labels\":[\" \",\"\\u3000\\ufeff\"]}", "/labels/0 blank, /labels/1 blank"},
        {"{\"labels\":[\"a\\nb\",\"\\u0085\",\"\\u007f\"]}",
         "/labels/0 control_character, /labels/1 control_character, /labels/1 blank, "
         "/labels/2 control_character"},
        {"{\"labels\":[\".\",\"..\",\"a\"]}", "/labels/0 not_allowed, /labels/1 not_allowed"},
        {"{\"labels\":[1,null,[],{},true]}",
         "/labels/0 type, /labels/1 type, /labels/2 type, /labels/3 type, /labels/4 type"},
        {"{\"labels\":null}", "/labels type"},
        {"{\"labels\":{}}", "/labels type"},
        {"{\"labels\":\"a\"}", "/labels type"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        check(FIELD_SOME, cases[i].body, cases[i].expected);
    check(FIELD_PATCH, "{\"labels\":null}", "{\"labels\":[]}");
}

static void lists_of_ids(void **state)
{
#define ID(n) "\"01a20472-533f-74f7-8a77-8e2ec4b5150" n "\""
    (void)state;
    check(FIELD_SOME, "{\"ids\":[]}", "{\"ids\":[]}");
    check(FIELD_SOME, "{\"ids\":[" ID("c") "," ID("A") "," ID("a") "," ID("C") "]}",
          "{\"ids\":[" ID("c") "," ID("a") "]}");
    check(FIELD_SOME, "{\"ids\":[" ID("1") "," ID("2") "," ID("3") "," ID("1") "]}",
          "{\"ids\":[" ID("1") "," ID("2") "," ID("3") "]}");
    check(FIELD_SOME, "{\"ids\":[" ID("1") "," ID("2") "," ID("3") "," ID("4") "]}",
          "/ids too_many");
    check(FIELD_SOME, "{\"ids\":[\"x\"," ID("1") ",7]}", "/ids/0 uuid, /ids/2 type");
    check(FIELD_SOME, "{\"ids\":null}", "/ids type");
    check(FIELD_PATCH, "{\"ids\":null}", "{\"ids\":[]}");
}

static void maps(void **state)
{
    static const struct {
        const char *body;
        const char *expected;
    } cases[] = {
        {"{\"map\":{}}", "{\"map\":{}}"},
        {"{\"map\":{\"b\":\"\",\"a\":\"x\"}}", "{\"map\":{\"a\":\"x\",\"b\":\"\"}}"},
        {"{\"map\":{\"ab\":\"1\",\"a\":\"2\",\"B\":\"3\"}}",
         "{\"map\":{\"B\":\"3\",\"a\":\"2\",\"ab\":\"1\"}}"},
        {"{\"map\":{\"a\":\"\\u0001\\n\\\"\\\\\\/\",\"\\t\":\"x\"}}",
         "{\"map\":{\"\\t\":\"x\",\"a\":\"\\u0001\\n\\\"\\\\/\"}}"},
        {"{\"map\":{\"\":\"x\"}}", "/map/ too_short"},
        {"{\"map\":{\"a\":1,\"b\":null,\"c\":{},\"d~/e\":[]}}",
         "/map/a type, /map/b type, /map/c type, /map/d~0~1e type"},
        {"{\"map\":[]}", "/map type"},
        {"{\"map\":null}", "/map type"},
        {"{\"map\":\"x\"}", "/map type"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        check(FIELD_SOME, cases[i].body, cases[i].expected);
    check(FIELD_PATCH, "{\"map\":null}", "{\"map\":null}");
    check(FIELD_PATCH, "{\"map\":{\"b\":null,\"a\":\"1\",\"\":null}}",
          "{\"map\":{\"\":null,\"a\":\"1\",\"b\":null}}");
    check(FIELD_PATCH, "{\"map\":{\"a\":7}}", "/map/a type");
}

/* Appends `count` times `unit`. */
static void repeat(struct buffer *out, const char *unit, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        buffer_add_text(out, unit);
}

/* `before`, `count` times `unit`, and `after`. */
static void check_length(const char *before, const char *unit, unsigned count, const char *after,
                         const char *expected)
{
    struct buffer body;
    buffer_init(&body, 1 << 20);
    buffer_add_text(&body, before);
    repeat(&body, unit, count);
    buffer_add_text(&body, after);
    resource_clear(&things, &thing);
    const struct field_reading reading = read_body(FIELD_SOME, buffer_slice(&body));
    buffer_finish(&body);
    assert_int_equal(reading.errors.count, expected ? 1 : 0);
    if (expected) {
        assert_string_equal(reading.errors.list[0].pointer.ptr, expected);
        assert_string_equal(reading.errors.list[0].code, "too_long");
    }
}

static void lengths_are_counted_in_code_points(void **state)
{
    static const char *const units[] = {"a", "\xf0\x9f\x98\x80", "\\\"", "\\u00e9"};
    (void)state;
    for (size_t i = 0; i < COUNT(units); i++) {
        check_length("{\"labels\":[\"", units[i], 64, "\"]}", NULL);
        check_length("{\"labels\":[\"", units[i], 65, "\"]}", "/labels/0");
        check_length("{\"map\":{\"", units[i], 40, "\":\"x\"}}", NULL);
        check_length("{\"map\":{\"a\":\"", units[i], 500, "\"}}", NULL);
        check_length("{\"map\":{\"a\":\"", units[i], 501, "\"}}", "/map/a");
    }
    check_length("{\"map\":{\"", "a", 41, "\":\"x\"}}",
                 "/map/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
}

/* The largest that there may be fit into what a resource says that they take. */
static void the_largest(void **state)
{
    struct buffer body;
    (void)state;
    buffer_init(&body, 1 << 20);
    buffer_add_text(&body, "{\"labels\":[");
    for (unsigned i = 0; i < 32; i++) {
        buffer_add_text(&body, i > 0 ? ",\"" : "\"");
        repeat(&body, "\xf0\x9f\x98\x80", 63);
        buffer_add_format(&body, "\\ud83d\\ude%02x\"", i);
    }
    buffer_add_text(&body, "],\"map\":{");
    for (unsigned i = 0; i < 50; i++) {
        buffer_add_text(&body, i > 0 ? ",\"" : "\"");
        repeat(&body, "\\u0001", 38);
        buffer_add_format(&body, "%02u\":\"", i);
        repeat(&body, "\\u0002", 500);
        buffer_add_char(&body, '"');
    }
    buffer_add_text(&body, "}}");
    const struct field_reading reading = read_body(FIELD_SOME, buffer_slice(&body));
    buffer_finish(&body);
    assert_int_equal(reading.errors.count, 0);
    assert_int_equal(thing.labels.len, field_text_most(&fields[0]) - 1);
    assert_int_equal(thing.map.len, field_text_most(&fields[2]) - 1 - 50 * 2 * 5);
}

static void too_many(void **state)
{
    struct buffer body;
    struct buffer map;
    (void)state;
    for (unsigned count = 32; count <= 33; count++) {
        buffer_init(&body, 1 << 16);
        buffer_add_text(&body, "{\"labels\":[\"0\"");
        for (unsigned i = 0; i < count; i++)
            buffer_add_format(&body, ",\"%u\"", i);
        buffer_add_text(&body, "]}");
        struct field_reading reading = read_body(FIELD_SOME, buffer_slice(&body));
        buffer_finish(&body);
        assert_int_equal(reading.errors.count, count - 32);
        if (count == 33)
            assert_string_equal(reading.errors.list[0].code, "too_many");
    }
    for (unsigned count = 50; count <= 51; count++) {
        for (enum field_mode mode = FIELD_SOME; mode <= FIELD_PATCH; mode++) {
            buffer_init(&map, 1 << 16);
            buffer_add_text(&map,
                            mode == FIELD_PATCH ? "{\"map\":{\"x\":null" : "{\"map\":{\"0\":\"\"");
            for (unsigned i = mode == FIELD_PATCH ? 0 : 1; i < count; i++)
                buffer_add_format(&map, ",\"%u\":\"\"", i);
            buffer_add_text(&map, "}}");
            struct field_reading reading = read_body(mode, buffer_slice(&map));
            buffer_finish(&map);
            assert_int_equal(reading.errors.count, count - 50);
            if (count == 51)
                assert_string_equal(reading.errors.list[0].pointer.ptr, "/map");
        }
    }
}

static void defaults(void **state)
{
    (void)state;
    assert_true(slice_eq(thing.labels, SLICE("[]")) && slice_eq(thing.ids, SLICE("[]")));
    assert_true(slice_eq(thing.map, SLICE("{}")));
    assert_true(field_get(&fields[3], &thing).null);
    assert_int_equal(thing.size, 1);
    assert_int_equal(thing.amount, 7);
    thing.size = 0;
    check(FIELD_PATCH, "{\"size\":null,\"amount\":null,\"due\":null}",
          "{\"due\":null,\"size\":\"some\",\"amount\":7}");
    check(FIELD_SOME, "{\"size\":null,\"amount\":null}", "/size type, /amount type");
}

static void merges(void **state)
{
    static const struct {
        const char *stored;
        const char *patch;
        const char *merged;
    } cases[] = {
        {"{}", "{}", "{}"},
        {"{}", "null", "{}"},
        {"{\"a\":\"1\"}", "null", "{}"},
        {"{\"a\":\"1\"}", "{}", "{\"a\":\"1\"}"},
        {"{}", "{\"a\":\"1\"}", "{\"a\":\"1\"}"},
        {"{\"a\":\"1\"}", "{\"a\":\"2\"}", "{\"a\":\"2\"}"},
        {"{\"a\":\"1\"}", "{\"a\":null}", "{}"},
        {"{\"a\":\"1\"}", "{\"b\":null}", "{\"a\":\"1\"}"},
        {"{\"b\":\"1\",\"d\":\"2\"}", "{\"a\":\"3\",\"c\":\"4\",\"e\":\"5\"}",
         "{\"a\":\"3\",\"b\":\"1\",\"c\":\"4\",\"d\":\"2\",\"e\":\"5\"}"},
        {"{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}", "{\"a\":null,\"b\":\"x\",\"c\":null}",
         "{\"b\":\"x\"}"},
        /* In the order of what is written, not of how: \" is before A, \\ after it, \n before all.
         */
        {"{\"\\n\":\"1\",\"\\\"\":\"2\",\"A\":\"3\"}", "{\"\\u0001\":\"x\",\"\\\\\":\"y\"}",
         "{\"\\u0001\":\"x\",\"\\n\":\"1\",\"\\\"\":\"2\",\"A\":\"3\",\"\\\\\":\"y\"}"},
        {"{\"a\":\"\\\"}\"}", "{\"b\":\"{\\\\\"}", "{\"a\":\"\\\"}\",\"b\":\"{\\\\\"}"},
        {"{\"null\":\"null\"}", "{\"a\":\"null\"}", "{\"a\":\"null\",\"null\":\"null\"}"},
        {"{\"\xc3\xa9\":\"1\",\"\xf0\x9f\x98\x80\":\"2\"}", "{\"\xef\xbf\xae\":\"3\"}",
         "{\"\xc3\xa9\":\"1\",\"\xef\xbf\xae\":\"3\",\"\xf0\x9f\x98\x80\":\"2\"}"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice merged = {0};
        assert_int_equal(field_json_merge(&fields[2], slice_of(cases[i].stored),
                                          slice_of(cases[i].patch), arena, &merged),
                         FIELD_MERGED);
        if (!slice_eq(merged, slice_of(cases[i].merged)))
            fail_msg("case %zu: %.*s", i, (int)merged.len, merged.ptr);
    }
}

static void damage_is_seen(void **state)
{
    static const char *const damaged[] = {
        "",
        "{",
        "}",
        "[]",
        "null",
        "x",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":\"1\"",
        "{\"a\":\"1\",}",
        "{\"a\":1}",
        "{\"a\":\"1}",
        "{\"a\":\"\\",
        "{\"a\" :\"1\"}",
        "{\"a\":\"1\"}}",
        "{a:\"1\"}",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(damaged); i++) {
        char *copy = strdup(damaged[i]); /* so that ASan sees a read after it */
        struct slice merged = {0};
        assert_non_null(copy);
        if (field_json_merge(&fields[2], slice_of(copy), SLICE("{\"z\":\"1\"}"), arena, &merged) !=
            FIELD_MERGE_DAMAGED)
            fail_msg("case %zu: %s", i, damaged[i]);
        free(copy);
    }
}

/* A patch that says `body` over a map of `count` members, of which the first is `00`. */
static const struct field_errors *patch_of(unsigned count, const char *body, struct thing *stored)
{
    const struct field_errors *errors = NULL;
    const void *values = &thing;
    struct buffer map;
    buffer_init(&map, 1 << 16);
    for (unsigned i = 0; i < count; i++)
        buffer_add_format(&map, "%c\"%02u\":\"\"", i > 0 ? ',' : '{', i);
    buffer_add_text(&map, count > 0 ? "}" : "{}");
    resource_clear(&things, stored);
    stored->map = arena_copy(arena, buffer_slice(&map));
    buffer_finish(&map);
    resource_clear(&things, &thing);
    const struct field_reading reading = read_body(FIELD_PATCH, slice_of(body));
    assert_int_equal(reading.errors.count, 0);
    assert_int_equal(resource_merge(&things, stored, &values, reading.set, arena, &errors),
                     ERROR_NONE);
    if (!errors)
        (void)resource_apply(&things, stored, values, reading.set);
    return errors;
}

static void a_patch_is_judged_after_the_merge(void **state)
{
    struct thing stored;
    (void)state;
    assert_null(patch_of(50, "{\"map\":{\"00\":\"new\"}}", &stored));
    assert_null(patch_of(50, "{\"map\":{\"x\":\"1\",\"00\":null}}", &stored));
    assert_null(patch_of(50, "{\"size\":\"none\"}", &stored));
    const struct field_errors *errors = patch_of(50, "{\"map\":{\"x\":\"1\"}}", &stored);
    assert_non_null(errors);
    assert_int_equal(errors->count, 1);
    assert_string_equal(errors->list[0].pointer.ptr, "/map");
    assert_string_equal(errors->list[0].code, "too_many");
    assert_null(patch_of(2, "{\"map\":null}", &stored));
    assert_true(slice_eq(stored.map, SLICE("{}")));
    assert_null(patch_of(2, "{\"map\":{\"00\":null},\"labels\":[\"a\"]}", &stored));
    assert_true(slice_eq(stored.map, SLICE("{\"01\":\"\"}")));
    assert_true(slice_eq(stored.labels, SLICE("[\"a\"]")));
}

static void memory_runs_out(void **state)
{
    static const char *const bodies[] = {"{\"labels\":[\"a\"]}", "{\"labels\":[1]}",
                                         "{\"ids\":[" ID("1") "]}", "{\"map\":{\"a\":\"b\"}}",
                                         "{\"map\":{\"\":\"b\"}}"};
    (void)state;
    for (size_t i = 0; i < COUNT(bodies); i++) {
        bool good = false;
        for (size_t most = 1; most < 1024 && !good; most += 8) {
            struct arena *small = arena_create(most);
            struct json_reader reader;
            char why[JSON_READER_WHY];
            struct field_reading reading = {.fields = fields,
                                            .count = COUNT(fields),
                                            .mode = FIELD_SOME,
                                            .arena = small,
                                            .input = &thing};
            assert_non_null(small);
            assert_int_equal(json_reader_init(&reader, slice_of(bodies[i]), JSON_TOKENS, why),
                             JSON_READ_OK);
            good = field_read(&reading, &reader);
            json_reader_finish(&reader);
            assert_true(most > 1 || !good);
            arena_destroy(&small);
        }
        assert_true(good);
    }
}

static void exact_forms(void **state)
{
    static const struct {
        const char *body;
        bool exact;
    } cases[] = {
        {"{\"labels\":[]}", true},
        {"{\"labels\":[\"a\",\"b\"]}", true},
        {"{\"labels\":[\"\\u0061\",\"\\u00e9\"]}", true},
        {"{\"labels\":[\"b\",\"a\"]}", false},
        {"{\"labels\":[\"a\",\"a\"]}", false},
        {"{\"ids\":[" ID("b") "," ID("a") "]}", true},
        {"{\"ids\":[" ID("A") "]}", false},
        {"{\"ids\":[" ID("b") "," ID("b") "]}", false},
        {"{\"map\":{\"a\":\"2\",\"b\":\"1\"}}", true},
        {"{\"map\":{\"b\":\"1\",\"a\":\"2\"}}", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct json_reader reader;
        struct json_member member;
        char why[JSON_READER_WHY];
        const struct field_reading reading = read_body(FIELD_SOME, slice_of(cases[i].body));
        assert_int_equal(reading.errors.count, 0);
        assert_int_equal(json_reader_init(&reader, slice_of(cases[i].body), JSON_TOKENS, why),
                         JSON_READ_OK);
        assert_true(json_reader_next(&reader, &member));
        const struct field *field = resource_field(&things, member.name);
        const bool exact = field_json_is_exact(field, field_get(field, &thing).bytes, &member);
        if (exact != cases[i].exact)
            fail_msg("case %zu: %s", i, cases[i].body);
        json_reader_finish(&reader);
    }
}

static void one_of_a_set_in_place_of_another(void **state)
{
    static const struct {
        const char *stored;
        const char *from;
        const char *to;       /* NULL: nothing */
        const char *expected; /* NULL: damage */
    } cases[] = {
        {"[\"a\",\"b\",\"c\"]", "\"b\"", "\"x\"", "[\"a\",\"c\",\"x\"]"},
        {"[\"a\",\"b\",\"c\"]", "\"c\"", "\"!\"", "[\"!\",\"a\",\"b\"]"},
        {"[\"a\",\"b\"]", "\"a\"", "\"b\"", "[\"b\"]"},
        {"[\"a\",\"b\"]", "\"b\"", "\"a\"", "[\"a\"]"},
        {"[\"a\",\"b\"]", "\"a\"", NULL, "[\"b\"]"},
        {"[\"a\"]", "\"a\"", NULL, "[]"},
        {"[\"a\"]", "\"a\"", "\"a\"", "[\"a\"]"},
        {"[\"]\",\"a\"]", "\"a\"", "\"\\\\\"", "[\"\\\\\",\"]\"]"},
        {"[\"\\\"\"]", "\"\\\"\"", "\"!\"", "[\"!\"]"},
        {"[\"a\"", "\"a\"", "\"b\"", NULL},
        {"[\"a]", "\"a\"", "\"b\"", NULL},
        {"{\"a\":\"b\"}", "\"a\"", "\"b\"", NULL},
        {"", "\"a\"", "\"b\"", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice replaced;
        const enum field_merge merge =
            field_json_replace(slice_of(cases[i].stored), slice_of(cases[i].from),
                               slice_of(cases[i].to), arena, &replaced);
        assert_int_equal(merge, cases[i].expected ? FIELD_MERGED : FIELD_MERGE_DAMAGED);
        if (cases[i].expected && !slice_eq(replaced, slice_of(cases[i].expected)))
            fail_msg("case %zu: %.*s", i, (int)replaced.len, replaced.ptr);
    }
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(whens),
        TEST(sets_of_strings),
        TEST(lists_of_ids),
        TEST(maps),
        TEST(lengths_are_counted_in_code_points),
        TEST(the_largest),
        TEST(too_many),
        TEST(defaults),
        TEST(merges),
        TEST(damage_is_seen),
        TEST(a_patch_is_judged_after_the_merge),
        TEST(memory_runs_out),
        TEST(exact_forms),
        TEST(one_of_a_set_in_place_of_another),
    };
    return cmocka_run_group_tests_name("field_json", tests, NULL, NULL);
}
