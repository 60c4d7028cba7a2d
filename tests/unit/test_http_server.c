// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "http_rig.h"

#define HOST      "Host: a\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

static void test_pipelined_answers_come_in_order(void **state)
{
    (void)state;
    struct rig rig;
    struct rig_answer answer;
    rig_start(&rig, NULL);
    int fd = rig_connect(&rig);
    rig_send(fd, GET("/plain") "HEAD /plain HTTP/1.1\r\n" HOST "\r\n"
                               "POST /echo HTTP/1.1\r\n" HOST
                               "Content-Length: 3\r\n\r\nabc" GET("/later") GET("/plain"));
    rig_read(fd, &answer, false);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "hello");
    rig_read(fd, &answer, true);
    assert_non_null(strstr(answer.head, "Content-Length: 5\r\n"));
    rig_read(fd, &answer, false);
    assert_string_equal(answer.body, "abc");
    assert_int_equal(rig_answered(), 3);
    rig_release();
    rig_read(fd, &answer, false);
    assert_string_equal(answer.body, "late");
    rig_read(fd, &answer, false);
    assert_string_equal(answer.body, "hello");
    close(fd);
    rig_stop(&rig);
}

static void test_a_deep_pipeline(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    struct rig rig;
    struct rig_answer answer;
    rig_start(&rig, NULL);
    int fd = rig_connect(&rig);
    for (unsigned i = 0; i < COUNT; i++) {
        rig_send(fd, GET("/plain"));
    }
    for (unsigned i = 0; i < COUNT; i++) {
        rig_read(fd, &answer, false);
        assert_int_equal(answer.status, 200);
    }
    close(fd);
    rig_stop(&rig);
}

