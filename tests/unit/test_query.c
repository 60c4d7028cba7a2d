// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "http/query.h"

static const char *const allowed[] = {"limit", "cursor", "status", "list[]", "naïve", NULL};

static struct arena *arena;
static struct http_query query;
static struct http_problem_errors errors;

static int create(void **state)
{
    (void)state;
    arena = arena_create(1 << 20);
    return arena ? 0 : -1;
}

static int destroy(void **state)
{
    (void)state;
    arena_destroy(&arena);
    return 0;
}

static bool parse(struct slice text)
{
    const struct http_request request = {.query = text};

    arena_reset(arena);
    errors = (struct http_problem_errors){0};
    return http_query_parse(&request, allowed, arena, &query, &errors);
}

static void decodes_values(void **state)
{
    static const struct {
        const char *text;
        const char *name;
        const char *value;
    } cases[] = {
        {"limit=10", "limit", "10"},
        {"cursor=a+b%2Bc%20d", "cursor", "a b+c d"},
        {"status=pending%2cin-progress", "status", "pending,in-progress"},
        {"li%6Dit=1", "limit", "1"},
        {"cursor==a=b", "cursor", "=a=b"},
        {"cursor=%C3%A4%e2%82%ac", "cursor", "\xc3\xa4\xe2\x82\xac"},
        {"na%C3%AFve=x", "naïve", "x"},
        {"&&limit=1&&cursor=2&", "cursor", "2"},
        {"cursor=%26%3D%25", "cursor", "&=%"},
        {"cursor=?/:@", "cursor", "?/:@"},
        /* A list in all the ways that clients write one. */
        {"list=a,b,c", "list", "a,b,c"},
        {"list=a&list=b&list=c", "list", "a,b,c"},
        {"list[]=a&list[]=b,c", "list", "a,b,c"},
        {"list%5B%5D=a&limit=1&list=b&cursor=2&list[]=c", "list", "a,b,c"},
        {"list[]=a%2Cb", "list", "a,b"},
        {"list=a", "list", "a"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(parse(slice_of(cases[i].text)));
        assert_int_equal(errors.count, 0);
        assert_true(
            slice_eq(http_query_get(&query, slice_of(cases[i].name)), slice_of(cases[i].value)));
        assert_null(http_query_get(&query, SLICE("absent")).ptr);
    }
}

static void takes_an_absent_query(void **state)
{
    (void)state;
    assert_true(parse((struct slice){0}));
    assert_int_equal(query.count, 0);
    assert_true(parse(SLICE("")));
    assert_int_equal(query.count, 0);
}

static void names_every_error(void **state)
{
    static const struct {
        const char *text;
        const char *errors; /* `parameter:code ` for each */
    } cases[] = {
        {"x=1", "x:unknown "},
        {"Limit=1", "Limit:unknown "},
        {"limi=1", "limi:unknown "},
        {"=1", ":unknown "},
        {"x", "x:unknown "},
        {"limit", "limit:empty "},
        {"limit=", "limit:empty "},
        {"limit=1&limit=1", "limit:repeated "},
        {"limit=1&limit=2&limit=3", "limit:repeated "},
        {"limit=&limit=", "limit:empty limit:repeated "},
        {"limit=1&l%69mit=2", "limit:repeated "},
        {"status[]=a", "status[]:unknown "},
        {"list[0]=a", "list[0]:unknown "},
        {"list[][]=a", "list[][]:unknown "},
        {"list=a&list=", "list:empty "},
        {"list[]=&list=%", "list:empty list:invalid "},
        {"limit=%", "limit:invalid "},
        {"limit=%4", "limit:invalid "},
        {"limit=%4g", "limit:invalid "},
        {"limit=%g4", "limit:invalid "},
        {"limit=%00", "limit:invalid "},
        {"limit=%ff", "limit:invalid "},
        {"limit=%C3", "limit:invalid "},
        {"limit=%ED%A0%80", "limit:invalid "},
        {"limit=\xff", "limit:invalid "},
        {"%ff=1", "%ff:invalid "},
        {"%zz", "%zz:invalid "},
        {"\xff%=1", "?%:invalid "},
        {"x=1&limit=&cursor=a&status=%&x=2&y", "x:unknown limit:empty status:invalid y:unknown "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char found[256] = "";
        size_t len = 0;
        assert_false(parse(slice_of(cases[i].text)));
        for (unsigned e = 0; e < errors.count; e++) {
            const struct slice name = errors.list[e].parameter;
            len += (size_t)snprintf(found + len, sizeof found - len, "%.*s:%s ", (int)name.len,
                                    name.ptr, errors.list[e].code);
            assert_true(utf8_valid(slice_of(errors.list[e].detail)));
            assert_true(utf8_valid(name));
        }
        assert_string_equal(found, cases[i].errors);
    }
}

static void details_name_the_parameter(void **state)
{
    (void)state;
    assert_false(parse(SLICE("colour=red")));
    assert_string_equal(errors.list[0].detail, "This call has no query parameter `colour`. It has "
                                               "limit, cursor, status, list, na\xc3\xafve.");
    assert_false(parse(SLICE("limit=1&limit=2")));
    assert_string_equal(errors.list[0].detail,
                        "The query parameter `limit` may be given only once.");
}

/* A long name is cut in the detail between two code points. */
static void details_stay_short(void **state)
{
    char text[3 * 500];

    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        memset(text, 'x', sizeof text);
        for (size_t at = shift; at + 3 <= sizeof text; at += 3) {
            memcpy(text + at, "\xe2\x82\xac", 3);
        }
        assert_false(parse((struct slice){text, sizeof text}));
        assert_int_equal(errors.count, 1);
        assert_true(strlen(errors.list[0].detail) < 150);
        assert_true(utf8_valid(slice_of(errors.list[0].detail)));
    }
}

static void counts_the_errors_it_cannot_list(void **state)
{
    char text[40 * 8];
    size_t len = 0;

    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, "x%u=1&", i);
    }
    assert_false(parse((struct slice){text, len}));
    assert_int_equal(errors.count, HTTP_PROBLEM_ERRORS);
    assert_true(errors.overflow);
}

