// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth/jwt.h"
#include "base/metrics.h"

#define THREADS 4
#define ROUNDS  20000

static struct buffer page(void)
{
    struct buffer out;
    buffer_init(&out, 4 << 20);
    metrics_write(&out);
    buffer_add_char(&out, '\0');
    assert_false(out.failed);
    return out;
}

/* What stands after `name ` on a line of its own; -1: no such line. */
static long long value_of(const char *name)
{
    struct buffer out = page();
    char line[256];
    long long value = -1;
    (void)snprintf(line, sizeof line, "\n%s ", name);
    const char *found = strstr(out.data, line);
    if (found) {
        value = strtoll(found + strlen(line), NULL, 10);
    }
    buffer_finish(&out);
    return value;
}

static void shows_nothing_before_the_start(void **state)
{
    (void)state;
    metrics_add(METRIC_HTTP_ACCEPTED, 5);
    metrics_count(METRIC_THROTTLED, "api");
    metrics_observe(METRIC_STORE_BATCH, 7);
    assert_int_equal(metrics_series(METRIC_HTTP_REQUESTS, "route=\"/early\""), 0);
    assert_int_equal(value_of("taskhold_http_connections_accepted_total"), -1);
    assert_int_equal(value_of("taskhold_build_info{version=\"" TASKHOLD_VERSION "\"}"), 1);
    metrics_start();
    metrics_start();
    assert_int_equal(value_of("taskhold_http_connections_accepted_total"), 0);
    assert_int_equal(value_of("taskhold_throttled_total{quota=\"api\"}"), 0);
    assert_int_equal(value_of("taskhold_store_batch_operations_count"), 0);
}

static void counts_by_the_values_of_a_label(void **state)
{
    static const char *const values[] = {"auth", "api", "failures"};

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char name[96];
        for (size_t n = 0; n <= i; n++) {
            metrics_count(METRIC_THROTTLED, values[i]);
        }
        (void)snprintf(name, sizeof name, "taskhold_throttled_total{quota=\"%s\"}", values[i]);
        assert_int_equal(value_of(name), i + 1);
    }
    metrics_count(METRIC_THROTTLED, "unheard of");
    assert_int_equal(value_of("taskhold_throttled_total{quota=\"other\"}"), 1);
}

/* Each reason that auth/jwt.h can give has a series of its own. */
static void knows_every_reason_of_a_token(void **state)
{
    static const enum jwt_result results[] = {JWT_MALFORMED, JWT_BAD_SIGNATURE, JWT_BAD_CLAIMS,
                                              JWT_EXPIRED};

    (void)state;
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
        char name[96];
        (void)snprintf(name, sizeof name, "taskhold_tokens_refused_total{reason=\"%s\"}",
                       jwt_result_name(results[i]));
        assert_int_equal(value_of(name), 0);
    }
}

/* A value on a bound belongs to its bucket; buckets add up from the left. */
static void sorts_into_buckets(void **state)
{
    static const struct {
        const char *bound;
        long long count;
    } cases[] = {{"1", 2}, {"2", 3}, {"4", 4}, {"256", 4}, {"512", 5}, {"+Inf", 6}};
    static const int64_t values[] = {0, 1, 2, 3, 512, 513};

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        metrics_observe(METRIC_STORE_BATCH, values[i]);
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[96];
        (void)snprintf(name, sizeof name, "taskhold_store_batch_operations_bucket{le=\"%s\"}",
                       cases[i].bound);
        assert_int_equal(value_of(name), cases[i].count);
    }
    assert_int_equal(value_of("taskhold_store_batch_operations_sum"), 1031);
    assert_int_equal(value_of("taskhold_store_batch_operations_count"), 6);
}

static void shows_seconds(void **state)
{
    struct buffer out;

    (void)state;
    metrics_observe(METRIC_STORE_COMMIT, 100);
    metrics_observe(METRIC_STORE_COMMIT, 101);
    metrics_observe(METRIC_STORE_COMMIT, 12345678);
    assert_int_equal(value_of("taskhold_store_commit_duration_seconds_bucket{le=\"0.0001\"}"), 1);
    assert_int_equal(value_of("taskhold_store_commit_duration_seconds_bucket{le=\"0.00025\"}"), 2);
    assert_int_equal(value_of("taskhold_store_commit_duration_seconds_bucket{le=\"10\"}"), 2);
    assert_int_equal(value_of("taskhold_store_commit_duration_seconds_bucket{le=\"+Inf\"}"), 3);
    out = page();
    assert_non_null(strstr(out.data, "\ntaskhold_store_commit_duration_seconds_sum 12.345879\n"));
    buffer_finish(&out);
}

static void *raise_gauge(void *unused)
{
    (void)unused;
    metrics_add(METRIC_STORE_QUEUE, 10);
    return NULL;
}

/* One thread raises it, another lowers it; what a thread has counted outlives it. */
static void adds_gauges_over_threads(void **state)
{
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, raise_gauge, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    metrics_add(METRIC_STORE_QUEUE, -3);
    assert_int_equal(value_of("taskhold_store_queue_operations"), 7);
    metrics_add(METRIC_STORE_QUEUE, -8);
    assert_int_equal(value_of("taskhold_store_queue_operations"), 0);
    metrics_set(METRIC_STORE_WAL_PAGES, 12);
    metrics_set(METRIC_STORE_WAL_PAGES, 4);
    assert_int_equal(value_of("taskhold_store_wal_pages"), 4);
}

static unsigned request_cell;
static atomic_uint counting;

static void *count_many(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        metrics_add_cell(request_cell, 1);
        metrics_observe(METRIC_HASH_DURATION, i);
    }
    atomic_fetch_sub(&counting, 1);
    return NULL;
}

/* Nothing is lost, and a reader meanwhile sees counters only grow. */
static void counts_on_many_threads(void **state)
{
    static const char name[] = "taskhold_http_requests_total{route=\"/x\"}";
    pthread_t threads[THREADS];
    long long last = 0;

    (void)state;
    request_cell = metrics_series(METRIC_HTTP_REQUESTS, "route=\"/x\"");
    assert_true(request_cell > 0);
    atomic_store(&counting, THREADS);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, count_many, NULL), 0);
    }
    while (atomic_load(&counting) > 0) {
        const long long now = value_of(name);
        assert_true(now >= last);
        last = now;
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(value_of(name), THREADS * ROUNDS);
    assert_int_equal(value_of("taskhold_password_hash_duration_seconds_count"), THREADS * ROUNDS);
}

/* Too many series are not shown, and counting them does no harm. */
static void bounds_the_series(void **state)
{
    unsigned cell = 1;

    (void)state;
    for (unsigned i = 0; cell > 0; i++) {
        char labels[64];
        assert_true(i < 10000);
        (void)snprintf(labels, sizeof labels, "route=\"/%u\"", i);
        cell = metrics_series(METRIC_HTTP_DURATION, labels);
    }
    metrics_observe_cell(METRIC_HTTP_DURATION, cell, 5);
    assert_int_equal(value_of("taskhold_http_request_duration_seconds_count{route=\"/0\"}"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_nothing_before_the_start),
        cmocka_unit_test(counts_by_the_values_of_a_label),
        cmocka_unit_test(knows_every_reason_of_a_token),
        cmocka_unit_test(sorts_into_buckets),
        cmocka_unit_test(shows_seconds),
        cmocka_unit_test(adds_gauges_over_threads),
        cmocka_unit_test(counts_on_many_threads),
        cmocka_unit_test(bounds_the_series),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
