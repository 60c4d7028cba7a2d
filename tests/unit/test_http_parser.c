// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "http/chunked.h"
#include "http/parser.h"
#include "http/router.h"

/* Every case is parsed in one piece and byte by byte; both must tell the same. */

#define HOST "Host: a\r\n"

struct head_case {
    const char *text;
    enum error error; /* ERROR_NONE: a whole, good head */
};

static enum http_parse parse_whole(struct http_head *head, struct slice text)
{
    *head = (struct http_head){0};
    return http_head_parse(head, text);
}

static enum http_parse parse_bytes(struct http_head *head, struct slice text)
{
    enum http_parse parse = HTTP_PARSE_MORE;
    *head = (struct http_head){0};
    for (size_t len = 1; len <= text.len && parse == HTTP_PARSE_MORE; len++) {
        /* A copy of exactly this length: a read past it is seen by ASan. */
        char *copy = malloc(len);
        assert_non_null(copy);
        memcpy(copy, text.ptr, len);
        parse = http_head_parse(head, (struct slice){copy, len});
        free(copy);
    }
    return parse;
}

static void check_head(struct slice text, enum error error)
{
    struct http_head whole;
    struct http_head bytes;
    enum http_parse expected = error ? HTTP_PARSE_FAILED : HTTP_PARSE_DONE;
    enum http_parse one = parse_whole(&whole, text);
    enum http_parse many = parse_bytes(&bytes, text);
    if (one != expected || many != expected || whole.error != error || bytes.error != error) {
        fail_msg("%.*s\nwhole %d/%d, by bytes %d/%d, expected %d/%d", (int)text.len, text.ptr, one,
                 whole.error, many, bytes.error, expected, error);
    }
    if (!error) {
        assert_memory_equal(&whole, &bytes, sizeof whole);
    }
    if (error == ERROR_MALFORMED_REQUEST || error == ERROR_NOT_IMPLEMENTED) {
        assert_non_null(whole.why);
        assert_string_equal(whole.why, bytes.why);
    }
}

