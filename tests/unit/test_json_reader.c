#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json_reader.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

static enum json_read read_bytes(struct slice text, char *why)
{
    struct json_reader reader;
    enum json_read result = json_reader_init(&reader, text, why);
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
        "{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"{{{\"}",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        char why[JSON_READER_WHY];
        assert_int_equal(read_bytes(slice_of(good[i]), why), JSON_READ_OK);
    }
}

static void bad_bodies(void **state)
{
    static const struct {
        struct slice body;
        const char *why; /* a part of it */
    } bad[] = {
        {{"", 0}, "empty"},
        {{"   ", 3}, "not valid JSON"},
        {{"[]", 2}, "array"},
        {{"null", 4}, "not valid JSON"},
        {{"1", 1}, "not valid JSON"},
        {{"\"a\"", 3}, "not valid JSON"},
        {{"{", 1}, "not closed"},
        {{"{\"a\"", 4}, "not closed"},
        {{"{\"a\":\"b", 7}, "not closed"},
        {{"{}x", 3}, "behind the object"},
        {{"{}{}", 4}, "behind the object"},
        {{"{}\0", 3}, "behind the object"},
        {{"{\"a\":1,}", 8}, "unexpected"},
        {{"{'a':1}", 7}, "unexpected"},
        {{"{a:1}", 5}, "unexpected"},
        {{"{\"a\":01}", 8}, "unexpected"},
        {{"{\"a\":NaN}", 9}, "unexpected"},
        {{"{\"a\":Infinity}", 14}, "unexpected"},
        {{"{\"a\":1}//x", 10}, "behind the object"},
        {{"{\"a\":1,\"a\":2}", 13}, "stands twice"},
        {{"{\"a\":1,\"\\u0061\":2}", 18}, "stands twice"},
        {{"{\"x\":{\"a\":1,\"a\":2}}", 19}, "stands twice"},
        {{"{\"a\":\"\\u0000\"}", 14}, "\\u0000"},
        {{"{\"\\u0000\":1}", 12}, "\\u0000"},
        {{"{\"a\":\"\\ud800\"}", 14}, "unexpected"},
        {{"{\"a\":\"\\udc00\"}", 14}, "unexpected"},
        {{"{\"a\":\"\\ud800\\u0041\"}", 20}, "unexpected"},
        {{"{\"a\":\"\\x41\"}", 12}, "unexpected"},
        {{"{\"a\":\"\x01\"}", 9}, "unexpected"},
        {{"{\"a\":\"\0\"}", 9}, "unexpected"},
        {{"\xef\xbb\xbf{}", 5}, "unexpected"},
        {{"{\"a\":\"\xc0\x80\"}", 10}, "not UTF-8"},
        {{"{\"a\":\"\xed\xa0\x80\"}", 11}, "not UTF-8"},
        {{"{\"a\":\"\xf4\x90\x80\x80\"}", 12}, "not UTF-8"},
        {{"{\"a\":\"\xff\"}", 9}, "not UTF-8"},
        {{"{\"a\":1e999}", 11}, "too large"},
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
    assert_int_equal(read_bytes(nested(text, JSON_READER_DEPTH), why), JSON_READ_OK);
    assert_int_equal(read_bytes(nested(text, JSON_READER_DEPTH + 1), why), JSON_READ_INVALID);
    assert_non_null(strstr(why, "16"));
    assert_int_equal(read_bytes(nested(text, 600), why), JSON_READ_INVALID);
}

static void tokens_are_bounded(void **state)
{
    char text[2 * JSON_READER_TOKENS + 16] = "{\"a\":[0";
    char why[JSON_READER_WHY];
    size_t len = strlen(text);
    (void)state;
    for (size_t i = 0; i < JSON_READER_TOKENS - 2; i++) { /* two brackets count too */
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
                                      why),
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

static void secrets_are_wiped(void **state)
{
    struct json_reader reader;
    struct json_member member;
    char why[JSON_READER_WHY];
    (void)state;
    assert_int_equal(json_reader_init(&reader, SLICE("{\"p\":\"hunter22\"}"), why), JSON_READ_OK);
    assert_true(json_reader_next(&reader, &member));
    json_reader_wipe(&member);
    assert_memory_equal(member.text.ptr, "\0\0\0\0\0\0\0\0", 8);
    json_reader_finish(&reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_bodies),        cmocka_unit_test(bad_bodies),
        cmocka_unit_test(why_says_where),     cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(tokens_are_bounded), cmocka_unit_test(members_in_order),
        cmocka_unit_test(secrets_are_wiped),
    };
    return cmocka_run_group_tests_name("json_reader", tests, NULL, NULL);
}
