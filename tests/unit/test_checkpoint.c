// SPDX-License-Identifier: MIT
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "store/sqlite/database.h"
#include "store/sqlite/engine.h"
#include "store/sqlite/maintenance.h"

/* How long writes stand still while the WAL is begun anew. */

/* A loop that has much to do: it reads nearly all the time. */
struct busy_reader {
    sqlite3 *db;
    atomic_uint snapshots;
    atomic_bool stop;
};

static void *read_nearly_always(void *argument)
{
    struct busy_reader *reader = argument;
    const struct timespec turn = {.tv_nsec = 3000000};
    const struct timespec between = {.tv_nsec = 150000};
    while (!atomic_load(&reader->stop)) {
        (void)sqlite3_exec(reader->db, "BEGIN; SELECT count(*) FROM some", NULL, NULL, NULL);
        atomic_fetch_add(&reader->snapshots, 1);
        (void)nanosleep(&turn, NULL);
        (void)sqlite3_exec(reader->db, "COMMIT", NULL, NULL, NULL);
        (void)nanosleep(&between, NULL);
    }
    return NULL;
}

static void add_row(sqlite3 *writer)
{
    assert_int_equal(sqlite3_exec(writer, "INSERT INTO some VALUES (1)", NULL, NULL, NULL),
                     SQLITE_OK);
}

/* Begins the WAL anew while the reader reads; gives the milliseconds that it took. */
static int64_t begin_anew(sqlite3 *writer, struct busy_reader *reader)
{
    struct statements statements = {.db = writer};
    struct maintenance m;
    maintenance_init(&m, &statements, 0);
    m.wal_pages = 20000;
    add_row(writer);
    /* Until it reads what is in the WAL, and then something newer is there. */
    const unsigned seen = atomic_load(&reader->snapshots);
    while (atomic_load(&reader->snapshots) < seen + 2) {
        (void)poll(NULL, 0, 1);
    }
    add_row(writer);
    const int64_t begun_ms = clock_mono_ms();
    assert_int_equal(maintenance_checkpoint(&m), SQLITE_OK);
    assert_int_equal(m.waited_pages, 20000);
    return clock_mono_ms() - begun_ms;
}

/* It is out of its snapshots often, but never for long: waits that grow would miss that. */
static void test_the_wait_for_a_busy_reader_is_short(void **state)
{
    enum { ROUNDS = 20, SHORT_MS = 60 };
    char directory[] = "/tmp/taskhold-XXXXXX";
    char path[64];
    char file[80];
    char url[80];
    char why[512];
    (void)state;
    assert_non_null(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/t.db", directory);
    (void)snprintf(url, sizeof url, "sqlite:%s", path);
    const struct store_options options = {.url = url};
    struct store *store = sqlite_engine.open(&options, why, sizeof why);
    assert_non_null(store);
    sqlite_engine.close(&store);
    sqlite3 *writer = database_open_writer(path, why, sizeof why);
    assert_non_null(writer);
    assert_int_equal(sqlite3_exec(writer, "CREATE TABLE some (x)", NULL, NULL, NULL), SQLITE_OK);
    struct busy_reader reader = {.db = database_open_reader(path, NULL, 0)};
    assert_non_null(reader.db);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, read_nearly_always, &reader), 0);
    unsigned quick = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        quick += begin_anew(writer, &reader) < SHORT_MS;
    }
    atomic_store(&reader.stop, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_in_range(quick, ROUNDS * 7 / 10, ROUNDS);
    database_close(&reader.db);
    database_close(&writer);
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        (void)snprintf(file, sizeof file, "%s%s", path, suffixes[i]);
        (void)unlink(file);
    }
    assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_wait_for_a_busy_reader_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