static const struct head_case head_cases[] = {
    {"GET / HTTP/1.1\r\n" HOST "\r\n", ERROR_NONE},
    {"GET / HTTP/1.0\r\n\r\n", ERROR_NONE},
    {"\r\nGET / HTTP/1.1\r\n" HOST "\r\n", ERROR_NONE},
    {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", ERROR_NONE},
    {"GET / HTTP/1.1\r\nHost:a\r\nX: \t b\xc3\xa4 \t\r\nEmpty:\r\n\r\n", ERROR_NONE},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n", ERROR_NONE},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n", ERROR_NONE},
    {"POST / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\n\r\n", ERROR_NONE},
    {"POST / HTTP/1.0\r\nExpect: something\r\n\r\n", ERROR_NONE},

    /* The request line. */
    {"\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", ERROR_MALFORMED_REQUEST},
    {" GET / HTTP/1.1\r\n" HOST "\r\n", ERROR_MALFORMED_REQUEST},
    {"GET  / HTTP/1.1\r\n" HOST "\r\n", ERROR_MALFORMED_REQUEST},
    {"GET /  HTTP/1.1\r\n" HOST "\r\n", ERROR_MALFORMED_REQUEST},
    {"GET / HTTP/1.1 \r\n" HOST "\r\n", ERROR_MALFORMED_REQUEST},
    {"GET\t/ HTTP/1.1\r\n" HOST "\r\n", ERROR_MALFORMED_REQUEST},
    {"GET /\r\n" HOST "\r\n", ERROR_MALFORMED_REQUEST},
    {"GET\r\n\r\n", ERROR_MALFORMED_REQUEST},
    {"GET / http/1.1\r\n" HOST "\r\n", ERROR_MALFORMED_REQUEST},
    {"GET / HTTP/1.\r\n" HOST "\r\n", ERROR_MALFORMED_REQUEST},
    {"GET / HTTP/11.1\r\n" HOST "\r\n", ERROR_MALFORMED_REQUEST},
    {"G(T / HTTP/1.1\r\n" HOST "\r\n", ERROR_MALFORMED_REQUEST},
    {"GET / HTTP/1.2\r\n" HOST "\r\n", ERROR_HTTP_VERSION_NOT_SUPPORTED},
    {"GET / HTTP/2.0\r\n" HOST "\r\n", ERROR_HTTP_VERSION_NOT_SUPPORTED},
    {"PRI * HTTP/2.0\r\n\r\n", ERROR_HTTP_VERSION_NOT_SUPPORTED},
    {"BREW / HTTP/1.1\r\n" HOST "\r\n", ERROR_NOT_IMPLEMENTED},
    {"get / HTTP/1.1\r\n" HOST "\r\n", ERROR_NOT_IMPLEMENTED},
    {"TRACE / HTTP/1.1\r\n" HOST "\r\n", ERROR_NOT_IMPLEMENTED},
    {"CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n", ERROR_NOT_IMPLEMENTED},
    {"GET / HTTP/1 1\r\n" HOST "\r\n", ERROR_MALFORMED_REQUEST},
    {"GET / HTTP/1-1\r\n" HOST "\r\n", ERROR_MALFORMED_REQUEST},
    {"GET / HTTP/a.1\r\n" HOST "\r\n", ERROR_MALFORMED_REQUEST},
    {"GET / HTTP//.1\r\n" HOST "\r\n", ERROR_MALFORMED_REQUEST},
    {"GET / HTTP/1.:\r\n" HOST "\r\n", ERROR_MALFORMED_REQUEST},
    {"GET / HTTP/1./\r\n" HOST "\r\n", ERROR_MALFORMED_REQUEST},

    /* Line ends. */
    {"GET / HTTP/1.1\n" HOST "\r\n", ERROR_MALFORMED_REQUEST},
    {"GET / HTTP/1.1\r\nHost: a\n\r\n", ERROR_MALFORMED_REQUEST},
    {"GET / HTTP/1.1\r\n" HOST "\n", ERROR_MALFORMED_REQUEST},
    {"GET / HTTP/1.1\r" HOST "\r\n", ERROR_MALFORMED_REQUEST},
    {"GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", ERROR_MALFORMED_REQUEST},
    {"GET / HTTP/1.1\r\n" HOST "X: a\x01z\r\n\r\n", ERROR_MALFORMED_REQUEST},
    {"GET / HTTP/1.1\r\n" HOST "X: a\x7fz\r\n\r\n", ERROR_MALFORMED_REQUEST},

    /* Fields. */
    {"GET / HTTP/1.1\r\n Host: a\r\n\r\n", ERROR_MALFORMED_REQUEST},
    {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", ERROR_MALFORMED_REQUEST},
    {"GET / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n", ERROR_MALFORMED_REQUEST},
    {"GET / HTTP/1.1\r\n" HOST "no colon\r\n\r\n", ERROR_MALFORMED_REQUEST},
    {"GET / HTTP/1.1\r\n" HOST "nocolon\r\n\r\n", ERROR_MALFORMED_REQUEST},
    {"GET / HTTP/1.1\r\n" HOST ": empty\r\n\r\n", ERROR_MALFORMED_REQUEST},
    {"GET / HTTP/1.1\r\n" HOST "X\xc3\xa4: 1\r\n\r\n", ERROR_MALFORMED_REQUEST},
    {"GET / HTTP/1.1\r\n\r\n", ERROR_MALFORMED_REQUEST},
    {"GET / HTTP/1.1\r\n" HOST HOST "\r\n", ERROR_MALFORMED_REQUEST},
    {"GET / HTTP/1.1\r\n" HOST "Connection: a b\r\n\r\n", ERROR_MALFORMED_REQUEST},

    /* Framing. */
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
     ERROR_MALFORMED_REQUEST},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
     ERROR_MALFORMED_REQUEST},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
     ERROR_MALFORMED_REQUEST},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\ncontent-length: 2\r\n\r\n",
     ERROR_MALFORMED_REQUEST},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\n", ERROR_MALFORMED_REQUEST},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\n", ERROR_MALFORMED_REQUEST},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", ERROR_MALFORMED_REQUEST},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n\r\n", ERROR_MALFORMED_REQUEST},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 1_0\r\n\r\n", ERROR_MALFORMED_REQUEST},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 1 0\r\n\r\n", ERROR_MALFORMED_REQUEST},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", ERROR_MALFORMED_REQUEST},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551617\r\n\r\n",
     ERROR_MALFORMED_REQUEST},
    {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", ERROR_MALFORMED_REQUEST},
    {"POST / HTTP/1.0\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", ERROR_MALFORMED_REQUEST},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, chunked\r\n\r\n",
     ERROR_MALFORMED_REQUEST},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
     ERROR_MALFORMED_REQUEST},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, gzip\r\n\r\n",
     ERROR_MALFORMED_REQUEST},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n\r\n", ERROR_MALFORMED_REQUEST},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \"chunked\"\r\n\r\n", ERROR_MALFORMED_REQUEST},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked;q=1\r\n\r\n", ERROR_MALFORMED_REQUEST},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked,\r\n\r\n", ERROR_MALFORMED_REQUEST},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", ERROR_NOT_IMPLEMENTED},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n", ERROR_MALFORMED_REQUEST},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n", ERROR_MALFORMED_REQUEST},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n", ERROR_MALFORMED_REQUEST},
    {"POST / HTTP/1.1\r\n" HOST "Expect: 200-ok\r\n\r\n", ERROR_EXPECTATION_FAILED},
    {"POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nExpect: 100-continue\r\n\r\n",
     ERROR_EXPECTATION_FAILED},
    {"POST / HTTP/1.1\r\n" HOST "Expect: 100-continue, x\r\n\r\n", ERROR_EXPECTATION_FAILED},
};

