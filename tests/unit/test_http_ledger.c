// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "http/ledger.h"
#include "http_rig.h"

#define MIB         ((size_t)1024 * 1024)
#define STREAMS     4200                /* more than may be in flight on a loop */
#define DESCRIPTORS (4 * STREAMS + 200) /* both ends, with half of the server's for one client */

static struct ledger ledger;

static void test_half_is_one_accounts(void **state)
{
    (void)state;
    ledger_init(&ledger, 1000);
    struct account *first = ledger_open(&ledger, 1);
    struct account *second = ledger_open(&ledger, 2);
    struct account *third = ledger_open(&ledger, 3);
    assert_ptr_equal(ledger_open(&ledger, 1), first);
    ledger_close(first);
    ledger_change(&ledger, first, 0, 400);
    assert_int_equal(ledger_room(&ledger, first, 100), LEDGER_ROOM);
    assert_int_equal(ledger_room(&ledger, first, 101), LEDGER_ACCOUNT_FULL);
    assert_int_equal(ledger_room(&ledger, second, 500), LEDGER_ROOM);
    ledger_change(&ledger, second, 0, 500);
    assert_int_equal(ledger_room(&ledger, third, 100), LEDGER_ROOM);
    assert_int_equal(ledger_room(&ledger, third, 101), LEDGER_FULL);
    assert_int_equal(ledger_room(&ledger, NULL, 101), LEDGER_FULL);
    ledger_change(&ledger, second, 500, 0);
    assert_int_equal(ledger_room(&ledger, third, 101), LEDGER_ROOM);
    ledger_change(&ledger, first, 400, 0);
    ledger_close(first);
    ledger_close(second);
    ledger_close(third);
    ledger_finish(&ledger);
}

static void test_large_answers_are_foreseen(void **state)
{
    (void)state;
    ledger_init(&ledger, 8000);
    struct account *account = ledger_open(&ledger, 1);
    ledger_answered(&ledger, account, 600);
    assert_int_equal(account->typical, 600);
    ledger_answered(&ledger, account, 1000000); /* one that is too large to foresee */
    assert_int_equal(account->typical, 1000);
    for (unsigned i = 0; i < 100; i++) {
        ledger_answered(&ledger, account, 100);
    }
    assert_in_range(account->typical, 100, 120);
    ledger_close(account);
    ledger_finish(&ledger);
}

static void test_who_spends_more_than_their_share(void **state)
{
    (void)state;
    int64_t now = 1000000;
    ledger_init(&ledger, 1000);
    ledger_tick(&ledger, now);
    struct account *many = ledger_open(&ledger, 1);
    struct account *few = ledger_open(&ledger, 2);
    ledger_spend(&ledger, many, 60000);
    ledger_spend(&ledger, few, 100);
    assert_true(ledger_expensive(&ledger, many, 1));
    assert_false(ledger_expensive(&ledger, few, 1));
    assert_true(ledger_light(&ledger, few));
    assert_false(ledger_light(&ledger, many));
    ledger_spend(&ledger, few, 9000);
    assert_false(ledger_light(&ledger, few)); /* a quarter of 33 ms */
    ledger_tick(&ledger, now += LEDGER_INTERVAL_US);
    assert_true(ledger_expensive(&ledger, many, 1)); /* of the interval before */
    ledger_tick(&ledger, now + LEDGER_INTERVAL_US);
    assert_false(ledger_expensive(&ledger, many, 1));
    assert_true(ledger_expensive(&ledger, NULL, 1));
    ledger_close(many);
    ledger_close(few);
    ledger_finish(&ledger);
}

static void test_accounts_are_forgotten(void **state)
{
    (void)state;
    int64_t now = 1000000;
    size_t left = 0;
    ledger_init(&ledger, 1000);
    struct account *kept = ledger_open(&ledger, 0);
    for (uint64_t i = 1; i <= 5000; i++) {
        struct account *account = ledger_open(&ledger, i);
        ledger_spend(&ledger, account, 1);
        ledger_close(account);
    }
    for (unsigned i = 0; i < LEDGER_BUCKETS; i++) {
        ledger_tick(&ledger, now += LEDGER_INTERVAL_US);
    }
    for (unsigned i = 0; i < LEDGER_BUCKETS; i++) {
        for (struct account *account = ledger.buckets[i]; account; account = account->next) {
            left++;
        }
    }
    assert_int_equal(left, 1);
    ledger_close(kept);
    ledger_finish(&ledger);
}

/* ---- The same, felt by clients ---- */

#define HOST "Host: a\r\n"
#define BODY "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1048576\r\n\r\n"

