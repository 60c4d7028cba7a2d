// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/fields.h"

static void gzip_as_accept_encoding_says(void **state)
{
    static const struct {
        const char *field; /* NULL: absent */
        bool accepts;
    } cases[] = {
        {NULL, true},
        {"gzip", true},
        {"GZip", true},
        {"x-gzip", true},
        {"gzip, deflate, br, zstd", true},
        {"br;q=1.0, gzip;q=0.8, *;q=0.1", true},
        {"gzip;q=0.001", true},
        {"*", true},
        {"identity, *", true},
        {"", false},
        {"identity", false},
        {"br", false},
        {"gzip;q=0", false},
        {"gzip;q=0.000", false},
        {"*, gzip;q=0", false},
        {"gzip;q=0, *", false},
        {"*;q=0", false},
        {"gzip;q=2", true},
        {"gzip;q=-1", false},
        {"gzip;q=.", false},
        {"gzip;q=1.0.0", false},
        {"gzip;q=1a", false},
        {"gzip;q=.0", false},
        {"gzip;q=.2", true},
        {"gzipped", false},
        {",,gzip", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_request request = {0};
        if (cases[i].field) {
            request.fields[HTTP_FIELD_ACCEPT_ENCODING].value = slice_of(cases[i].field);
            request.fields[HTTP_FIELD_ACCEPT_ENCODING].count = 1;
        }
        assert_int_equal(http_accepts_gzip(&request), cases[i].accepts);
    }
}

static void types_as_accept_says(void **state)
{
    static const struct {
        const char *field;
        bool accepts;
    } cases[] = {
        /* What Java's HttpURLConnection sends. */
        {"text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", true},
        {"*", true},
        {"*;q=.5", true},
        {"*;q=.0", false},
        {"*;q=0", false},
        {"text/html;q=1, application/json;q=0.3333", true},
        {"text/html, application/json;q=0.0000", false},
        {"text/html, *;q=1.", true},
        {"text/html, *;q=", false},
        {"text/html", false},
        {"a b/json, text/html", false},
        {"application/{}, text/html", false},
        {"*/json, text/html", false},
        {"*/*, application/json;q=0", false},
        {"application/json;q=0, application/json", true},
        {"application/json;q=1.2.3", true}, /* malformed: as if it were not there */
        {"application/json;q=x, text/html", false},
        {"application/json;level=1;q=0.5", true},
        {"**", true}, /* malformed, so it restricts nothing */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_request request = {0};
        request.fields[HTTP_FIELD_ACCEPT].value = slice_of(cases[i].field);
        request.fields[HTTP_FIELD_ACCEPT].count = 1;
        if (http_accepts(&request, SLICE("application/json")) != cases[i].accepts) {
            fail_msg("%s", cases[i].field);
        }
    }
}

static void bodies_as_content_type_says(void **state)
{
    static const struct {
        const char *type;
        enum http_body_type result;
    } cases[] = {
        {"application/json", HTTP_BODY_TYPE_GOOD},
        {"application/json;", HTTP_BODY_TYPE_GOOD},
        {"application/json ; ;charset=utf8;", HTTP_BODY_TYPE_GOOD},
        {"application/json; charset=\"UTF8\"", HTTP_BODY_TYPE_GOOD},
        {"application/json; charset = utf-8", HTTP_BODY_TYPE_GOOD},
        {"application/json; charset=utf-16", HTTP_BODY_TYPE_CHARSET},
        {"application/json; charset=", HTTP_BODY_TYPE_CHARSET},
        {"application/json; charset=\"", HTTP_BODY_TYPE_CHARSET},
        {"application/json; charset", HTTP_BODY_TYPE_PARAMETER},
        {"application/json; version=1", HTTP_BODY_TYPE_PARAMETER},
        {"application/jsonx", HTTP_BODY_TYPE_TYPE},
        {"application/merge-patch+json", HTTP_BODY_TYPE_TYPE},
        {"application/json; charset=\"utf-8", HTTP_BODY_TYPE_CHARSET},
        {"application/json; charset=utf-8\"", HTTP_BODY_TYPE_CHARSET},
        {"", HTTP_BODY_TYPE_TYPE},
        {";", HTTP_BODY_TYPE_TYPE},
    };
    struct http_request request = {0};
    struct http_field_value *type = &request.fields[HTTP_FIELD_CONTENT_TYPE];

    (void)state;
    assert_int_equal(http_body_type(&request, HTTP_CONSUMES_JSON), HTTP_BODY_TYPE_GOOD);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        *type = (struct http_field_value){.value = slice_of(cases[i].type), .count = 1};
        if (http_body_type(&request, HTTP_CONSUMES_JSON) != cases[i].result) {
            fail_msg("%s", cases[i].type);
        }
    }
    *type = (struct http_field_value){.value = SLICE("application/json"), .count = 2};
    assert_int_equal(http_body_type(&request, HTTP_CONSUMES_JSON), HTTP_BODY_TYPE_REPEATED);
    request.fields[HTTP_FIELD_CONTENT_ENCODING].value = SLICE("br");
    request.fields[HTTP_FIELD_CONTENT_ENCODING].count = 1;
    assert_int_equal(http_body_type(&request, HTTP_CONSUMES_JSON), HTTP_BODY_TYPE_CODING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gzip_as_accept_encoding_says),
        cmocka_unit_test(types_as_accept_says),
        cmocka_unit_test(bodies_as_content_type_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
