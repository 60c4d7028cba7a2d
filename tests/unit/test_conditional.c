#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/conditional.h"

static bool parse(const char *field, struct http_condition *condition)
{
    struct http_request request = {0};

    request.fields[HTTP_FIELD_IF_MATCH].value = slice_of(field);
    return http_condition_parse(&request, HTTP_FIELD_IF_MATCH, condition);
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
    assert_false(http_condition_names(&condition, SLICE("\"1\""), true));
}

static void compares_tags(void **state)
{
    static const struct {
        const char *field;
        const char *tag;
        bool strong;
        bool weak;
    } cases[] = {
        {"*", "\"1\"", true, true},
        {"\"1\"", "\"1\"", true, true},
        {"W/\"1\"", "\"1\"", false, true},
        {"\"1\"", "W/\"1\"", false, true},
        {"W/\"1\"", "W/\"1\"", false, true},
        {"\"2\"", "\"1\"", false, false},
        {"\"11\"", "\"1\"", false, false},
        {"\"1\"", "\"11\"", false, false},
        {"\"2\", \"1\"", "\"1\"", true, true},
        {"\"2\", W/\"1\"", "\"1\"", false, true},
        {"W/\"1\", \"1\"", "\"1\"", true, true},
        {"\"a,\", \"b\"", "\"b\"", true, true},
        {"\"A\"", "\"a\"", false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_condition condition;
        assert_true(parse(cases[i].field, &condition));
        assert_int_equal(http_condition_names(&condition, slice_of(cases[i].tag), false),
                         cases[i].strong);
        assert_int_equal(http_condition_names(&condition, slice_of(cases[i].tag), true),
                         cases[i].weak);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_entity_tags),
        cmocka_unit_test(an_absent_field_is_no_condition),
        cmocka_unit_test(compares_tags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