/* Whatever way the bytes are cut into packets, the answers are the same. */
static void test_requests_in_pieces(void **state)
{
    (void)state;
    static const char text[] = "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                               "3;x\r\n{\"a\r\nA\r\n\":\"123456\"\r\n1\r\n}\r\n0\r\nT: x\r\n\r\n"
                               "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\n1234";
    struct rig rig;
    struct rig_answer answer;
    rig_start(&rig, NULL);
    int fd = rig_connect(&rig);
    for (size_t step = 1; step < sizeof text; step += step < 30 ? 1 : 17) {
        for (size_t at = 0; at < sizeof text - 1; at += step) {
            char piece[sizeof text];
            snprintf(piece, sizeof piece, "%.*s", (int)step, text + at);
            rig_send(fd, piece);
        }
        rig_read(fd, &answer, false);
        assert_string_equal(answer.body, "{\"a\":\"123456\"}");
        rig_read(fd, &answer, false);
        assert_string_equal(answer.body, "1234");
    }
    close(fd);
    rig_stop(&rig);
}

static void test_continue(void **state)
{
    (void)state;
    struct rig rig;
    struct rig_answer answer;
    rig_start(&rig, NULL);
    int fd = rig_connect(&rig);
    rig_send(fd, "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n"
                 "Content-Length: 3\r\n\r\n");
    rig_read(fd, &answer, true);
    assert_int_equal(answer.status, 100);
    rig_send(fd, "abc" GET("/plain"));
    rig_read(fd, &answer, false);
    assert_string_equal(answer.body, "abc");
    rig_read(fd, &answer, false);
    assert_string_equal(answer.body, "hello");
    close(fd);
    /* The body is there already, or too large: no invitation. */
    assert_int_equal(rig_ask(&rig,
                             "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n"
                             "Content-Length: 3\r\n\r\nabc",
                             &answer),
                     200);
    assert_int_equal(rig_ask(&rig,
                             "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n"
                             "Content-Length: 8193\r\n\r\n",
                             &answer),
                     413);
    assert_int_equal(rig_ask(&rig,
                             "POST /echo HTTP/1.1\r\n" HOST "Expect: x\r\n"
                             "Content-Length: 3\r\n\r\n",
                             &answer),
                     417);
    assert_true(answer.closes);
    rig_stop(&rig);
}

struct dispatch_case {
    const char *text;
    int status;
    const char *head; /* part of it; NULL: not looked at */
};

static const struct dispatch_case dispatch_cases[] = {
    {GET("/nothing"), 404, NULL},
    {"GET /plain HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\na", 422, NULL},
    {"GET /health HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\na", 200, NULL},
    {"GET /health HTTP/1.1\r\n" HOST "Accept: a/b\r\n\r\n", 200, NULL},
    {"GET /plain HTTP/1.1\r\n" HOST "Accept: *; q=.2\r\n\r\n", 200, "\r\nVary: Accept\r\n"},
    {"POST /echo HTTP/1.1\r\n" HOST
     "Content-Type: application/json;charset=utf8;\r\nContent-Length: 1\r\n\r\na",
     200, NULL},
    {GET("/plain/"), 404, NULL},
    {GET("/%70lain"), 200, NULL},
    {"GET http://b/plain HTTP/1.1\r\n" HOST "\r\n", 200, NULL},
    {"DELETE /plain HTTP/1.1\r\n" HOST "\r\n", 405, "\r\nAllow: GET, HEAD, OPTIONS\r\n"},
    {"OPTIONS /plain HTTP/1.1\r\n" HOST "\r\n", 204, "\r\nAllow: GET, HEAD, OPTIONS\r\n"},
    {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 204, "PATCH"},
    {"GET /plain HTTP/1.1\r\n" HOST "Accept: application/json\r\n\r\n", 406, NULL},
    {"GET /plain HTTP/1.1\r\n" HOST "Accept: text/*;q=0.5, image/png\r\n\r\n", 200, NULL},
    {"GET /plain HTTP/1.1\r\n" HOST "Accept: */*\r\nAccept: text/plain;q=0.0\r\n\r\n", 406, NULL},
    {"GET /plain HTTP/1.1\r\n" HOST "Accept: (;\r\n\r\n", 200, NULL},
    {"POST /echo HTTP/1.1\r\n" HOST "Content-Type: text/plain\r\nContent-Length: 1\r\n\r\na", 415,
     NULL},
    {"POST /echo HTTP/1.1\r\n" HOST "Content-Type: text/plain\r\nContent-Length: 0\r\n\r\n", 200,
     NULL},
    {"POST /echo HTTP/1.1\r\n" HOST
     "Content-Type: Application/JSON; Charset=\"UTF-8\"\r\nContent-Length: 1\r\n\r\na",
     200, NULL},
    {"POST /echo HTTP/1.1\r\n" HOST
     "Content-Type: application/json; charset=latin1\r\nContent-Length: 1\r\n\r\na",
     415, NULL},
    {"POST /echo HTTP/1.1\r\n" HOST "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\na", 415,
     "\r\nAccept-Encoding: identity\r\n"},
    {"POST /echo HTTP/1.1\r\n" HOST
     "Content-Type: application/merge-patch+json\r\nContent-Length: 1\r\n\r\na",
     415, NULL},
    {"PATCH /echo HTTP/1.1\r\n" HOST
     "Content-Type: application/merge-patch+json\r\nContent-Length: 1\r\n\r\na",
     200, NULL},
    {"PATCH /echo HTTP/1.1\r\n" HOST "Content-Type: a/b\r\nContent-Length: 1\r\n\r\na", 415,
     "\r\nAccept-Patch: application/merge-patch+json, application/json\r\n"},
    {"PATCH /echo HTTP/1.1\r\n" HOST "Content-Length: 101\r\n\r\n", 413, "Connection: close"},
    {"PATCH /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n65\r\n", 413, NULL},
    {"GET /nothing HTTP/1.1\r\n" HOST "Content-Length: 8193\r\n\r\n", 413, NULL},
    {GET("/broken"), 500, NULL},
    {"GET /plain HTTP/1.1\r\n" HOST "X-Request-Id: abc-1.2_3\r\n\r\n", 200,
     "\r\nX-Request-Id: abc-1.2_3\r\n"},
    {"GET /plain HTTP/1.1\r\n" HOST "\r\n", 200, "\r\nX-Content-Type-Options: nosniff\r\n"},
    {"GET /plain HTTP/1.1\r\n" HOST "\r\n", 200, "\r\nDate: "},
    {"GET /plain HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200,
     "\r\nConnection: keep-alive\r\n"},
    {"GET /plain HTTP/1.0\r\n\r\n", 200, "\r\nConnection: close\r\n"},
    {"GET /a%00 HTTP/1.1\r\n" HOST "\r\n", 400, "\r\nConnection: close\r\n"},
    {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, NULL},
    {"GET / HTTP/3.0\r\n" HOST "\r\n", 505, NULL},
    {"BREW / HTTP/1.1\r\n" HOST "\r\n", 501, NULL},
};

static void test_dispatch(void **state)
{
    (void)state;
    struct rig rig;
    struct rig_answer answer;
    rig_start(&rig, NULL);
    for (size_t i = 0; i < sizeof dispatch_cases / sizeof dispatch_cases[0]; i++) {
        const struct dispatch_case *c = &dispatch_cases[i];
        int status = rig_ask(&rig, c->text, &answer);
        if (status != c->status || (c->head && !strstr(answer.head, c->head))) {
            fail_msg("%s\ngave %s", c->text, answer.head);
        }
        assert_null(strstr(answer.head, "Set-Cookie"));
        assert_null(strstr(answer.body, "secret"));
    }
    rig_stop(&rig);
}

static void test_an_id_of_doubtful_form_is_replaced(void **state)
{
    (void)state;
    static const char too_long[] = "0123456789012345678901234567890123456789"
                                   "0123456789012345678901234";
    static const char *const ids[] = {"", "a b", "a/b", "\xc3\xa4", too_long};
    struct rig rig;
    struct rig_answer answer;
    rig_start(&rig, NULL);
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "GET /plain HTTP/1.1\r\n" HOST "X-Request-Id: %s\r\n\r\n",
                 ids[i]);
        rig_ask(&rig, text, &answer);
        const char *id = strstr(answer.head, "\r\nX-Request-Id: ");
        assert_non_null(id);
        assert_int_equal(strcspn(id + 16, "\r"), 36);
    }
    rig_stop(&rig);
}

