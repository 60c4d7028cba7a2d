// SPDX-License-Identifier: MIT
#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/postgres/connector.h"

/* A server that takes connections and says nothing that PostgreSQL would say. */
static int listener = -1;
static char url[128];
static const struct connect_options options = {.url = url, .timeout_ms = 1000, .prepare = true};

static int open_listener(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;

    (void)state;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 16) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0)
        return -1;
    (void)snprintf(url, sizeof url, "postgres://u@127.0.0.1:%u/d?sslmode=disable",
                   (unsigned)ntohs(address.sin_port));
    return log_start(LOG_OFF, true) ? 0 : -1;
}

static int close_listener(void **state)
{
    (void)state;
    log_stop();
    return close(listener);
}

/* Takes an attempt and ends it. */
static void refuse_one(void)
{
    struct pollfd ready = {listener, POLLIN, 0};
    assert_int_equal(poll(&ready, 1, 10000), 1);
    const int peer = accept(listener, NULL, NULL);
    assert_true(peer >= 0);
    close(peer);
}

static void must_not_run(struct inbox_message *message)
{
    (void)message;
    fail();
}

static void test_it_tries_again_and_again(void **state)
{
    struct inbox *inbox = inbox_create();
    struct connector *connector = connector_create(&options, 8);
    assert_non_null(inbox);
    assert_non_null(connector);
    struct connector_client client = {.inbox = inbox, .lend.run = must_not_run};
    struct connector_order order = {.message.run = must_not_run, .client = &client};

    (void)state;
    connector_join(connector, &client);
    const int64_t begun_ms = clock_mono_ms();
    connector_request(connector, &order, 0);
    refuse_one();
    refuse_one();
    refuse_one();
    /* Pauses of at least 100 and 200 ms. */
    assert_true(clock_mono_ms() - begun_ms >= 300);
    connector_cancel(connector, &order);
    assert_null(order.connection);
    connector_leave(connector, &client);
    connector_destroy(&connector);
    assert_null(connector);
    assert_false(inbox_run(inbox));
    inbox_destroy(&inbox);
}

static void test_orders_are_taken_back_in_any_order(void **state)
{
    static const unsigned turns[] = {1, 0, 3, 2};
    struct inbox *inbox = inbox_create();
    struct connector *connector = connector_create(&options, 8);
    assert_non_null(inbox);
    assert_non_null(connector);
    struct connector_client client = {.inbox = inbox, .lend.run = must_not_run};
    struct connector_order orders[4];

    (void)state;
    connector_join(connector, &client);
    for (unsigned i = 0; i < 4; i++) {
        orders[i] = (struct connector_order){.message.run = must_not_run, .client = &client};
        connector_request(connector, &orders[i], 0);
    }
    refuse_one();
    for (unsigned i = 0; i < 4; i++) {
        connector_cancel(connector, &orders[turns[i]]);
        connector_cancel(connector, &orders[turns[i]]); /* of one that is not there: nothing */
    }
    /* What is asked for afterwards is served. */
    connector_request(connector, &orders[3], 0);
    refuse_one();
    connector_cancel(connector, &orders[3]);
    unsigned held = 1;
    unsigned awaited = 1;
    bool full = true;
    connector_count(connector, &held, &awaited, &full);
    assert_int_equal(held, 0);
    assert_int_equal(awaited, 0);
    assert_false(full); /* a server that gives none at all is lost, not full */
    connector_leave(connector, &client);
    connector_destroy(&connector);
    assert_false(inbox_run(inbox));
    inbox_destroy(&inbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_tries_again_and_again),
        cmocka_unit_test(test_orders_are_taken_back_in_any_order),
    };
    return cmocka_run_group_tests(tests, open_listener, close_listener);
}
