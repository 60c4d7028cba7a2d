// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>

#include "base/json_reader.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

static enum json_read read_bytes(struct slice text, char *why)
{
    struct json_reader reader;
    enum json_read result = json_reader_init(&reader, text, JSON_TOKENS, why);
    json_reader_finish(&reader);
    return result;
}

static void good_bodies(void **state)
{
    static const char *const good[] = {
        "{}",
        " \t\r\n{ } \n",
        "{\"a\":null,\"b\":true,\"c\":-1.5e3,\"d\":\"\",\"e\":[],\"f\":{}}",
        "{\"a\":\"\\ud83d\\ude00\"}",
        "{\"a\":{\"a\":{\"a\":1}}}",
        "{\"\":1}",
        "{\"a\":0,\"b\":-0,\"c\":0.0,\"d\":1E+2,\"e\":-1e-2}",
        "{ \"a\" : [ ] , \"b\" : [ { } , [ 1 , 2 ] ] }\r\n",
        "{\"a\":9223372036854775807,\"b\":-9223372036854775808,\"c\":1e308,\"d\":1e-999}",
        "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\x7f\"}",
        "{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"{{{\"}",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        char why[JSON_READER_WHY];
        assert_int_equal(read_bytes(slice_of(good[i]), why), JSON_READ_OK);
    }
}

#define TEXT(literal)                                                                              \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }

static void bad_bodies(void **state)
{
    static const struct {
        struct slice body;
        const char *why; /* a part of it */
    } bad[] = {
        {TEXT(""), "is empty"},
        {TEXT("   "), "is empty"},
        {TEXT("[]"), "a JSON array"},
        {TEXT("null"), "a single JSON word"},
        {TEXT(" true"), "a single JSON word"},
        {TEXT("5"), "a JSON number"},
        {TEXT("-1e3"), "a JSON number"},
        {TEXT("\"{\\\"title\\\":\\\"x\\\"}\""), "stringified twice"},
        {TEXT("title=x"), "line 1, column 1: an object is expected, but `t`"},
        {TEXT("<x/>"), "but `<`"},
        {TEXT("{"), "line 1, column 2: it ends before the object is closed"},
        {TEXT("{\"a\""), "line 1, column 5: it ends before the object is closed"},
        {TEXT("{\"a\":"), "it ends where a value is expected"},
        {TEXT("{\"a\":1"), "it ends before the object is closed"},
        {TEXT("{\"a\":[1"), "it ends before the array is closed"},
        {TEXT("{\"a\":\"b"), "in the middle of a text"},
        {TEXT("{}x"), "line 1, column 3: something stands after the object"},
        {TEXT("{}{}"), "after the object"},
        {TEXT("{}\0"), "after the object"},
        {TEXT("{\"a\":1}//x"), "after the object"},
        {TEXT("{\"a\":1,}"),
         "line 1, column 8: the name of one more member is expected after the comma"},
        {TEXT("{\"a\":[1,]}"), "a value is expected"},
        {TEXT("{,}"), "a name in double quotes is expected"},
        {TEXT("{'a':1}"), "double quotes, not in single ones"},
        {TEXT("{\"a\":'b'}"), "double quotes, not in single ones"},
        {TEXT("{a:1}"), "a name in double quotes is expected, but `a`"},
        {TEXT("{\"a\" 1}"), "a colon is expected"},
        {TEXT("{\"a\":1 \"b\":2}"), "line 1, column 8: a comma or the closing } is expected"},
        {TEXT("{\"a\":[1}"), "a comma or the closing ] is expected"},
        {TEXT("{\"a\":1]"), "a comma or the closing } is expected"},
        {TEXT("{/* no */}"), "no comments"},
        {TEXT("{\"a\":01}"), "leading zero"},
        {TEXT("{\"a\":-01}"), "leading zero"},
        {TEXT("{\"a\":1.}"), "a digit is missing"},
        {TEXT("{\"a\":1e}"), "a digit is missing"},
        {TEXT("{\"a\":-}"), "a digit is missing"},
        {TEXT("{\"a\":+1}"), "a value is expected"},
        {TEXT("{\"a\":.5}"), "a value is expected"},
        {TEXT("{\"a\":NaN}"), "a value is expected"},
        {TEXT("{\"a\":Infinity}"), "a value is expected"},
        {TEXT("{\"a\":True}"), "a value is expected"},
        {TEXT("{\"a\":nul}"), "a value is expected"},
        {TEXT("{\"a\":nullx}"), "a comma or the closing }"},
        /* jansson loses a NUL after a number or a word. */
        {TEXT("{\"a\":1\0}"), "a NUL byte"},
        {TEXT("{\"a\":null\0}"), "a NUL byte"},
        {TEXT("{\"a\":true\0,\"b\":1}"), "a NUL byte"},
        {TEXT("{\"a\":false\0}"), "a NUL byte"},
        {TEXT("{\0}"), "a NUL byte"},
        {TEXT("\0"), "a NUL byte"},
        {TEXT("{\"a\":1,\"a\":2}"),
         "The member \"a\" stands twice in one object, again at line 1, column 8"},
        {TEXT("{\"a\":1,\n \"\\u0061\":2}"),
         "The member \"\\u0061\" stands twice in one object, again at line 2, column 2"},
        {TEXT("{\"x\":{\"a\\\"\":1,\"a\\\"\":2}}"), "The member \"a\\\"\" stands twice"},
        {TEXT("{\"\":1,\"\":2}"), "The member \"\" stands twice"},
        {TEXT("{\"a\":\"\\u0000\"}"), "line 1, column 7: \\u0000"},
        {TEXT("{\"\\u0000\":1}"), "\\u0000"},
        {TEXT("{\"a\":\"x\\ud800\"}"), "line 1, column 8: the escape is half of a surrogate pair"},
        {TEXT("{\"a\":\"\\udc00\"}"), "half of a surrogate pair"},
        {TEXT("{\"a\":\"\\ud800\\u0041\"}"), "half of a surrogate pair"},
        {TEXT("{\"a\":\"\\ud83d\\ud83d\"}"), "half of a surrogate pair"},
        {TEXT("{\"a\":\"\\u12\"}"), "four hexadecimal digits"},
        {TEXT("{\"a\":\"\\x41\"}"), "no escape of JSON"},
        {TEXT("{\"a\":\"\\"), "no escape of JSON"},
        {TEXT("{\"a\":\"\x01\"}"), "a control character"},
        {TEXT("{\"a\":\"\0\"}"), "a control character"},
        {TEXT("{\"a\":\"x\ny\"}"), "line 1, column 8: a line break"},
        {TEXT("{\"a\":\"\t\"}"), "a tab"},
        {TEXT("\xef\xbb\xbf{}"), "byte order mark"},
        {TEXT("{\"a\":\"\xc0\x80\"}"), "not UTF-8 at byte 7"},
        {TEXT("{\"a\":\"\xed\xa0\x80\"}"), "not UTF-8"},
        {TEXT("{\"a\":\"\xf4\x90\x80\x80\"}"), "not UTF-8"},
        {TEXT("{\"a\":\"\xff\"}"), "not UTF-8"},
        {TEXT("{\"a\":\"\xc3"), "not UTF-8 at byte 7"},
        {TEXT("\xfe\xff\0{"), "not UTF-8 at byte 1"},
        {TEXT("{\"\xc3\xa9\":x}"), "line 1, column 6"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        char why[JSON_READER_WHY] = "";
        if (read_bytes(bad[i].body, why) != JSON_READ_INVALID || !strstr(why, bad[i].why)) {
            fail_msg("case %zu: %s", i, why);
        }
    }
}

/* The text says where, and repeats nothing of the body. */
static void why_says_where(void **state)
{
    char why[JSON_READER_WHY];
    (void)state;
    assert_int_equal(read_bytes(SLICE("{\n  \"secret\": secret\n}"), why), JSON_READ_INVALID);
    assert_non_null(strstr(why, "line 2"));
    assert_null(strstr(why, "secret"));
}

/* {"a":{"a":…}} with `depth` objects. */
static struct slice nested(char *out, size_t depth)
{
    size_t len = 0;
    for (size_t i = 1; i < depth; i++) {
        memcpy(out + len, "{\"a\":", 5);
        len += 5;
    }
    out[len++] = '{';
    memset(out + len, '}', depth);
    return (struct slice){out, len + depth};
}

static void depth_is_bounded(void **state)
{
    char text[4096];
    char why[JSON_READER_WHY];
    (void)state;
    assert_int_equal(read_bytes(nested(text, JSON_DEPTH), why), JSON_READ_OK);
    assert_int_equal(read_bytes(nested(text, JSON_DEPTH + 1), why), JSON_READ_INVALID);
    assert_non_null(strstr(why, "16"));
    assert_int_equal(read_bytes(nested(text, 600), why), JSON_READ_INVALID);
}

static void tokens_are_bounded(void **state)
{
    char text[2 * JSON_TOKENS + 16] = "{\"a\":[0";
    char why[JSON_READER_WHY];
    size_t len = strlen(text);
    (void)state;
    for (size_t i = 0; i < JSON_TOKENS - 2; i++) { /* two brackets count too */
        text[len++] = ',';
        text[len++] = '0';
    }
    memcpy(text + len, "]}", 2);
    assert_int_equal(read_bytes((struct slice){text, len + 2}, why), JSON_READ_OK);
    memcpy(text + len, ",0]}", 4);
    assert_int_equal(read_bytes((struct slice){text, len + 4}, why), JSON_READ_INVALID);
    assert_non_null(strstr(why, "4096"));
}

static void members_in_order(void **state)
{
    static const struct {
        const char *name;
        enum json_kind kind;
    } expected[] = {
        {"z", JSON_KIND_TEXT},   {"y", JSON_KIND_NULL},  {"x", JSON_KIND_BOOL},
        {"w", JSON_KIND_NUMBER}, {"v", JSON_KIND_ARRAY}, {"u", JSON_KIND_OBJECT},
    };
    struct json_reader reader;
    struct json_member member;
    char why[JSON_READER_WHY];
    size_t n = 0;
    (void)state;
    assert_int_equal(json_reader_init(&reader,
                                      SLICE("{\"z\":\"\\u00e9\",\"y\":null,\"x\":false,\"w\":1,"
                                            "\"v\":[1],\"u\":{}}"),
                                      JSON_TOKENS, why),
                     JSON_READ_OK);
    while (json_reader_next(&reader, &member)) {
        assert_true(n < COUNT(expected));
        assert_true(slice_eq(member.name, slice_of(expected[n].name)));
        assert_int_equal(member.kind, expected[n].kind);
        assert_true(n > 0 || slice_eq(member.text, SLICE("\xc3\xa9")));
        n++;
    }
    assert_int_equal(n, COUNT(expected));
    json_reader_finish(&reader);
}

/* JSON has one kind of number: what has nothing after the point is whole, however it is written. */
static void whole_numbers_are_whole_however_written(void **state)
{
    static const struct {
        const char *body;
        int64_t number; /* 0: no whole one */
    } rows[] = {
        {"{\"a\":7}", 7},
        {"{\"a\":7.0}", 7},
        {"{\"a\":70e-1}", 7},
        {"{\"a\":-7.0}", -7},
        {"{\"a\":9007199254740992.0}", 9007199254740992},
        {"{\"a\":9223372036854775807}", INT64_MAX},
        {"{\"a\":7.5}", 0},
        {"{\"a\":1e16}", 0},
        {"{\"a\":1e999}", 0},
        {"{\"a\":9223372036854775808}", 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json_reader reader;
        struct json_member member;
        char why[JSON_READER_WHY];
        int64_t number = 0;
        assert_int_equal(json_reader_init(&reader, slice_of(rows[i].body), JSON_TOKENS, why),
                         JSON_READ_OK);
        assert_true(json_reader_next(&reader, &member));
        assert_int_equal(json_member_i64(&member, &number), rows[i].number != 0);
        assert_int_equal(number, rows[i].number);
        json_reader_finish(&reader);
    }
}

/* What neither an integer nor a double holds is a number all the same, and no integer. */
static void huge_numbers_are_numbers(void **state)
{
    static const char *const bodies[] = {
        "{\"a\":1e999,\"b\":\"1e999\"}",
        "{\"a\":-1.5E+400,\"b\":\"1e999\"}",
        "{\"a\":9223372036854775808,\"b\":\"1e999\"}",
        "{\"a\":-9223372036854775809,\"b\":\"1e999\"}",
        "{\"a\": 100000000000000000000000000000000000000 ,\"b\":\"1e999\"}",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(bodies); i++) {
        struct json_reader reader;
        struct json_member member;
        char why[JSON_READER_WHY];
        assert_int_equal(json_reader_init(&reader, slice_of(bodies[i]), JSON_TOKENS, why),
                         JSON_READ_OK);
        assert_true(json_reader_next(&reader, &member));
        assert_int_equal(member.kind, JSON_KIND_NUMBER);
        assert_false(json_is_integer(member.value));
        assert_true(json_reader_next(&reader, &member));
        assert_true(slice_eq(member.text, SLICE("1e999")));
        json_reader_finish(&reader);
    }
}

static void digest_of(const char *body, uint8_t digest[static JSON_READER_DIGEST])
{
    struct json_reader reader;
    char why[JSON_READER_WHY];
    assert_int_equal(json_reader_init(&reader, slice_of(body), JSON_TOKENS, why), JSON_READ_OK);
    json_reader_digest(&reader, digest);
    json_reader_finish(&reader);
}

static void digests(void **state)
{
    static const struct {
        const char *one;
        const char *other;
        bool same;
    } cases[] = {
        {"{}", " { } ", true},
        {"{\"a\":1,\"b\":\"x\"}", "{ \"b\" : \"x\",\n\"a\":1 }", true},
        {"{\"a\":\"\xc3\xa9/\"}", "{\"\\u0061\":\"\\u00e9\\/\"}", true},
        {"{\"a\":{\"b\":1,\"c\":[1,{}]}}", "{\"a\":{\"c\":[1,{}],\"b\":1}}", true},
        {"{\"a\":1}", "{\"a\":1.0}", true},
        {"{\"a\":100}", "{\"a\":1e2}", true},
        {"{\"a\":0}", "{\"a\":-0.0}", true},
        {"{\"a\":1.5}", "{\"a\":15e-1}", true},
        {"{\"a\":1}", "{\"a\":2}", false},
        {"{\"a\":1}", "{\"a\":1.5}", false},
        {"{\"a\":1}", "{\"a\":\"1\"}", false},
        {"{\"a\":1}", "{\"b\":1}", false},
        {"{\"a\":1}", "{\"a\":1,\"b\":1}", false},
        {"{}", "{\"a\":null}", false},
        {"{\"a\":null}", "{\"a\":false}", false},
        {"{\"a\":true}", "{\"a\":false}", false},
        {"{\"a\":[]}", "{\"a\":{}}", false},
        {"{\"a\":[1,2]}", "{\"a\":[2,1]}", false},
        {"{\"a\":[[1],2]}", "{\"a\":[[1,2]]}", false},
        {"{\"a\":\"x\",\"b\":\"y\"}", "{\"a\":\"y\",\"b\":\"x\"}", false},
        {"{\"a\":{\"b\":1}}", "{\"b\":{\"a\":1}}", false},
        {"{\"a\":\"\xc3\xa9\"}", "{\"a\":\"e\xcc\x81\"}", false}, /* é and e with its accent */
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t one[JSON_READER_DIGEST];
        uint8_t other[JSON_READER_DIGEST];
        digest_of(cases[i].one, one);
        digest_of(cases[i].other, other);
        if ((memcmp(one, other, sizeof one) == 0) != cases[i].same) {
            fail_msg("%s and %s", cases[i].one, cases[i].other);
        }
    }
}

static void parts_in_order(void **state)
{
    static const char *const names[] = {"z", "a", "m"};
    struct json_reader reader;
    struct json_member whole;
    struct json_member part;
    char why[JSON_READER_WHY];
    (void)state;
    assert_int_equal(json_reader_init(&reader,
                                      SLICE("{\"a\":[\"x\",null,7],\"o\":{\"z\":\"x\",\"a\":null,"
                                            "\"m\":7},\"e\":[],\"f\":{}}"),
                                      JSON_TOKENS, why),
                     JSON_READ_OK);
    for (int times = 0; times < 2; times++) {
        struct json_parts parts = {0};
        assert_true(json_reader_next(&reader, &whole));
        assert_int_equal(json_member_parts(&whole), 3);
        for (size_t i = 0; json_member_next(&whole, &parts, &part); i++) {
            static const enum json_kind kinds[] = {JSON_KIND_TEXT, JSON_KIND_NULL,
                                                   JSON_KIND_NUMBER};
            assert_int_equal(parts.index, i + 1);
            assert_int_equal(part.kind, kinds[i]);
            assert_true(i != 0 || slice_eq(part.text, SLICE("x")));
            assert_true(times == 0 ? !part.name.ptr : slice_eq(part.name, slice_of(names[i])));
        }
        assert_int_equal(parts.index, 3);
    }
    for (int times = 0; times < 2; times++) {
        struct json_parts parts = {0};
        assert_true(json_reader_next(&reader, &whole));
        assert_false(json_member_next(&whole, &parts, &part));
    }
    json_reader_finish(&reader);
}

static void an_object_within_has_a_reader(void **state)
{
    struct json_reader reader;
    struct json_member member;
    char why[JSON_READER_WHY];
    (void)state;
    assert_int_equal(json_reader_init(&reader, SLICE("{\"o\":{\"a\":\"x\",\"b\":1},\"e\":{}}"),
                                      JSON_TOKENS, why),
                     JSON_READ_OK);
    assert_true(json_reader_next(&reader, &member));
    struct json_reader inner = json_member_reader(&member);
    assert_true(json_reader_next(&inner, &member));
    assert_true(slice_eq(member.name, SLICE("a")) && slice_eq(member.text, SLICE("x")));
    assert_true(json_reader_next(&inner, &member));
    assert_true(slice_eq(member.name, SLICE("b")) && member.kind == JSON_KIND_NUMBER);
    assert_false(json_reader_next(&inner, &member));
    assert_true(json_reader_next(&reader, &member));
    inner = json_member_reader(&member);
    assert_false(json_reader_next(&inner, &member));
    assert_false(json_reader_next(&reader, &member));
    json_reader_finish(&reader);
}

static void secrets_are_wiped(void **state)
{
    struct json_reader reader;
    struct json_member member;
    char why[JSON_READER_WHY];
    (void)state;
    assert_int_equal(json_reader_init(&reader, SLICE("{\"p\":\"hunter22\"}"), JSON_TOKENS, why),
                     JSON_READ_OK);
    assert_true(json_reader_next(&reader, &member));
    json_reader_wipe(&member);
    assert_memory_equal(member.text.ptr, "\0\0\0\0\0\0\0\0", 8);
    json_reader_finish(&reader);
}

/* ---- without memory ---- */

static long allocations_left; /* before they fail; below 0: the first one was let fail */
static bool fail_on;          /* and all after it */

static void *allocate_or_fail(size_t size)
{
    allocations_left--;
    const bool fails = allocations_left == -1 || (fail_on && allocations_left < -1);
    if (fails) {
        json_memory_miss();
    }
    return fails ? NULL : malloc(size);
}

/* Called invalid, a good request would be dropped by who sent it. */
static void a_lack_of_memory_is_told_as_such(void **state)
{
    static const char text[] =
        "{\"title\":\"a \\u00e9\",\"labels\":[\"b\",1,2.5,null],\"m\":{\"k\":true}}";
    char why[JSON_READER_WHY];
    (void)state;
    json_set_alloc_funcs(allocate_or_fail, free);
    for (int on = 0; on < 2; on++) {
        enum json_read result = JSON_READ_NO_MEMORY;
        long first = 0;
        fail_on = on == 1;
        for (; result == JSON_READ_NO_MEMORY && first < 1000; first++) {
            allocations_left = first;
            result = read_bytes(slice_of(text), why);
            assert_int_not_equal(result, JSON_READ_INVALID);
        }
        assert_int_equal(result, JSON_READ_OK);
        assert_true(first > 10); /* so many allocations there are */
    }
    json_set_alloc_funcs(malloc, free);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_bodies),
        cmocka_unit_test(bad_bodies),
        cmocka_unit_test(why_says_where),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(tokens_are_bounded),
        cmocka_unit_test(members_in_order),
        cmocka_unit_test(parts_in_order),
        cmocka_unit_test(an_object_within_has_a_reader),
        cmocka_unit_test(secrets_are_wiped),
        cmocka_unit_test(huge_numbers_are_numbers),
        cmocka_unit_test(whole_numbers_are_whole_however_written),
        cmocka_unit_test(digests),
        cmocka_unit_test(a_lack_of_memory_is_told_as_such),
    };
    return cmocka_run_group_tests_name("json_reader", tests, NULL, NULL);
}