static void test_heads(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof head_cases / sizeof head_cases[0]; i++) {
        check_head(slice_of(head_cases[i].text), head_cases[i].error);
    }
}

static void test_nul_is_refused_everywhere(void **state)
{
    (void)state;
    const struct slice good = SLICE("GET /path HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n");
    for (size_t i = 0; i < good.len; i++) {
        char text[64];
        memcpy(text, good.ptr, good.len);
        text[i] = '\0';
        check_head((struct slice){text, good.len}, ERROR_MALFORMED_REQUEST);
    }
}

static void test_every_prefix_asks_for_more(void **state)
{
    (void)state;
    const struct slice good = SLICE("\r\nPUT /a?b HTTP/1.1\r\nHost: a\r\nX:\t\r\n\r\nrest");
    struct http_head head;
    for (size_t len = 0; len < good.len - 4; len++) {
        assert_int_equal(parse_whole(&head, (struct slice){good.ptr, len}), HTTP_PARSE_MORE);
    }
    assert_int_equal(parse_whole(&head, good), HTTP_PARSE_DONE);
    assert_int_equal(head.length, good.len - 4);
}

/* A text of `before`, `fill` times 'a', and `after`. The caller frees it. */
static struct slice make_long(const char *before, size_t fill, const char *after)
{
    size_t front = strlen(before);
    size_t back = strlen(after);
    char *text = malloc(front + fill + back);
    assert_non_null(text);
    memcpy(text, before, front);
    memset(text + front, 'a', fill);
    memcpy(text + front + fill, after, back);
    return (struct slice){text, front + fill + back};
}

static void check_long(const char *before, size_t fill, const char *after, enum error error)
{
    struct slice text = make_long(before, fill, after);
    check_head(text, error);
    free((char *)(uintptr_t)text.ptr);
}

static void test_limits_are_exact(void **state)
{
    (void)state;
    const size_t line = HTTP_REQUEST_LINE_MOST - strlen("GET / HTTP/1.1");
    check_long("GET /", line, " HTTP/1.1\r\n" HOST "\r\n", ERROR_NONE);
    check_long("GET /", line + 1, " HTTP/1.1\r\n" HOST "\r\n", ERROR_URI_TOO_LONG);
    check_long("GET /", line + 5000, "\x01", ERROR_URI_TOO_LONG);
    const size_t field = HTTP_FIELD_BYTES_MOST - strlen(HOST "X: \r\n");
    check_long("GET / HTTP/1.1\r\n" HOST "X: ", field, "\r\n\r\n", ERROR_NONE);
    check_long("GET / HTTP/1.1\r\n" HOST "X: ", field + 3, "\r\n\r\n",
               ERROR_HEADER_FIELDS_TOO_LARGE);
}

