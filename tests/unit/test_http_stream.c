// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "http_rig.h"

#define HOST      "Host: test\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

static void read_text(int fd, const char *expected)
{
    char text[64] = "";
    size_t len = strlen(expected);
    assert_int_equal(recv(fd, text, len, MSG_WAITALL), len);
    assert_memory_equal(text, expected, len);
}

/* Begins one, and reads its head. */
static int begin(const struct rig *rig)
{
    struct rig_answer answer;
    int fd = rig_connect(rig);
    rig_send(fd, GET("/events"));
    rig_read(fd, &answer, true);
    assert_int_equal(answer.status, 200);
    assert_true(answer.chunked);
    assert_true(answer.closes);
    assert_null(strstr(answer.head, "Content-Length"));
    return fd;
}

static void test_pieces_and_an_end(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    int fd = begin(&rig);
    rig_wait_answered(1); /* the request is over while the stream goes on */
    assert_int_equal(rig_closed(), 0);
    rig_flow("one");
    read_text(fd, "00000003\r\none\r\n");
    rig_send(fd, GET("/plain")); /* is not listened to */
    rig_flow("second");
    read_text(fd, "00000006\r\nsecond\r\n");
    rig_flow(NULL);
    read_text(fd, "0\r\n\r\n");
    assert_true(rig_is_closed(fd));
    rig_wait_closed(1);
    assert_int_equal(rig_answered(), 1);
    close(fd);
    rig_stop(&rig);
}

static void test_other_forms(void **state)
{
    (void)state;
    struct rig rig;
    struct rig_answer answer;
    rig_start(&rig, NULL);
    int fd = rig_connect(&rig);
    rig_send(fd, "HEAD /events HTTP/1.1\r\n" HOST "\r\n");
    rig_read(fd, &answer, true);
    assert_int_equal(answer.status, 200);
    assert_true(answer.chunked);
    assert_true(rig_is_closed(fd));
    close(fd);
    fd = rig_connect(&rig);
    rig_send(fd, "GET /events HTTP/1.0\r\n\r\n");
    rig_read(fd, &answer, true);
    assert_false(answer.chunked);
    rig_flow("one");
    read_text(fd, "one");
    rig_flow(NULL);
    assert_true(rig_is_closed(fd));
    close(fd);
    rig_stop(&rig);
}

static void test_a_client_that_leaves(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    int fd = begin(&rig);
    close(fd);
    rig_wait_closed(1);
    fd = begin(&rig);
    assert_int_equal(shutdown(fd, SHUT_WR), 0); /* who will never ask again has left */
    rig_wait_closed(2);
    close(fd);
    rig_stop(&rig);
}

/* A part of the connections is kept for those that ask: of four, three may be streams. */
static void test_no_more_than_it_may_have(void **state)
{
    (void)state;
    const struct http_server_options options = {.connections_most = 4,
                                                .connections_most_per_address = 4};
    struct rig rig;
    struct rig_answer answer;
    int fds[3];
    rig_start(&rig, &options);
    for (unsigned i = 0; i < 3; i++)
        fds[i] = begin(&rig);
    int fd = rig_connect(&rig);
    rig_send(fd, GET("/events"));
    rig_read(fd, &answer, false);
    assert_int_equal(answer.status, 503);
    assert_non_null(strstr(answer.head, "Retry-After: "));
    assert_non_null(strstr(answer.body, "As many streams are open"));
    rig_send(fd, GET("/plain")); /* who asks is answered */
    rig_read(fd, &answer, false);
    assert_int_equal(answer.status, 200);
    close(fd);
    close(fds[0]);
    rig_wait_closed(1);
    fds[0] = begin(&rig);
    for (unsigned i = 0; i < 3; i++)
        close(fds[i]);
    rig_wait_closed(4);
    rig_stop(&rig);
}

static void test_a_drain_has_a_last_word(void **state)
{
    (void)state;
    const struct http_server_options options = {.drain_seconds = 60};
    struct rig rig;
    rig_start(&rig, &options);
    int fd = begin(&rig);
    rig_flow("one");
    read_text(fd, "00000003\r\none\r\n");
    http_server_stop(rig.server);
    read_text(fd, "00000003\r\nbye\r\n0\r\n\r\n");
    assert_true(rig_is_closed(fd));
    rig_wait_closed(1);
    close(fd);
    rig_stop(&rig);
}