static void test_after_a_framing_error_nothing_is_parsed(void **state)
{
    (void)state;
    struct rig rig;
    struct rig_answer answer;
    rig_start(&rig, NULL);
    int fd = rig_connect(&rig);
    rig_send(fd, "GET / HTTP/1.1\r\nHost : a\r\n\r\n" GET("/plain"));
    rig_read(fd, &answer, false);
    assert_int_equal(answer.status, 400);
    assert_non_null(strstr(answer.head, "application/problem+json"));
    assert_true(answer.closes);
    /* What the client still sends does not break the connection off before it has read. */
    rig_send(fd, GET("/plain") GET("/plain"));
    assert_true(rig_is_closed(fd));
    close(fd);
    rig_wait_answered(1);
    assert_int_equal(rig_answered(), 1);
    rig_stop(&rig);
}

/* The input grows, and so moves, between the head and the end of the body. */
static void test_a_request_whose_input_moves(void **state)
{
    (void)state;
    static const struct {
        const char *end; /* after a first chunk of 8,000 bytes */
        int status;
    } cases[] = {{"\r\n0\r\n\r\n", 200}, {"\r\nx", 400}, {"\r\n100\r\n", 413}, {"\r\n1", 408}};
    const struct http_server_options options = {.header_ms = 5000, .request_ms = 100};
    static char text[32768];
    struct rig rig;
    struct rig_answer answer;
    rig_start(&rig, &options);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int fd = rig_connect(&rig);
        snprintf(text, sizeof text,
                 "POST /%%65cho HTTP/1.1\r\n" HOST "X: %012000d\r\nX-Request-Id: mine\r\n"
                 "Accept: a/b\r\nAccept: */*\r\nTransfer-Encoding: chunked\r\n\r\n1f40\r\n%08000d",
                 1, 2);
        rig_send(fd, text);
        rig_send(fd, cases[i].end);
        rig_read(fd, &answer, false);
        assert_int_equal(answer.status, cases[i].status);
        assert_non_null(strstr(answer.head, "\r\nX-Request-Id: mine\r\n"));
        if (answer.status == 200) {
            assert_int_equal(answer.body_len, 8000);
        } else {
            assert_non_null(strstr(answer.body, "\"instance\":\"/echo\""));
        }
        close(fd);
    }
    rig_stop(&rig);
}

static void test_big_bodies_are_whole(void **state)
{
    (void)state;
    static const char *const asks[] = {GET("/big") GET("/plain"), GET("/fixed") GET("/plain"),
                                       GET("/stream") GET("/plain")};
    struct rig rig;
    struct rig_answer answer;
    rig_start(&rig, NULL);
    for (size_t i = 0; i < sizeof asks / sizeof asks[0]; i++) {
        int fd = rig_connect(&rig);
        rig_send(fd, asks[i]);
        rig_read(fd, &answer, false);
        assert_int_equal(answer.body_len, RIG_BIG);
        assert_int_equal(answer.matches, RIG_BIG);
        rig_read(fd, &answer, false);
        assert_string_equal(answer.body, "hello");
        close(fd);
    }
    assert_int_equal(rig_closed(), 1);
    rig_stop(&rig);
}

static void test_a_slow_client_slows_the_stream(void **state)
{
    (void)state;
    struct rig rig;
    struct rig_answer answer;
    rig_start(&rig, NULL);
    int fd = rig_connect(&rig);
    const int small = 16384;
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    rig_send(fd, GET("/stream"));
    rig_read(fd, &answer, true);
    /* Another client is served in the meantime, so the loop does not spin on this one. */
    for (unsigned i = 0; i < 50; i++) {
        struct rig_answer other;
        assert_int_equal(rig_ask(&rig, GET("/plain"), &other), 200);
    }
    assert_true(rig_streamed() < RIG_BIG);
    close(fd);
    rig_wait_closed(1);
    rig_stop(&rig);
}