static void test_field_count_is_exact(void **state)
{
    (void)state;
    for (unsigned count = HTTP_FIELD_LINES_MOST; count <= HTTP_FIELD_LINES_MOST + 1; count++) {
        char text[1024] = "GET / HTTP/1.1\r\n" HOST;
        size_t len = strlen(text);
        for (unsigned i = 1; i < count; i++) {
            memcpy(text + len, "X: y\r\n", 6);
            len += 6;
        }
        memcpy(text + len, "\r\n", 2);
        check_head((struct slice){text, len + 2},
                   count > HTTP_FIELD_LINES_MOST ? ERROR_HEADER_FIELDS_TOO_LARGE : ERROR_NONE);
    }
}

static struct slice span_text(struct slice text, struct http_span span)
{
    return (struct slice){text.ptr + span.at, span.len};
}

static void test_what_is_found(void **state)
{
    (void)state;
    const struct slice text = SLICE(
        "PATCH /v1/tasks?a=b HTTP/1.1\r\nhOST:\t h:80 \r\nIF-MATCH: \"1\"\r\nAccept: a/b\r\n"
        "x-ACCEPT: no\r\naccept: c/d\r\nAuthorization: Bearer x.y.z\r\nContent-Length: 007\r\n"
        "Connection: foo, CLOSE\r\n\r\n1234567");
    struct http_head head;
    assert_int_equal(parse_whole(&head, text), HTTP_PARSE_DONE);
    assert_int_equal(head.method, HTTP_PATCH);
    assert_true(slice_eq(span_text(text, head.target), SLICE("/v1/tasks?a=b")));
    assert_true(slice_eq(span_text(text, head.fields[HTTP_FIELD_HOST]), SLICE("h:80")));
    assert_true(slice_eq(span_text(text, head.fields[HTTP_FIELD_IF_MATCH]), SLICE("\"1\"")));
    assert_true(
        slice_eq(span_text(text, head.fields[HTTP_FIELD_AUTHORIZATION]), SLICE("Bearer x.y.z")));
    assert_int_equal(head.counts[HTTP_FIELD_ACCEPT], 2);
    assert_int_equal(head.counts[HTTP_FIELD_ORIGIN], 0);
    assert_int_equal(head.framing, HTTP_BODY_LENGTH);
    assert_int_equal(head.content_length, 7);
    assert_false(head.keep_alive);
    assert_int_equal(head.length, text.len - 7);

    uint32_t at = 0;
    struct slice value;
    assert_true(http_head_next(&head, text, SLICE("Accept"), &at, &value));
    assert_true(slice_eq(value, SLICE("a/b")));
    assert_true(http_head_next(&head, text, SLICE("Accept"), &at, &value));
    assert_true(slice_eq(value, SLICE("c/d")));
    assert_false(http_head_next(&head, text, SLICE("Accept"), &at, &value));
}

static void test_keep_alive(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool keep;
    } cases[] = {
        {"GET / HTTP/1.1\r\n" HOST "\r\n", true},
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
        {"GET / HTTP/1.1\r\n" HOST "Connection: close, keep-alive\r\n\r\n", false},
        {"GET / HTTP/1.1\r\n" HOST "Connection: close\r\nConnection: keep-alive\r\n\r\n", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_head head;
        assert_int_equal(parse_whole(&head, slice_of(cases[i].text)), HTTP_PARSE_DONE);
        assert_int_equal(head.keep_alive, cases[i].keep);
    }
}

/* Each byte at each place of a block of eight: the wide search must agree with the definition. */
static void test_find_control(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        for (size_t at = 0; at < 20; at++) {
            char text[20];
            memset(text, at % 2 ? '\xff' : 'a', sizeof text);
            text[at] = (char)byte;
            bool control = (byte < 0x20 && byte != '\t') || byte == 0x7f;
            size_t found = http_find_control((struct slice){text, sizeof text}, 0);
            assert_int_equal(found, control ? at : sizeof text);
        }
    }
}

/* ---- chunked ---- */

struct chunked_case {
    const char *text;
    const char *content; /* NULL: it fails */
    enum error error;
};

