// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/router.h"

#define BIT(method) (1U << HTTP_##method)
#define ROUTE(method_, path_)                                                                      \
    {                                                                                              \
        .method = HTTP_##method_, .path = (path_), .operation_id = #method_ " " path_              \
    }

static const struct http_route routes[] = {
    ROUTE(GET, "/"),
    ROUTE(GET, "/livez"),
    ROUTE(GET, "/v1/tasks"),
    ROUTE(POST, "/v1/tasks"),
    ROUTE(GET, "/v1/tasks/{key}"),
    ROUTE(PUT, "/v1/tasks/{key}"),
    ROUTE(PATCH, "/v1/tasks/{key}"),
    ROUTE(DELETE, "/v1/tasks/{key}"),
    ROUTE(DELETE, "/v1/tasks/{key}/labels/{name}"),
    ROUTE(GET, "/v1/things/{id}"),
    ROUTE(POST, "/v1/tasks/batch"),
    ROUTE(GET, "/v1/tasks/batch/log"),
    ROUTE(GET, "/v1/me"),
};

static struct http_router *router;

static int create(void **state)
{
    (void)state;
    router = http_router_create(routes, sizeof routes / sizeof *routes);
    return router ? 0 : -1;
}

static int destroy(void **state)
{
    (void)state;
    http_router_destroy(&router);
    http_router_destroy(&router);
    return router ? -1 : 0;
}