static void allows_nothing_without_names(void **state)
{
    const struct http_request request = {.query = SLICE("a=1")};

    (void)state;
    errors = (struct http_problem_errors){0};
    assert_false(http_query_parse(&request, NULL, arena, &query, &errors));
    assert_string_equal(errors.list[0].code, "unknown");
}

static void refuses_too_many(void **state)
{
    enum { SENT = HTTP_QUERY_PARAMETERS + 1 };
    static char texts[SENT][4];
    static const char *names[SENT + 1];
    char text[SENT * 8];
    size_t len = 0;

    (void)state;
    for (unsigned i = 0; i < SENT; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "p%02u", i);
        names[i] = texts[i];
        len += (size_t)snprintf(text + len, sizeof text - len, "p%02u=1&", i);
    }
    const struct http_request request = {.query = {text, len}};
    errors = (struct http_problem_errors){0};
    assert_false(http_query_parse(&request, names, arena, &query, &errors));
    assert_int_equal(query.count, HTTP_QUERY_PARAMETERS);
    assert_int_equal(errors.count, 1);
    assert_true(slice_eq(errors.list[0].parameter, slice_of(names[SENT - 1])));
}

/* In a list of values that may have commas only a raw one stands between two. */
static void values_with_commas(void **state)
{
    static const char *const names[] = {"l[,]", "s[]", NULL};
    static const struct {
        const char *sent;
        struct slice value;
        const char *again;
    } cases[] = {
        {"l=a,b", SLICE("a\0b"), "a,b"},
        {"l=a%2Cb", SLICE("a,b"), "a%2Cb"},
        {"l=a&l[]=b%2Cc&l%5B%5D=d", SLICE("a\0b,c\0d"), "a,b%2Cc,d"},
        {"s=a,b&s=c%2Cd&l=%22", SLICE("\""), "%22"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct http_request request = {.query = slice_of(cases[i].sent)};
        struct buffer out;
        errors = (struct http_problem_errors){0};
        assert_true(http_query_parse(&request, names, arena, &query, &errors));
        assert_true(slice_eq(http_query_get(&query, SLICE("l")), cases[i].value));
        buffer_init(&out, 100);
        http_query_escape(cases[i].value, true, &out);
        assert_true(slice_eq(buffer_slice(&out), slice_of(cases[i].again)));
        buffer_finish(&out);
    }
    assert_true(slice_eq(http_query_get(&query, SLICE("s")), SLICE("a,b,c,d")));
    const struct http_request broken = {.query = SLICE("l=a%00b")};
    assert_false(http_query_parse(&broken, names, arena, &query, &errors));
}

static void fails_without_memory(void **state)
{
    struct arena *small = arena_create(16);
    const struct http_request request = {.query = SLICE("limit=1")};

    (void)state;
    errors = (struct http_problem_errors){0};
    assert_false(http_query_parse(&request, allowed, small, &query, &errors));
    assert_int_equal(errors.count, 0);
    arena_destroy(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_values),
        cmocka_unit_test(takes_an_absent_query),
        cmocka_unit_test(names_every_error),
        cmocka_unit_test(details_name_the_parameter),
        cmocka_unit_test(details_stay_short),
        cmocka_unit_test(counts_the_errors_it_cannot_list),
        cmocka_unit_test(allows_nothing_without_names),
        cmocka_unit_test(refuses_too_many),
        cmocka_unit_test(values_with_commas),
        cmocka_unit_test(fails_without_memory),
    };
    return cmocka_run_group_tests(tests, create, destroy);
}
