#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/precondition.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

static void lists(void **state)
{
    static const struct {
        const char *list;
        unsigned count;
        int64_t revisions[3];
    } cases[] = {
        {"\"42\"", 1, {42}},
        {"\"1\", \"2\",\"3\"", 3, {1, 2, 3}},
        {", \"1\" ,, \"2\" ,", 2, {1, 2}},
        {"\"9223372036854775807\"", 1, {INT64_MAX}},
        {"\"9223372036854775808\"", 0, {0}}, /* no revision of ours */
        {"\"0\"", 0, {0}},
        {"\"042\"", 0, {0}},
        {"\"\"", 0, {0}},
        {"\"4 2\"", 0, {0}},
        {"\"+1\"", 0, {0}},
        {"W/\"42\"", 0, {0}}, /* weak tags never match a write */
        {"W/\"1\", \"2\"", 1, {2}},
        {"\"a,b\", \"7\"", 1, {7}},
        {"\"l-1-abc\"", 0, {0}},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct store_precondition precondition = {0};
        assert_true(precondition_add_list(slice_of(cases[i].list), &precondition));
        assert_int_equal(precondition.count, cases[i].count);
        for (unsigned n = 0; n < cases[i].count; n++) {
            assert_int_equal(precondition.revisions[n], cases[i].revisions[n]);
        }
    }
}

static void lists_are_bounded(void **state)
{
    struct buffer list;
    struct store_precondition precondition = {0};
    (void)state;
    buffer_init(&list, 1024);
    for (unsigned i = 0; i < STORE_REVISIONS_MOST; i++) {
        buffer_add_format(&list, "%s\"%u\"", i ? ", " : "", i + 1);
    }
    assert_true(precondition_add_list(buffer_slice(&list), &precondition));
    assert_int_equal(precondition.count, STORE_REVISIONS_MOST);
    buffer_add_text(&list, ", \"99\"");
    precondition = (struct store_precondition){0};
    assert_false(precondition_add_list(buffer_slice(&list), &precondition));
    buffer_finish(&list);
}

static void fields(void **state)
{
    static const struct {
        const char *if_match;
        const char *if_none_match;
        bool may_create;
        struct store_precondition expected;
    } cases[] = {
        {NULL, NULL, true, {0}},
        {"*", NULL, false, {.present = true, .any = true}},
        {"\"5\"", NULL, false, {.present = true, .count = 1}},
        {"W/\"5\"", NULL, false, {.present = true}}, /* there, and names nothing: 412 */
        {NULL, "*", true, {.must_not_exist = true}},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct http_exchange x = {0};
        struct store_precondition got = {0};
        x.request.fields[HTTP_FIELD_IF_MATCH].value = slice_of(cases[i].if_match);
        x.request.fields[HTTP_FIELD_IF_NONE_MATCH].value = slice_of(cases[i].if_none_match);
        assert_true(precondition_read(&x, cases[i].may_create, &got));
        assert_int_equal(got.present, cases[i].expected.present);
        assert_int_equal(got.any, cases[i].expected.any);
        assert_int_equal(got.count, cases[i].expected.count);
        assert_int_equal(got.must_not_exist, cases[i].expected.must_not_exist);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists),
        cmocka_unit_test(lists_are_bounded),
        cmocka_unit_test(fields),
    };
    return cmocka_run_group_tests_name("precondition", tests, NULL, NULL);
}
