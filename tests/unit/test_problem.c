// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/problem.h"

/* What stands for the server: it keeps what it is given. */
static struct buffer head;
static struct buffer body;
static int sent_status;
static const char *sent_type;
static unsigned sent;

void http_respond_field(struct http_exchange *x, const char *name, struct slice value)
{
    buffer_add_text(x->response.head, name);
    buffer_add_text(x->response.head, ": ");
    buffer_add(x->response.head, value);
    buffer_add_text(x->response.head, "\r\n");
}

void http_respond_body(struct http_exchange *x, int status, const char *content_type)
{
    assert_ptr_equal(x->response.body, &body);
    sent_status = status;
    sent_type = content_type;
    sent++;
}

struct slice http_reference(const struct http_exchange *x, struct slice path)
{
    assert_non_null(x->arena);
    return path;
}

/* An exchange for `path`, with a head that was begun. */
static struct http_exchange begin(struct slice path, const char *head_before)
{
    buffer_init(&head, 10000);
    buffer_init(&body, 10000);
    buffer_add_text(&head, head_before);
    buffer_add_text(&body, "left by a handler");
    sent = 0;
    return (struct http_exchange){
        .request = {.path = path, .id = SLICE("req-1")},
        .response = {.head = &head, .body = &body},
        .arena = arena_create(10000),
    };
}

static void end(struct http_exchange *x)
{
    assert_int_equal(sent, 1);
    assert_string_equal(sent_type, "application/problem+json");
    arena_destroy(&x->arena);
    buffer_finish(&head);
    buffer_finish(&body);
}

static void assert_body(const char *expected)
{
    assert_false(body.failed);
    buffer_add_char(&body, '\0');
    assert_string_equal(body.data, expected);
}

static void assert_head(const char *expected)
{
    buffer_add_char(&head, '\0');
    assert_string_equal(head.data, expected);
}

static void writes_the_document(void **state)
{
    struct http_exchange x = begin(SLICE("/v1/tasks/7"), "");

    (void)state;
    http_respond_problem(&x, ERROR_NOT_FOUND, NULL, NULL);
    assert_int_equal(sent_status, 404);
    assert_int_equal(x.error, ERROR_NOT_FOUND);
    assert_head("Cache-Control: no-store\r\n");
    assert_body("{\"type\":\"/problems/not_found\",\"title\":\"Not found\",\"status\":404,"
                "\"detail\":\"There is nothing here that you may see. Check the path; GET "
                "/openapi.json lists all there are. What belongs to another account looks the same "
                "as what is not there.\","
                "\"instance\":\"/v1/tasks/7\",\"code\":\"not_found\",\"request_id\":\"req-1\"}");
    end(&x);
}

static void lists_errors(void **state)
{
    struct http_exchange x = begin(SLICE("/"), "");
    struct http_problem_errors errors = {0};

    (void)state;
    http_problem_errors_add(&errors, (struct http_problem_error){.pointer = SLICE("/ti\"tle"),
                                                                 .code = "required",
                                                                 .detail = "Say \"what\"."});
    http_problem_errors_add(
        &errors,
        (struct http_problem_error){.parameter = SLICE(""), .code = "unknown", .detail = "No."});
    http_respond_problem(&x, ERROR_VALIDATION_FAILED, "Two errors.", &errors);
    assert_int_equal(sent_status, 422);
    assert_body("{\"type\":\"/problems/validation_failed\",\"title\":\"Validation failed\","
                "\"status\":422,\"detail\":\"Two errors.\",\"instance\":\"/\","
                "\"code\":\"validation_failed\",\"request_id\":\"req-1\",\"errors\":["
                "{\"pointer\":\"/ti\\\"tle\",\"code\":\"required\",\"detail\":\"Say "
                "\\\"what\\\".\"},"
                "{\"parameter\":\"\",\"code\":\"unknown\",\"detail\":\"No.\"}]}");
    end(&x);
}

