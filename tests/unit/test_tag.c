// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "api/precondition.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

static const struct uuid epoch = {{1, 2, 3}};
static const struct uuid user = {{9, 8, 7}};

static void tags_are_made_and_read(void **state)
{
    static const struct {
        enum tag_kind kind;
        int64_t version;
        const char *end;
    } cases[] = {
        {TAG_ITEM, 1, "-1\""},
        {TAG_ITEM, INT64_MAX, "-9223372036854775807\""},
        {TAG_LIST, 0, "-l0\""},
        {TAG_LIST, 42, "-l42\""},
        {TAG_USER, INT64_MAX, "-u9223372036854775807\""},
    };
    const struct tag_space space = tag_space_of(epoch, user);
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[TAG_MOST];
        struct slice tag = tag_make(space, cases[i].kind, cases[i].version, text);
        assert_int_equal(tag.len, 1 + TAG_SPACE_LEN + strlen(cases[i].end));
        assert_true(tag.ptr[0] == '"' && slice_ends(tag, slice_of(cases[i].end)));
        const struct slice opaque = {tag.ptr + 1, tag.len - 2};
        for (unsigned kind = TAG_ITEM; kind <= TAG_USER; kind++) {
            int64_t version = -1;
            assert_int_equal(tag_read(space, (enum tag_kind)kind, opaque, &version),
                             kind == cases[i].kind);
            assert_true(version == (kind == cases[i].kind ? cases[i].version : -1));
        }
    }
}

/* Nobody's tag is another's, nor one's own of another life of the database. */
static void spaces_differ(void **state)
{
    const struct tag_space own = tag_space_of(epoch, user);
    struct uuid other = user;
    char text[TAG_MOST];
    int64_t version = 0;
    (void)state;
    other.bytes[15] ^= 1;
    const struct tag_space others[] = {tag_space_of(epoch, other), tag_space_of(other, user)};
    const struct slice tag = tag_make(own, TAG_ITEM, 1, text);
    const struct tag_space again = tag_space_of(epoch, user);
    assert_memory_equal(own.text, again.text, TAG_SPACE_LEN);
    for (size_t i = 0; i < COUNT(others); i++) {
        assert_memory_not_equal(own.text, others[i].text, TAG_SPACE_LEN);
        assert_false(
            tag_read(others[i], TAG_ITEM, (struct slice){tag.ptr + 1, tag.len - 2}, &version));
    }
}

static void what_is_no_tag(void **state)
{
    static const char *const ends[] = {"",
                                       "-",
                                       "-01",
                                       "-+1",
                                       "- 1",
                                       "-1 ",
                                       "-x1",
                                       "-L1",
                                       "1",
                                       "_1",
                                       "--1",
                                       "-1.0",
                                       "-9223372036854775808"};
    const struct tag_space space = tag_space_of(epoch, user);
    int64_t version = 0;
    (void)state;
    for (size_t i = 0; i < COUNT(ends); i++) {
        char text[64];
        memcpy(text, space.text, TAG_SPACE_LEN);
        memcpy(text + TAG_SPACE_LEN, ends[i], strlen(ends[i]) + 1);
        if (tag_read(space, TAG_ITEM, slice_of(text), &version)) {
            fail_msg("read: %s", ends[i]);
        }
    }
    assert_false(tag_read(space, TAG_ITEM, SLICE("1"), &version));
    assert_false(tag_read(space, TAG_ITEM, SLICE(""), &version));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_are_made_and_read),
        cmocka_unit_test(spaces_differ),
        cmocka_unit_test(what_is_no_tag),
    };
    if (sodium_init() < 0) {
        return 1;
    }
    return cmocka_run_group_tests_name("tag", tests, NULL, NULL);
}