static void finds_rows(void **state)
{
    static const struct {
        enum http_method method;
        const char *path;
        const char *operation_id; /* NULL: none */
        unsigned allow;
        const char *parameters[HTTP_PATH_PARAMETERS];
    } cases[] = {
        {HTTP_GET, "/", "GET /", BIT(GET) | BIT(HEAD) | BIT(OPTIONS), {0}},
        {HTTP_HEAD, "/livez", "GET /livez", BIT(GET) | BIT(HEAD) | BIT(OPTIONS), {0}},
        {HTTP_POST, "/livez", NULL, BIT(GET) | BIT(HEAD) | BIT(OPTIONS), {0}},
        {HTTP_OPTIONS, "/livez", NULL, BIT(GET) | BIT(HEAD) | BIT(OPTIONS), {0}},
        {HTTP_POST,
         "/v1/tasks",
         "POST /v1/tasks",
         BIT(GET) | BIT(HEAD) | BIT(POST) | BIT(OPTIONS),
         {0}},
        {HTTP_PATCH,
         "/v1/tasks/7",
         "PATCH /v1/tasks/{key}",
         BIT(GET) | BIT(HEAD) | BIT(PUT) | BIT(PATCH) | BIT(DELETE) | BIT(OPTIONS),
         {"7"}},
        {HTTP_DELETE,
         "/v1/tasks/7/labels/a b",
         "DELETE /v1/tasks/{key}/labels/{name}",
         BIT(DELETE) | BIT(OPTIONS),
         {"7", "a b"}},
        {HTTP_HEAD, "/v1/tasks/7/labels/x", NULL, BIT(DELETE) | BIT(OPTIONS), {"7", "x"}},
        /* A literal wins over a parameter; where it leads nowhere, the parameter is tried. */
        {HTTP_POST, "/v1/tasks/batch", "POST /v1/tasks/batch", BIT(POST) | BIT(OPTIONS), {0}},
        {HTTP_GET,
         "/v1/tasks/batch/log",
         "GET /v1/tasks/batch/log",
         BIT(GET) | BIT(HEAD) | BIT(OPTIONS),
         {0}},
        {HTTP_DELETE,
         "/v1/tasks/batch/labels/x",
         "DELETE /v1/tasks/{key}/labels/{name}",
         BIT(DELETE) | BIT(OPTIONS),
         {"batch", "x"}},
        {HTTP_DELETE,
         "/v1/tasks/batch/labels/a\001b\002",
         "DELETE /v1/tasks/{key}/labels/{name}",
         BIT(DELETE) | BIT(OPTIONS),
         {"batch", "a\001b\002"}},
        {HTTP_GET,
         "/v1/things/01a20472-533f-74f7-8a77-8e2ec4b5150b",
         "GET /v1/things/{id}",
         BIT(GET) | BIT(HEAD) | BIT(OPTIONS),
         {"01a20472-533f-74f7-8a77-8e2ec4b5150b"}},
        {HTTP_GET,
         "/v1/things/01A20472-533F-74F7-8A77-8E2EC4B5150b",
         "GET /v1/things/{id}",
         BIT(GET) | BIT(HEAD) | BIT(OPTIONS),
         {"01A20472-533F-74F7-8A77-8E2EC4B5150b"}},
        {HTTP_GET,
         "/v1/tasks/{key}",
         "GET /v1/tasks/{key}",
         BIT(GET) | BIT(HEAD) | BIT(PUT) | BIT(PATCH) | BIT(DELETE) | BIT(OPTIONS),
         {"{key}"}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct http_match match =
            http_router_find(router, cases[i].method, slice_of(cases[i].path));
        if (cases[i].operation_id) {
            assert_non_null(match.route);
            assert_string_equal(match.route->operation_id, cases[i].operation_id);
        } else {
            assert_null(match.route);
        }
        assert_int_equal(match.allow, cases[i].allow);
        for (size_t p = 0; p < HTTP_PATH_PARAMETERS; p++) {
            assert_true(slice_eq(match.parameters[p], slice_of(cases[i].parameters[p])));
        }
    }
}

static void knows_what_is_not_there(void **state)
{
    static const char *const cases[] = {
        "",
        "*",
        "livez",
        "//",
        "/v1/things/7",
        "/livez/",
        "//livez",
        "/LIVEZ",
        "/livezz",
        "/live",
        "/v1",
        "/v1/",
        "/v1/tasks/",
        "/v1//tasks",
        "/v1/tasks//",
        "/v1/tasks/7/",
        "/v1/tasks/7/labels",
        "/v1/tasks/7/labels/",
        "/v1/tasks//labels/x",
        "/v1/tasks/7/labels/x/y",
        "/v1/me/..",
        "/v2/tasks",
        "/v1/tasks/batch/",
        "/v1/tasks/a\001b",
        "/v1/tasks\001batch",
        "\001livez",
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct http_match match = http_router_find(router, HTTP_GET, slice_of(cases[i]));
        assert_null(match.route);
        assert_int_equal(match.allow, 0);
        assert_null(match.parameters[0].ptr);
    }
    assert_int_equal(http_router_find(router, HTTP_GET, (struct slice){0}).allow, 0);
    assert_int_equal(http_router_find(router, HTTP_GET, SLICE("/livez\0")).allow, 0);
}

static void knows_what_is_no_id(void **state)
{
    static const struct {
        const char *path;
        bool malformed_id;
    } cases[] = {
        {"/v1/things/7", true},
        {"/v1/things/.", true},
        {"/v1/things/7/x", false},
        {"/v1/things/", false},
        {"/v1/things", false},
        {"/v1/tasks/7/labels", false},
        {"/v1/things/01a20472533f74f78a778e2ec4b5150b", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct http_match match = http_router_find(router, HTTP_GET, slice_of(cases[i].path));
        assert_int_equal(match.allow, 0);
        assert_int_equal(match.malformed_id, cases[i].malformed_id);
    }
}

static void writes_the_allow_field(void **state)
{
    static const struct {
        unsigned allow;
        const char *text;
    } cases[] = {
        {0, ""},
        {BIT(OPTIONS), "OPTIONS"},
        {BIT(GET) | BIT(HEAD) | BIT(OPTIONS), "GET, HEAD, OPTIONS"},
        {BIT(DELETE) | BIT(POST) | BIT(PUT) | BIT(PATCH), "POST, PUT, PATCH, DELETE"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer out;
        buffer_init(&out, 100);
        http_methods_add(&out, cases[i].allow);
        assert_true(slice_eq(buffer_slice(&out), slice_of(cases[i].text)));
        buffer_finish(&out);
    }
}

static void works_without_routes(void **state)
{
    struct http_router *none = http_router_create(NULL, 0);

    (void)state;
    assert_non_null(none);
    assert_int_equal(http_router_find(none, HTTP_GET, SLICE("/")).allow, 0);
    http_router_destroy(&none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_rows),           cmocka_unit_test(knows_what_is_not_there),
        cmocka_unit_test(knows_what_is_no_id),  cmocka_unit_test(writes_the_allow_field),
        cmocka_unit_test(works_without_routes),
    };
    return cmocka_run_group_tests(tests, create, destroy);
}