static const struct chunked_case chunked_cases[] = {
    {"0\r\n\r\n", "", ERROR_NONE},
    {"3\r\nabc\r\n0\r\n\r\n", "abc", ERROR_NONE},
    {"0003\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n", "abc0123456789", ERROR_NONE},
    {"3;a=b;c=\"d\"\r\nabc\r\n0;x\r\n\r\n", "abc", ERROR_NONE},
    {"3\r\nabc\r\n0\r\nTrailer: x\r\nAnother:\r\n\r\n", "abc", ERROR_NONE},
    {"\r\n\r\n", NULL, ERROR_MALFORMED_REQUEST},
    {"3 \r\nabc\r\n0\r\n\r\n", NULL, ERROR_MALFORMED_REQUEST},
    {" 3\r\nabc\r\n0\r\n\r\n", NULL, ERROR_MALFORMED_REQUEST},
    {"0x3\r\nabc\r\n0\r\n\r\n", NULL, ERROR_MALFORMED_REQUEST},
    {"+3\r\nabc\r\n0\r\n\r\n", NULL, ERROR_MALFORMED_REQUEST},
    {"-1\r\nabc\r\n0\r\n\r\n", NULL, ERROR_MALFORMED_REQUEST},
    {"3\nabc\r\n0\r\n\r\n", NULL, ERROR_MALFORMED_REQUEST},
    {"3\r\nabc\n0\r\n\r\n", NULL, ERROR_MALFORMED_REQUEST},
    {"3\r\nabcd\r\n0\r\n\r\n", NULL, ERROR_MALFORMED_REQUEST},
    {"3\r\nab\r\n0\r\n\r\n", NULL, ERROR_MALFORMED_REQUEST},
    {"3;a\nb\r\nabc\r\n0\r\n\r\n", NULL, ERROR_MALFORMED_REQUEST},
    {"3;a\rb\r\nabc\r\n0\r\n\r\n", NULL, ERROR_MALFORMED_REQUEST},
    {"00000000000000003\r\nabc\r\n0\r\n\r\n", NULL, ERROR_MALFORMED_REQUEST},
    {"0\r\nno colon\r\n\r\n", NULL, ERROR_MALFORMED_REQUEST},
    {"0\r\n folded: x\r\n\r\n", NULL, ERROR_MALFORMED_REQUEST},
    {"0\r\n: empty\r\n\r\n", NULL, ERROR_MALFORMED_REQUEST},
    {"0\r\nA: b\n\r\n", NULL, ERROR_MALFORMED_REQUEST},
    {"0\r\n\n", NULL, ERROR_MALFORMED_REQUEST},
    {"ffffffffffffffff\r\n", NULL, ERROR_CONTENT_TOO_LARGE},
    {"15\r\n", NULL, ERROR_CONTENT_TOO_LARGE},
    {"14\r\n01234567890123456789\r\n1\r\n", NULL, ERROR_CONTENT_TOO_LARGE},
};

/* Feeds in steps, decoding in place, and gives the content back in `out`. */
static enum http_parse decode_steps(struct http_chunked *chunked, struct slice text, size_t step,
                                    char *out, size_t *len, size_t *used)
{
    enum http_parse parse = HTTP_PARSE_MORE;
    http_chunked_init(chunked, 20);
    *len = 0;
    *used = 0;
    while (parse == HTTP_PARSE_MORE && *used < text.len) {
        char piece[512];
        size_t take = text.len - *used < step ? text.len - *used : step;
        size_t consumed = 0;
        size_t decoded = 0;
        memcpy(piece, text.ptr + *used, take);
        parse =
            http_chunked_decode(chunked, (struct slice){piece, take}, piece, &consumed, &decoded);
        memcpy(out + *len, piece, decoded);
        *len += decoded;
        *used += consumed;
    }
    return parse;
}

static void test_chunked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof chunked_cases / sizeof chunked_cases[0]; i++) {
        const struct chunked_case *c = &chunked_cases[i];
        for (size_t step = 1; step <= strlen(c->text); step++) {
            struct http_chunked chunked;
            char out[512];
            size_t len = 0;
            size_t used = 0;
            enum http_parse parse =
                decode_steps(&chunked, slice_of(c->text), step, out, &len, &used);
            if (c->content) {
                assert_int_equal(parse, HTTP_PARSE_DONE);
                assert_int_equal(used, strlen(c->text));
                assert_true(slice_eq((struct slice){out, len}, slice_of(c->content)));
            } else {
                assert_int_equal(parse, HTTP_PARSE_FAILED);
                assert_int_equal(chunked.error, c->error);
                assert_true(chunked.why || c->error == ERROR_CONTENT_TOO_LARGE);
            }
        }
    }
}

