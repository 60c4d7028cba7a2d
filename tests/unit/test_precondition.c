// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>

#include "api/precondition.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

static struct tag_space own;
static struct tag_space other;

/* Puts them in the place of @ and #. */
static struct slice list_of(const char *pattern, char *text)
{
    char *to = text;
    for (const char *from = pattern; *from; from++) {
        if (*from == '@' || *from == '#') {
            memcpy(to, *from == '@' ? own.text : other.text, TAG_SPACE_LEN);
            to += TAG_SPACE_LEN;
        } else {
            *to++ = *from;
        }
    }
    return (struct slice){text, (size_t)(to - text)};
}

static void lists(void **state)
{
    /* @ is our space, # another one. */
    static const struct {
        const char *list;
        unsigned count;
        int64_t versions[3];
    } cases[] = {
        {"\"@-42\"", 1, {42}},
        {"\"@-1\", \"@-2\",\"@-3\"", 3, {1, 2, 3}},
        {", \"@-1\" ,, \"@-2\" ,", 2, {1, 2}},
        {"\"@-9223372036854775807\"", 1, {INT64_MAX}},
        {"\"@-9223372036854775808\"", 0, {0}}, /* no revision of ours */
        {"\"@-042\"", 0, {0}},
        {"\"42\"", 0, {0}}, /* a tag without a space is nobody's */
        {"\"#-42\"", 0, {0}},
        {"\"#-1\", \"@-2\"", 1, {2}},
        {"\"\"", 0, {0}},
        {"\"@-+1\"", 0, {0}},
        {"W/\"@-42\"", 1, {42}},
        {"\"@-42-gzip\", \"@-43\"-gzip", 2, {42, 43}},
        {"\"a,b\", \"@-7\"", 1, {7}},
        {"\"@-l7\"", 0, {0}},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct store_versions versions = {0};
        char text[128];
        assert_true(precondition_add_list(list_of(cases[i].list, text), own, TAG_ITEM, &versions));
        if (versions.count != cases[i].count) {
            fail_msg("%s: %u", cases[i].list, versions.count);
        }
        for (unsigned n = 0; n < cases[i].count; n++) {
            assert_true(versions.list[n] == cases[i].versions[n]);
        }
    }
}

static void lists_are_bounded(void **state)
{
    struct {
        unsigned own, others; /* tags */
        bool good;
    } cases[] = {{STORE_VERSIONS_MOST, 0, true},
                 {STORE_VERSIONS_MOST, 4, true}, /* those of others do not count */
                 {STORE_VERSIONS_MOST + 1, 0, false}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct store_versions versions = {0};
        struct buffer pattern;
        char text[1024];
        buffer_init(&pattern, sizeof text);
        for (unsigned n = 0; n < cases[i].own + cases[i].others; n++) {
            buffer_add_text(&pattern, n < cases[i].others ? "\"#-1\"," : "\"@-1\",");
        }
        buffer_add_char(&pattern, '\0');
        assert_int_equal(
            precondition_add_list(list_of(pattern.data, text), own, TAG_ITEM, &versions),
            cases[i].good);
        assert_int_equal(versions.count, STORE_VERSIONS_MOST);
        buffer_finish(&pattern);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists),
        cmocka_unit_test(lists_are_bounded),
    };
    if (sodium_init() < 0) {
        return 1;
    }
    own = tag_space_of((struct uuid){{1}}, (struct uuid){{2}});
    other = tag_space_of((struct uuid){{1}}, (struct uuid){{3}});
    return cmocka_run_group_tests_name("precondition", tests, NULL, NULL);
}