static void test_streams_of_old_clients_end_with_the_connection(void **state)
{
    (void)state;
    struct rig rig;
    struct rig_answer answer;
    rig_start(&rig, NULL);
    int fd = rig_connect(&rig);
    rig_send(fd, "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    rig_read(fd, &answer, true);
    assert_true(answer.closes);
    assert_false(answer.chunked);
    size_t len = 0;
    char piece[16384];
    ssize_t got = recv(fd, piece, sizeof piece, 0);
    for (; got > 0; got = recv(fd, piece, sizeof piece, 0)) {
        len += (size_t)got;
    }
    assert_int_equal(len, RIG_BIG);
    close(fd);
    assert_int_equal(rig_ask(&rig, "HEAD /stream HTTP/1.1\r\n" HOST "\r\n", &answer), 200);
    rig_wait_closed(2);
    rig_stop(&rig);
}

static void read_text(int fd, const char *expected)
{
    char text[64] = "";
    size_t len = strlen(expected);
    assert_int_equal(recv(fd, text, len, MSG_WAITALL), len);
    assert_memory_equal(text, expected, len);
}

static void test_a_stream_that_waits(void **state)
{
    (void)state;
    struct rig rig;
    struct rig_answer answer;
    rig_start(&rig, NULL);
    int fd = rig_connect(&rig);
    rig_send(fd, GET("/drip"));
    rig_read(fd, &answer, true);
    assert_true(answer.chunked);
    rig_drip("one");
    read_text(fd, "00000003\r\none\r\n");
    rig_drip("second");
    read_text(fd, "00000006\r\nsecond\r\n");
    rig_drip(NULL);
    read_text(fd, "0\r\n\r\n");
    rig_send(fd, GET("/plain"));
    rig_read(fd, &answer, false);
    assert_string_equal(answer.body, "hello");
    close(fd);
    rig_wait_closed(1);
    rig_stop(&rig);
}

static void test_an_answer_that_comes_later(void **state)
{
    (void)state;
    struct rig rig;
    struct rig_answer answer;
    rig_start(&rig, NULL);
    int fd = rig_connect(&rig);
    for (unsigned i = 0; i < 3; i++) {
        rig_send(fd, GET("/token"));
        rig_release();
        rig_read(fd, &answer, false);
        assert_int_equal(answer.status, 200);
        assert_non_null(strstr(answer.head, "\r\nX-Quota: taken\r\n"));
    }
    close(fd);
    rig_stop(&rig);
}

static void reset(int fd)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    close(fd);
}

static void test_a_client_that_leaves_while_it_waits(void **state)
{
    (void)state;
    struct rig rig;
    struct rig_answer answer;
    rig_start(&rig, NULL);
    static const char *const asks[] = {GET("/later"), GET("/token"), GET("/later") GET("/plain")};
    for (unsigned i = 0; i < 3; i++) {
        unsigned before = rig_answered();
        int fd = rig_connect(&rig);
        rig_send(fd, asks[i]);
        rig_wait_parked();
        reset(fd);
        /* The loop has seen the reset when it has answered somebody else. */
        assert_int_equal(rig_ask(&rig, GET("/plain"), &answer), 200);
        rig_release();
        rig_wait_answered(before + 2);
    }
    rig_stop(&rig);
}

static void test_a_client_that_half_closes_gets_its_answer(void **state)
{
    (void)state;
    struct rig rig;
    struct rig_answer answer;
    rig_start(&rig, NULL);
    int fd = rig_connect(&rig);
    rig_send(fd, GET("/later"));
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    rig_release();
    rig_read(fd, &answer, false);
    assert_string_equal(answer.body, "late");
    assert_true(rig_is_closed(fd));
    close(fd);
    rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pipelined_answers_come_in_order),
        cmocka_unit_test(test_a_deep_pipeline),
        cmocka_unit_test(test_requests_in_pieces),
        cmocka_unit_test(test_continue),
        cmocka_unit_test(test_dispatch),
        cmocka_unit_test(test_an_id_of_doubtful_form_is_replaced),
        cmocka_unit_test(test_after_a_framing_error_nothing_is_parsed),
        cmocka_unit_test(test_a_request_whose_input_moves),
        cmocka_unit_test(test_big_bodies_are_whole),
        cmocka_unit_test(test_a_slow_client_slows_the_stream),
        cmocka_unit_test(test_streams_of_old_clients_end_with_the_connection),
        cmocka_unit_test(test_a_stream_that_waits),
        cmocka_unit_test(test_an_answer_that_comes_later),
        cmocka_unit_test(test_a_client_that_leaves_while_it_waits),
        cmocka_unit_test(test_a_client_that_half_closes_gets_its_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