/* A body is begun only if all of it has room, with half of the room for one client. */
static void test_bodies_are_bounded(void **state)
{
    (void)state;
    const struct http_server_options options = {.body_most = MIB, .bytes_most = 12 * MIB};
    struct rig rig;
    struct rig_answer answer;
    int fds[2];
    rig_start(&rig, &options);
    for (size_t i = 0; i < 2; i++) {
        fds[i] = rig_connect(&rig);
        rig_send(fds[i], BODY "[");
    }
    /* The two are there when a third is not taken any more. */
    int status;
    do {
        status = rig_ask(&rig, BODY, &answer);
    } while (status == 408);
    assert_int_equal(status, 503);
    assert_non_null(strstr(answer.head, "\r\nRetry-After: "));
    assert_true(answer.closes);
    assert_int_equal(rig_ask(&rig, "GET /plain HTTP/1.1\r\n" HOST "\r\n", &answer), 200);
    close(fds[0]);
    close(fds[1]);
    do {
        status =
            rig_ask(&rig, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n[]", &answer);
    } while (status == 503);
    assert_int_equal(status, 200);
    assert_string_equal(answer.body, "[]");
    rig_stop(&rig);
}

/* The token is asked for before the body has come, and the body is taken afterwards. */
static void test_the_head_is_judged_before_the_body(void **state)
{
    (void)state;
    struct rig rig;
    struct rig_answer answer;
    rig_start(&rig, NULL);
    int fd = rig_connect(&rig);
    rig_send(fd,
             "POST /token HTTP/1.1\r\n" HOST "Content-Length: 4\r\nExpect: 100-continue\r\n\r\n");
    rig_wait_parked();
    rig_release();
    rig_read(fd, &answer, true);
    assert_int_equal(answer.status, 100);
    rig_send(fd, "\"ab\"");
    rig_read(fd, &answer, false);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "\"ab\"");
    /* And one that comes in pieces. */
    rig_send(fd, "POST /token HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n2\r\n\"a");
    rig_wait_parked();
    rig_release();
    rig_send(fd, "\r\n2\r\nb\"\r\n0\r\n\r\n");
    rig_read(fd, &answer, false);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "\"ab\"");
    close(fd);
    /* A client that leaves while it is judged. */
    fd = rig_connect(&rig);
    rig_send(fd, "POST /token HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\n");
    rig_wait_parked();
    close(fd);
    rig_release();
    assert_int_equal(rig_ask(&rig, "GET /plain HTTP/1.1\r\n" HOST "\r\n", &answer), 200);
    rig_stop(&rig);
}

/* What was not taken of a short body is skipped, and the connection goes on. */
static void test_a_refused_body_is_skipped(void **state)
{
    (void)state;
    const struct http_server_options options = {.body_most = MIB};
    struct rig rig;
    struct rig_answer answer;
    rig_start(&rig, &options);
    int fd = rig_connect(&rig);
    rig_send(fd, "POST /nowhere HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nGE");
    rig_read(fd, &answer, false);
    assert_int_equal(answer.status, 404);
    assert_false(answer.closes);
    rig_send(fd, "T /GET /plain HTTP/1.1\r\n" HOST "\r\n");
    rig_read(fd, &answer, false);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "hello");
    close(fd);
    assert_int_equal(
        rig_ask(&rig, "POST /nowhere HTTP/1.1\r\n" HOST "Content-Length: 500000\r\n\r\n", &answer),
        404);
    assert_true(answer.closes);
    rig_stop(&rig);
}

/* Answers that have no end are no requests in flight: others are still answered, and a drain ends
 * them. */
static void test_very_many_streams(void **state)
{
    (void)state;
    static int fds[STREAMS];
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_max < DESCRIPTORS) {
        print_message("SKIPPED: needs %d descriptors (ulimit -Hn)\n", DESCRIPTORS);
        skip(); /* the limit of descriptors is too low */
    }
    const struct http_server_options options = {.bytes_most = 512 * MIB, .drain_seconds = 60};
    struct rig rig;
    struct rig_answer answer;
    rig_start(&rig, &options);
    for (size_t i = 0; i < STREAMS; i++) {
        fds[i] = rig_connect(&rig);
        rig_send(fds[i], "GET /events HTTP/1.1\r\n" HOST "\r\n");
        rig_read(fds[i], &answer, true);
        assert_int_equal(answer.status, 200);
    }
    assert_int_equal(rig_ask(&rig, "GET /plain HTTP/1.1\r\n" HOST "\r\n", &answer), 200);
    http_server_stop(rig.server);
    for (size_t i = 0; i < STREAMS; i++) {
        char rest[64];
        ssize_t got = 1;
        while (got > 0) { /* the last chunk */
            got = recv(fds[i], rest, sizeof rest, 0);
        }
        assert_int_equal(got, 0);
        close(fds[i]);
    }
    rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_half_is_one_accounts),
        cmocka_unit_test(test_large_answers_are_foreseen),
        cmocka_unit_test(test_who_spends_more_than_their_share),
        cmocka_unit_test(test_accounts_are_forgotten),
        cmocka_unit_test(test_bodies_are_bounded),
        cmocka_unit_test(test_the_head_is_judged_before_the_body),
        cmocka_unit_test(test_a_refused_body_is_skipped),
        cmocka_unit_test(test_very_many_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
