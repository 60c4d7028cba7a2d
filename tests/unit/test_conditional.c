// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "http/fields.h"

static bool parse(const char *field, struct http_condition *condition)
{
    struct http_request request = {0};
    struct http_conditions conditions;

    request.fields[HTTP_FIELD_IF_MATCH].value = slice_of(field);
    const char *wrong = http_conditions_parse(&request, &conditions);
    assert_true(!wrong || strcmp(wrong, "If-Match") == 0);
    *condition = conditions.match;
    return !wrong;
}

static void parses_entity_tags(void **state)
{
    static const struct {
        const char *field;
        bool good;
        bool any;
    } cases[] = {
        {"*", true, true},
        {"\"1\"", true, false},
        {"\"\"", true, false},
        {"W/\"1\"", true, false},
        {"\"1\",\"2\"", true, false},
        {"\"1\" \t,\t W/\"2\"", true, false},
        {",, \"1\" ,, \"2\" ,", true, false},
        {"\"a,b\"", true, false},
        {"\"!#[]\\~\x80\xff\"", true, false},
        {"", false, false},
        {",", false, false},
        {"1", false, false},
        {"\"", false, false},
        {"\"1", false, false},
        {"1\"", false, false},
        {"\"1\"-gzip", true, false},
        {"\"1\"-gzip, \"2\";gzip", true, false},
        {"\"1\"-lzma", false, false},
        {"\"1\"2", false, false},
        {"\"1\" \"2\"", false, false},
        {"\"1\";\"2\"", false, false},
        {"w/\"1\"", false, false},
        {"W/1", false, false},
        {"W/ \"1\"", false, false},
        {"W/", false, false},
        {"\"a b\"", false, false},
        {"\"a\tb\"", false, false},
        {"\"\x7f\"", false, false},
        {"*, \"1\"", false, false},
        {"\"1\", *", false, false},
        {"**", false, false},
        {"'1'", false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_condition condition;
        assert_int_equal(parse(cases[i].field, &condition), cases[i].good);
        assert_true(condition.present);
        if (cases[i].good) {
            assert_int_equal(condition.any, cases[i].any);
        }
    }
}

static void an_absent_field_is_no_condition(void **state)
{
    struct http_condition condition;

    (void)state;
    assert_true(parse(NULL, &condition));
    assert_false(condition.present);
    assert_false(http_condition_names(&condition, SLICE("\"1\"")));
}

static void compares_tags(void **state)
{
    static const struct {
        const char *field;
        const char *tag;
        bool same;
    } cases[] = {
        {"*", "\"1\"", true},
        {"\"1\"", "\"1\"", true},
        {"\"2\"", "\"1\"", false},
        {"\"11\"", "\"1\"", false},
        {"\"1\"", "\"11\"", false},
        {"\"2\", \"1\"", "\"1\"", true},
        {"\"a,\", \"b\"", "\"b\"", true},
        {"\"A\"", "\"a\"", false},
        /* nginx, HAProxy, Varnish, Tomcat */
        {"W/\"1\"", "\"1\"", true},
        {"\"2\", W/\"1\"", "\"1\"", true},
        {"W/\"2\"", "\"1\"", false},
        /* Apache, Caddy, lighttpd */
        {"\"1-gzip\"", "\"1\"", true},
        {"\"1-br\"", "\"1\"", true},
        {"\"1-zstd\"", "\"1\"", true},
        {"\"1-deflate\"", "\"1\"", true},
        {"W/\"1-gzip\"", "\"1\"", true},
        {"\"2-gzip\"", "\"1\"", false},
        /* Jetty */
        {"\"1--gzip\"", "\"1\"", true},
        {"\"1;gzip\"", "\"1\"", true},
        /* Apache of old */
        {"\"1\"-gzip", "\"1\"", true},
        {"\"2\"-gzip, \"1\"-gzip", "\"1\"", true},
        /* not what a proxy adds */
        {"\"1gzip\"", "\"1\"", false},
        {"\"1-GZIP\"", "\"1\"", false},
        {"\"1-gzip2\"", "\"1\"", false},
        {"\"-gzip\"", "\"1\"", false},
        {"\"gzip\"", "\"gzip\"", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_condition condition;
        assert_true(parse(cases[i].field, &condition));
        if (http_condition_names(&condition, slice_of(cases[i].tag)) != cases[i].same) {
            fail_msg("%s", cases[i].field);
        }
    }
}

/* RFC 9110 section 13.2.2. */
static void judges_reads(void **state)
{
    static const struct {
        const char *match;
        const char *none_match;
        enum http_conditions_verdict verdict;
    } cases[] = {
        {NULL, NULL, HTTP_CONDITIONS_GO},
        {"\"1\"", NULL, HTTP_CONDITIONS_GO},
        {"*", NULL, HTTP_CONDITIONS_GO},
        {"\"2\"", NULL, HTTP_CONDITIONS_FAILED},
        {NULL, "\"1\"", HTTP_CONDITIONS_NOT_MODIFIED},
        {NULL, "*", HTTP_CONDITIONS_NOT_MODIFIED},
        {NULL, "\"2\"", HTTP_CONDITIONS_GO},
        {"\"2\"", "\"1\"", HTTP_CONDITIONS_FAILED},
        {"\"1\"", "\"1\"", HTTP_CONDITIONS_NOT_MODIFIED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_request request = {0};
        struct http_conditions conditions;
        request.fields[HTTP_FIELD_IF_MATCH].value = slice_of(cases[i].match);
        request.fields[HTTP_FIELD_IF_NONE_MATCH].value = slice_of(cases[i].none_match);
        assert_null(http_conditions_parse(&request, &conditions));
        assert_int_equal(http_conditions_judge(&conditions, SLICE("\"1\"")), cases[i].verdict);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_entity_tags),
        cmocka_unit_test(an_absent_field_is_no_condition),
        cmocka_unit_test(compares_tags),
        cmocka_unit_test(judges_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
