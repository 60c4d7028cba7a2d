// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/json_writer.h"

static void assert_text(struct slice text, struct slice expected)
{
    struct buffer out;
    struct json_writer w;

    buffer_init(&out, 100000);
    json_writer_init(&w, &out);
    jw_text(&w, text);
    assert_false(out.failed);
    assert_true(slice_eq(buffer_slice(&out), expected));
    buffer_finish(&out);
}

static void puts_commas_where_they_belong(void **state)
{
    struct buffer out;
    struct json_writer w;
    struct uuid id;

    (void)state;
    assert_true(uuid_parse(SLICE("019ab000-0000-7000-8000-00000000000f"), &id));
    buffer_init(&out, 1000);
    json_writer_init(&w, &out);
    jw_open_object(&w);
    jw_name(&w, SLICE("empty"));
    jw_open_array(&w);
    jw_close_array(&w);
    jw_name(&w, SLICE("items"));
    jw_open_array(&w);
    jw_i64(&w, -5);
    jw_bool(&w, true);
    jw_bool(&w, false);
    jw_null(&w);
    jw_open_object(&w);
    jw_close_object(&w);
    jw_open_object(&w);
    jw_name(&w, SLICE("id"));
    jw_uuid(&w, id);
    jw_close_object(&w);
    jw_close_array(&w);
    jw_name(&w, SLICE("at"));
    jw_time(&w, 0);
    jw_name(&w, SLICE("text"));
    jw_text(&w, (struct slice){0});
    jw_close_object(&w);
    assert_false(out.failed);
    assert_true(slice_eq(
        buffer_slice(&out),
        SLICE("{\"empty\":[],\"items\":[-5,true,false,null,{},{\"id\":"
              "\"019ab000-0000-7000-8000-00000000000f\"}],\"at\":\"1970-01-01T00:00:00.000Z\","
              "\"text\":\"\"}")));
    buffer_finish(&out);
}

/* Names are copied by their length; each length up to what any of ours has, and more. */
static void writes_names_of_each_length(void **state)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";

    (void)state;
    for (size_t len = 0; len < sizeof letters; len++) {
        struct buffer out;
        struct json_writer w;
        char expected[160];

        buffer_init(&out, 1000);
        json_writer_init(&w, &out);
        jw_open_object(&w);
        jw_name(&w, (struct slice){letters, len});
        jw_i64(&w, INT64_MIN);
        jw_name(&w, (struct slice){letters, len});
        jw_text(&w, SLICE("x"));
        jw_close_object(&w);
        snprintf(expected, sizeof expected, "{\"%.*s\":-9223372036854775808,\"%.*s\":\"x\"}",
                 (int)len, letters, (int)len, letters);
        assert_false(out.failed);
        assert_true(slice_eq(buffer_slice(&out), slice_of(expected)));
        buffer_finish(&out);
    }
}

static void escapes_what_must_be_escaped(void **state)
{
    (void)state;
    assert_text(SLICE("\"\\/"), SLICE("\"\\\"\\\\/\""));
    assert_text(SLICE("\b\f\n\r\t"), SLICE("\"\\b\\f\\n\\r\\t\""));
    assert_text(SLICE("\0\x1f\x7f"), SLICE("\"\\u0000\\u001f\x7f\""));
    assert_text(SLICE("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
                SLICE("\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\""));
    assert_text(SLICE("0123456789\"0123456789"), SLICE("\"0123456789\\\"0123456789\""));
}

/* What must be escaped, found at each place of words read eight bytes at a time, whatever byte
 * stands beside it. */
static void finds_each_byte_at_each_place(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        for (size_t at = 0; at < 20; at++) {
            char text[20];
            char expected[32];
            size_t len = 0;
            memset(text, 0x7f + (int)(at % 3), sizeof text);
            text[at] = (char)byte;
            expected[len++] = '"';
            for (size_t i = 0; i < sizeof text; i++) {
                static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt";
                const char *found = NULL;
                for (size_t s = 0; s < sizeof shorts - 1; s += 2) {
                    found = shorts[s] == text[i] ? &shorts[s] : found;
                }
                if (found) {
                    expected[len++] = '\\';
                    expected[len++] = found[1];
                } else if ((unsigned char)text[i] < 0x20) {
                    len += (size_t)snprintf(expected + len, 7, "\\u%04x", (unsigned char)text[i]);
                } else {
                    expected[len++] = text[i];
                }
            }
            expected[len++] = '"';
            assert_text((struct slice){text, sizeof text}, (struct slice){expected, len});
        }
    }
}

static void nests_to_its_depth(void **state)
{
    struct buffer out;
    struct json_writer w;

    (void)state;
    buffer_init(&out, 1000);
    json_writer_init(&w, &out);
    for (unsigned i = 0; i < JSON_WRITER_DEPTH; i++) {
        jw_open_array(&w);
    }
    for (unsigned i = 0; i < JSON_WRITER_DEPTH; i++) {
        jw_close_array(&w);
    }
    assert_true(slice_eq(buffer_slice(&out), SLICE("[[[[[[[[]]]]]]]]")));
    buffer_finish(&out);
}

/* With every ceiling from nothing to enough: whole, or failed. */
static void fails_cleanly_at_a_ceiling(void **state)
{
    const struct slice whole = SLICE("{\"a\":\"x\\n\",\"b\":[1,true]}");

    (void)state;
    for (size_t most = 0; most <= whole.len + 1; most++) {
        struct buffer out;
        struct json_writer w;
        buffer_init(&out, most);
        json_writer_init(&w, &out);
        jw_open_object(&w);
        jw_name(&w, SLICE("a"));
        jw_text(&w, SLICE("x\n"));
        jw_name(&w, SLICE("b"));
        jw_open_array(&w);
        jw_i64(&w, 1);
        jw_bool(&w, true);
        jw_close_array(&w);
        jw_close_object(&w);
        assert_true(out.len <= most);
        if (most < whole.len) {
            assert_true(out.failed);
        } else {
            assert_false(out.failed);
            assert_true(slice_eq(buffer_slice(&out), whole));
        }
        buffer_finish(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(puts_commas_where_they_belong),
        cmocka_unit_test(writes_names_of_each_length),
        cmocka_unit_test(escapes_what_must_be_escaped),
        cmocka_unit_test(finds_each_byte_at_each_place),
        cmocka_unit_test(nests_to_its_depth),
        cmocka_unit_test(fails_cleanly_at_a_ceiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