static void test_chunked_stops_at_its_end(void **state)
{
    (void)state;
    struct http_chunked chunked;
    char text[] = "1\r\na\r\n0\r\n\r\nGET /";
    size_t consumed = 0;
    size_t decoded = 0;
    http_chunked_init(&chunked, 20);
    assert_int_equal(http_chunked_decode(&chunked, slice_of(text), text, &consumed, &decoded),
                     HTTP_PARSE_DONE);
    assert_int_equal(consumed, strlen(text) - 5);
    assert_int_equal(decoded, 1);
}

static void test_chunked_extras_are_bounded(void **state)
{
    (void)state;
    static const char *const fronts[] = {"1;", "0\r\nX: ", "0\r\n"};
    for (size_t i = 0; i < sizeof fronts / sizeof fronts[0]; i++) {
        struct slice text = make_long(fronts[i], HTTP_CHUNK_EXTRA_MOST + 1, "\r\n");
        struct http_chunked chunked;
        size_t consumed = 0;
        size_t decoded = 0;
        char scrap[8];
        http_chunked_init(&chunked, 20);
        assert_int_equal(http_chunked_decode(&chunked, text, scrap, &consumed, &decoded),
                         HTTP_PARSE_FAILED);
        assert_int_equal(chunked.error, ERROR_HEADER_FIELDS_TOO_LARGE);
        free((char *)(uintptr_t)text.ptr);
    }
}

/* ---- targets ---- */

struct target_case {
    const char *text;
    const char *path; /* NULL: refused */
    const char *query;
    const char *host;
    bool nowhere;
};

static const struct target_case target_cases[] = {
    {"/", "/", NULL, NULL, false},
    {"/v1/tasks", "/v1/tasks", NULL, NULL, false},
    {"/v1/tasks/", "/v1/tasks/", NULL, NULL, false},
    {"/a?", "/a", "", NULL, false},
    {"/a?b=%zz&c=[]|?", "/a", "b=%zz&c=[]|?", NULL, false},
    {"/%41%62c", "/Abc", NULL, NULL, false},
    {"/%C3%A4", "/\xc3\xa4", NULL, NULL, false},
    {"/a%25b", "/a%b", NULL, NULL, false},
    {"/.a/b./c..d", "/.a/b./c..d", NULL, NULL, false},
    {"http://h/a?b", "/a", "b", "h", false},
    {"HTTPS://h:1", "/", NULL, "h:1", false},
    {"http://[::1]:80?q", "/", "q", "[::1]:80", false},
    {"*", "", NULL, NULL, false},
    {"a", NULL, NULL, NULL, false},
    {"//a", "//a", NULL, NULL, true},
    {"/a//b", "/a//b", NULL, NULL, true},
    {"/.", "/.", NULL, NULL, true},
    {"/..", "/..", NULL, NULL, true},
    {"/a/../b", "/a/../b", NULL, NULL, true},
    {"/a/./b", "/a/./b", NULL, NULL, true},
    {"/%2e%2e/a", "/../a", NULL, NULL, true},
    {"/a/%2E", "/a/.", NULL, NULL, true},
    {"//", "//", NULL, NULL, true},
    {"/a%2fb", "/a\001b", NULL, NULL, false},
    {"/a%2F..", "/a\001..", NULL, NULL, false},
    {"/a%5Cb", "/a\002b", NULL, NULL, false},
    {"/a%01b", NULL, NULL, NULL, false},
    {"/a%02b", NULL, NULL, NULL, false},
    {"/a\\b", NULL, NULL, NULL, false},
    {"/a%00", NULL, NULL, NULL, false},
    {"/a%0a", NULL, NULL, NULL, false},
    {"/a%7f", NULL, NULL, NULL, false},
    {"/a%c2%80", NULL, NULL, NULL, false},
    {"/a%", NULL, NULL, NULL, false},
    {"/a%4", NULL, NULL, NULL, false},
    {"/a%4g", NULL, NULL, NULL, false},
    {"/%ff", NULL, NULL, NULL, false},
    {"/%c0%af", NULL, NULL, NULL, false},
    {"/%ed%a0%80", NULL, NULL, NULL, false},
    {"/%f4%90%80%80", NULL, NULL, NULL, false},
    {"/\xc3\xa4", NULL, NULL, NULL, false},
    {"/a?\xc3\xa4", NULL, NULL, NULL, false},
    {"/a#b", NULL, NULL, NULL, false},
    {"/a?b#c", NULL, NULL, NULL, false},
    {"/a\"b", NULL, NULL, NULL, false},
    {"http://", NULL, NULL, NULL, false},
    {"http:///a", NULL, NULL, NULL, false},
    {"http://u@h/", NULL, NULL, NULL, false},
    {"http://h:99999/", NULL, NULL, NULL, false},
    {"http://h#f", NULL, NULL, NULL, false},
    {"ftp://h/", NULL, NULL, NULL, false},
    {"**", NULL, NULL, NULL, false},
};

