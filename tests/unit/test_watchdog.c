// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "http/server.h"

#define BEAT_MS 20
#define LONG_MS 10000

static sem_t ready;
static sem_t beats;
static sem_t hanging;
static sem_t let_go;

static void on_ready(void *owner)
{
    (void)owner;
    sem_post(&ready);
}

static void on_beat(void)
{
    sem_post(&beats);
}

/* What no handler may do. */
static void hang(struct http_exchange *x)
{
    sem_post(&hanging);
    while (sem_wait(&let_go) != 0) {
    }
    http_respond_status(x, 204);
}

/* Whether `what` is posted within `ms`. */
static bool comes(sem_t *what, long ms)
{
    struct timespec until;
    int status = 0;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ms / 1000 + (until.tv_nsec + ms % 1000 * 1000000) / 1000000000;
    until.tv_nsec = (until.tv_nsec + ms % 1000 * 1000000) % 1000000000;
    do {
        status = sem_timedwait(what, &until);
    } while (status != 0 && errno == EINTR);
    return status == 0;
}

static void *run(void *server)
{
    assert_int_equal(http_server_run(server, on_ready, NULL), 0);
    return NULL;
}

static int ask(const struct http_server *server)
{
    static const char request[] = "GET /hang HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(http_server_port(server)),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(send(fd, request, sizeof request - 1, MSG_NOSIGNAL), sizeof request - 1);
    return fd;
}

static void test_it_beats_while_all_loops_turn_and_no_longer(void **state)
{
    (void)state;
    const struct http_route route = {.method = HTTP_GET,
                                     .path = "/hang",
                                     .handler = hang,
                                     .produces = "text/plain",
                                     .access = HTTP_ACCESS_PUBLIC};
    const struct http_server_options options = {.host = "127.0.0.1",
                                                .threads = 3,
                                                .body_most = 4096,
                                                .routes = &route,
                                                .route_count = 1,
                                                .beat = on_beat,
                                                .beat_ms = BEAT_MS};
    const char *why = NULL;
    pthread_t thread;
    struct http_server *server = http_server_create(&options, &why);
    assert_non_null(server);
    assert_int_equal(pthread_create(&thread, NULL, run, server), 0);
    assert_true(comes(&ready, LONG_MS));
    assert_true(comes(&beats, LONG_MS) && comes(&beats, LONG_MS));

    const int fd = ask(server);
    assert_true(comes(&hanging, LONG_MS));
    while (sem_trywait(&beats) == 0) {
    }
    /* The question before may have been answered by all. */
    assert_false(comes(&beats, 5L * BEAT_MS) && comes(&beats, 5L * BEAT_MS));
    sem_post(&let_go);
    assert_true(comes(&beats, LONG_MS) && comes(&beats, LONG_MS));

    close(fd);
    http_server_stop(server);
    assert_int_equal(pthread_join(thread, NULL), 0);
    http_server_destroy(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_beats_while_all_loops_turn_and_no_longer),
    };
    sem_init(&ready, 0, 0);
    sem_init(&beats, 0, 0);
    sem_init(&hanging, 0, 0);
    sem_init(&let_go, 0, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