static void test_none_begins_before_a_drain(void **state)
{
    (void)state;
    const struct http_server_options options = {.drain_seconds = 60, .drain_delay_seconds = 1};
    struct rig rig;
    struct rig_answer answer;
    rig_start(&rig, &options);
    http_server_stop(rig.server);
    assert_int_equal(rig_ask(&rig, GET("/events"), &answer), 503);
    rig_stop(&rig);
}

static void test_nothing_is_sent_after_a_cut(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    /* With nothing to send, */
    int fd = begin(&rig);
    rig_flow_cut();
    read_text(fd, "0\r\n\r\n");
    assert_true(rig_is_closed(fd));
    close(fd);
    rig_wait_closed(1);
    /* with what may not be sent, */
    fd = begin(&rig);
    rig_flow_hold(true);
    rig_flow("secret");
    rig_flow_taken();
    rig_flow_cut();
    read_text(fd, "0\r\n\r\n");
    assert_true(rig_is_closed(fd));
    close(fd);
    rig_wait_closed(2);
    rig_flow_hold(false);
    /* and the same where it is sent in the end. */
    fd = begin(&rig);
    rig_flow_hold(true);
    rig_flow("fine");
    rig_flow_taken();
    rig_flow_hold(false);
    rig_flow("more");
    read_text(fd, "00000004\r\nfine\r\n00000004\r\nmore\r\n");
    close(fd);
    rig_stop(&rig);
}

/* The client has a part of a chunk: the rest of its length comes, and nothing of its content. */
static void test_a_cut_in_a_chunk(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    int fd = rig_socket();
    const int small = 4096;
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    rig_connect_socket(&rig, fd);
    struct rig_answer answer;
    rig_send(fd, GET("/events"));
    rig_read(fd, &answer, true);
    rig_flow_big();
    rig_flow_taken();
    rig_flow_cut();
    static char bytes[RIG_BIG + 64];
    size_t len = 0;
    for (ssize_t got = 1; got > 0; len += (size_t)got) {
        got = recv(fd, bytes + len, sizeof bytes - len, 0);
        assert_true(got >= 0);
    }
    const size_t size_line = 10;
    assert_int_equal(len, size_line + RIG_BIG + 2 + 5);
    assert_memory_equal(bytes, "00400000\r\naaa", 13);
    assert_int_equal(bytes[size_line + RIG_BIG - 1], ' ');
    assert_memory_equal(bytes + size_line + RIG_BIG, "\r\n0\r\n\r\n", 7);
    close(fd);
    rig_wait_closed(1);
    rig_stop(&rig);
}

static void test_one_that_has_a_last_moment(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    rig_flow_ends_after(50);
    int fd = begin(&rig);
    read_text(fd, "0\r\n\r\n");
    assert_true(rig_is_closed(fd));
    rig_wait_closed(1);
    close(fd);
    rig_stop(&rig);
}

static void test_one_that_is_woken_later(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    int fd = begin(&rig);
    const int64_t begun_ms = clock_mono_ms();
    rig_flow_later("one", 50);
    read_text(fd, "00000003\r\none\r\n");
    assert_true(clock_mono_ms() - begun_ms >= 50);
    /* Whoever wakes it before that does it for good: */
    rig_flow_later("lost", 600000);
    rig_flow("two");
    read_text(fd, "00000003\r\ntwo\r\n");
    /* and it does not outlive its last moment. */
    rig_flow_later("lost", 600000);
    rig_flow_cut();
    read_text(fd, "0\r\n\r\n");
    assert_true(rig_is_closed(fd));
    rig_wait_closed(1);
    close(fd);
    rig_flow_ends_after(100);
    fd = begin(&rig);
    rig_flow_later("lost", 600000);
    read_text(fd, "0\r\n\r\n");
    rig_wait_closed(2);
    close(fd);
    rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_and_an_end),
        cmocka_unit_test(test_other_forms),
        cmocka_unit_test(test_a_client_that_leaves),
        cmocka_unit_test(test_no_more_than_it_may_have),
        cmocka_unit_test(test_a_drain_has_a_last_word),
        cmocka_unit_test(test_none_begins_before_a_drain),
        cmocka_unit_test(test_nothing_is_sent_after_a_cut),
        cmocka_unit_test(test_a_cut_in_a_chunk),
        cmocka_unit_test(test_one_that_has_a_last_moment),
        cmocka_unit_test(test_one_that_is_woken_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