static void check_text(struct slice found, const char *expected)
{
    assert_int_equal(found.ptr != NULL, expected != NULL);
    if (expected) {
        assert_true(slice_eq(found, slice_of(expected)));
    }
}

static void test_targets(void **state)
{
    (void)state;
    struct arena *arena = arena_create(65536);
    assert_non_null(arena);
    for (size_t i = 0; i < sizeof target_cases / sizeof target_cases[0]; i++) {
        const struct target_case *c = &target_cases[i];
        struct http_target target;
        enum error error = http_target_parse(slice_of(c->text), HTTP_OPTIONS, arena, &target);
        if (!c->path) {
            if (error != ERROR_MALFORMED_REQUEST) {
                fail_msg("%s was not refused", c->text);
            }
            assert_non_null(target.why);
            continue;
        }
        if (error) {
            fail_msg("%s was refused", c->text);
        }
        check_text(target.path, c->path);
        check_text(target.query, c->query);
        check_text(target.host, c->host);
        assert_int_equal(target.nowhere, c->nowhere);
    }
    struct http_target target;
    assert_int_equal(http_target_parse(SLICE("*"), HTTP_GET, arena, &target),
                     ERROR_MALFORMED_REQUEST);
    arena_destroy(&arena);
}

static void test_target_without_memory(void **state)
{
    (void)state;
    struct arena *arena = arena_create(1);
    struct http_target target;
    assert_non_null(arena);
    assert_int_equal(http_target_parse(SLICE("/%41"), HTTP_GET, arena, &target), ERROR_UNAVAILABLE);
    assert_int_equal(http_target_parse(SLICE("http://h"), HTTP_GET, arena, &target),
                     ERROR_UNAVAILABLE);
    arena_destroy(&arena);
}

static void test_hosts(void **state)
{
    (void)state;
    static const char *const good[] = {
        "a",   "a.b:80",   "127.0.0.1:8080",     "[::1]", "[::1]:8", "a:", "a%20b",
        "x_y", "[v1.a:+]", "[::ffff:1.2.3.4]:80"};
    static const char *const bad[] = {
        "",     ":80", "a b",       "a?b",     "a/b",   "u@h",        "a:b",  "a:80x",
        "[::1", "[]",  "[::1]x",    "a:65536", "a\\b",  "[zzz]",      "[:1]", "%",
        "a%zz", "a%4", "[1.2.3.4]", "[v1.]",   "[v.a]", "[::1%25lo]", "[v1]", "[::1]]"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(http_host_valid(slice_of(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(http_host_valid(slice_of(bad[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_nul_is_refused_everywhere),
        cmocka_unit_test(test_every_prefix_asks_for_more),
        cmocka_unit_test(test_limits_are_exact),
        cmocka_unit_test(test_field_count_is_exact),
        cmocka_unit_test(test_what_is_found),
        cmocka_unit_test(test_keep_alive),
        cmocka_unit_test(test_find_control),
        cmocka_unit_test(test_chunked),
        cmocka_unit_test(test_chunked_stops_at_its_end),
        cmocka_unit_test(test_chunked_extras_are_bounded),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_target_without_memory),
        cmocka_unit_test(test_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