static void without_a_path_the_instance_is_the_root(void **state)
{
    struct http_exchange x = begin((struct slice){0}, "");

    (void)state;
    http_respond_problem(&x, ERROR_URI_TOO_LONG, NULL, &(struct http_problem_errors){0});
    assert_body("{\"type\":\"/problems/uri_too_long\",\"title\":\"URI too long\",\"status\":414,"
                "\"detail\":\"The request line is longer than 8,192 bytes. Shorten the "
                "query.\",\"instance\":\"/\",\"code\":\"uri_too_long\","
                "\"request_id\":\"req-1\"}");
    end(&x);
}

static void encodes_the_path_again(void **state)
{
    struct http_exchange x = begin(SLICE("/a b\"\\\n%\xff{\xc3\xa4}?#"), "");

    (void)state;
    http_respond_problem(&x, ERROR_NOT_FOUND, "-", NULL);
    buffer_add_char(&body, '\0');
    assert_non_null(strstr(body.data, "\"/a%20b%22%5C%0A%25%FF%7B%C3%A4%7D%3F%23\""));
    end(&x);
}

static void adds_the_fields_of_each_status(void **state)
{
    static const struct {
        enum error error;
        const char *before;
        const char *head;
    } cases[] = {
        {ERROR_UNAUTHORIZED, "",
         "WWW-Authenticate: Bearer realm=\"taskhold\"\r\nCache-Control: no-store\r\n"},
        {ERROR_INVALID_CREDENTIALS, "",
         "WWW-Authenticate: Bearer realm=\"taskhold\"\r\nCache-Control: no-store\r\n"},
        {ERROR_INVALID_REFRESH_TOKEN, "",
         "WWW-Authenticate: Bearer realm=\"taskhold\"\r\nCache-Control: no-store\r\n"},
        {ERROR_INVALID_TOKEN, "",
         "WWW-Authenticate: Bearer realm=\"taskhold\", error=\"invalid_token\", "
         "error_description=\"the access token is malformed, expired or no longer valid\"\r\n"
         "Cache-Control: no-store\r\n"},
        {ERROR_OVERLOADED, "", "Retry-After: 1\r\nCache-Control: no-store\r\n"},
        {ERROR_UNAVAILABLE, "retry-after: 7\r\n", "retry-after: 7\r\nCache-Control: no-store\r\n"},
        {ERROR_UNAVAILABLE, "X-Retry-After: 7\r\n",
         "X-Retry-After: 7\r\nRetry-After: 1\r\nCache-Control: no-store\r\n"},
        {ERROR_PRECONDITION_FAILED, "ETag: \"4\"\r\nCache-Control: no-store\r\n",
         "ETag: \"4\"\r\nCache-Control: no-store\r\n"},
        {ERROR_RATE_LIMITED, "", "Cache-Control: no-store\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_exchange x = begin(SLICE("/"), cases[i].before);
        http_respond_problem(&x, cases[i].error, NULL, NULL);
        assert_head(cases[i].head);
        end(&x);
    }
}

static void keeps_the_first_errors(void **state)
{
    struct http_problem_errors errors = {0};

    (void)state;
    for (unsigned i = 0; i < HTTP_PROBLEM_ERRORS; i++) {
        http_problem_errors_add(&errors, (struct http_problem_error){.code = "first"});
        assert_false(errors.overflow);
    }
    http_problem_errors_add(&errors, (struct http_problem_error){.code = "last"});
    assert_true(errors.overflow);
    assert_int_equal(errors.count, HTTP_PROBLEM_ERRORS);
    assert_string_equal(errors.list[HTTP_PROBLEM_ERRORS - 1].code, "first");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_document),
        cmocka_unit_test(lists_errors),
        cmocka_unit_test(without_a_path_the_instance_is_the_root),
        cmocka_unit_test(encodes_the_path_again),
        cmocka_unit_test(adds_the_fields_of_each_status),
        cmocka_unit_test(keeps_the_first_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
