// SPDX-License-Identifier: MIT
#include <errno.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fault_vfs.h"
#include "store/sqlite/database.h"
#include "store/sqlite/engine.h"
#include "store_fixture.h"

/* What the engine does when the disk fails: never a success that is not on the disk, never a lost
 * one, and where the kernel itself lost data, an end of the process. */

#define OPS         6 /* in a batch */
#define EXIT_FAILED 70
#define EXIT_DONE   3

struct place {
    char directory[64];
    char path[96];
    char url[112];
    struct store *store;
    struct loop loop;
    struct uuid user;
};

static void open_place(struct place *place)
{
    char why[512];
    const struct store_options options = {.url = place->url};
    place->store = sqlite_engine.open(&options, why, sizeof why);
    if (!place->store)
        fail_msg("%s", why);
    loop_open(&place->loop, &sqlite_engine, place->store);
}

static void close_place(struct place *place)
{
    loop_close(&place->loop);
    sqlite_engine.close(&place->store);
}

/* A database with one user; closed, so that a child can open it. */
static int setup(void **pointer)
{
    struct place *place = calloc(1, sizeof *place);
    assert_non_null(place);
    (void)snprintf(place->directory, sizeof place->directory, "/tmp/taskhold-XXXXXX");
    assert_non_null(mkdtemp(place->directory));
    (void)snprintf(place->path, sizeof place->path, "%s/t.db", place->directory);
    (void)snprintf(place->url, sizeof place->url, "sqlite:%s", place->path);
    open_place(place);
    place->user = make_user(&place->loop, "ann");
    close_place(place);
    *pointer = place;
    return 0;
}

static int teardown(void **pointer)
{
    static const char *const names[] = {"", "-wal", "-shm", ".lock"};
    struct place *place = *pointer;
    fault_disarm();
    for (size_t i = 0; i < 4; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s%s", place->path, names[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(place->directory), 0);
    free(place);
    return 0;
}

struct batch {
    struct write writes[OPS];
    unsigned done;
    unsigned good;
};

static struct uuid id_of(unsigned number)
{
    struct uuid id = {{0x01}};
    id.bytes[14] = (uint8_t)(number >> 8);
    id.bytes[15] = (uint8_t)number;
    return id;
}

/* Writes OPS items in one turn, numbered from `base`. */
static void run_batch(struct place *place, struct batch *batch, unsigned base)
{
    batch->good = 0;
    for (unsigned i = 0; i < OPS; i++) {
        batch->writes[i] = write_of(STORE_REPLACE, place->user, id_of(base + i), TEST_NOW);
        write_begin(&place->loop, &batch->writes[i]);
    }
    loop_finish(&place->loop);
    for (unsigned i = 0; i < OPS; i++)
        batch->good += batch->writes[i].op.op.result == ERROR_NONE;
}

static unsigned count_items(struct place *place, unsigned base)
{
    unsigned count = 0;
    for (unsigned i = 0; i < OPS; i++) {
        const void *item = NULL;
        enum error result = get_item(&place->loop, place->user, id_of(base + i), &item);
        assert_true(result == ERROR_NONE || result == ERROR_NOT_FOUND);
        count += result == ERROR_NONE;
    }
    return count;
}

static void assert_whole(const struct place *place)
{
    sqlite3 *db = NULL;
    sqlite3_int64 good = 0;
    assert_int_equal(sqlite3_open_v2(place->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(database_read_i64(db,
                                       "SELECT (SELECT group_concat(integrity_check) = 'ok' FROM "
                                       "pragma_integrity_check) AND NOT EXISTS (SELECT 1 FROM "
                                       "pragma_foreign_key_check)",
                                       &good),
                     SQLITE_OK);
    assert_int_equal(good, 1);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* In a child: one batch that succeeds, then one under the fault. It writes a byte for each success
 * that it is told of, and ends by EXIT_DONE if the process was not ended by the engine. */
static void run_child(struct place *place, int pipe_end, enum fault_call call, unsigned nth, int rc)
{
    struct batch batch = {0};
    open_place(place);
    run_batch(place, &batch, 0);
    for (unsigned i = 0; i < batch.good; i++)
        (void)!write(pipe_end, "a", 1);
    fault_arm(call, nth, 1, rc);
    run_batch(place, &batch, OPS);
    for (unsigned i = 0; i < batch.good; i++)
        (void)!write(pipe_end, "b", 1);
    _exit(fault_struck() ? EXIT_DONE : 0);
}

struct told {
    unsigned before; /* successes told of before the fault */
    unsigned under;  /* and with it */
    int exit_code;
};

static struct told fork_child(struct place *place, enum fault_call call, unsigned nth, int rc)
{
    struct told told = {0};
    int ends[2];
    int status = 0;
    char byte = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        (void)!freopen("/dev/null", "w", stderr);
        run_child(place, ends[1], call, nth, rc);
    }
    close(ends[1]);
    while (read(ends[0], &byte, 1) == 1) {
        told.before += byte == 'a';
        told.under += byte == 'b';
    }
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    told.exit_code = WEXITSTATUS(status);
    return told;
}

/* The flush of a commit fails: nobody is told of a success, the process ends, and the next start
 * finds every success of before. */
static void test_failed_flush_ends_the_process(void **state)
{
    struct place *place = *state;
    struct told told = fork_child(place, FAULT_SYNC, 1, SQLITE_IOERR_FSYNC);
    assert_int_equal(told.before, OPS);
    assert_int_equal(told.under, 0);
    assert_int_equal(told.exit_code, EXIT_FAILED);
    open_place(place);
    assert_int_equal(count_items(place, 0), OPS);
    unsigned unknown = count_items(place, OPS); /* all or none: it was one transaction */
    assert_true(unknown == 0 || unknown == OPS);
    close_place(place);
    assert_whole(place);
}

/* Each write of a commit in turn fails, half done. */
static void test_failed_write_of_a_commit(void **state)
{
    struct place *place = *state;
    for (unsigned nth = 1;; nth++) {
        struct told told = fork_child(place, FAULT_WRITE, nth, SQLITE_IOERR_WRITE);
        assert_int_equal(told.before, OPS);
        if (told.exit_code == 0)
            break; /* there are not so many writes in it */
        assert_int_equal(told.exit_code, EXIT_FAILED);
        assert_int_equal(told.under, 0);
        open_place(place);
        assert_int_equal(count_items(place, 0), OPS);
        struct batch batch = {0};
        for (unsigned i = 0; i < OPS; i++) {
            batch.writes[i] = write_of(STORE_DELETE, place->user, id_of(i), TEST_NOW);
            assert_int_equal(write_run(&place->loop, &batch.writes[i]), ERROR_NONE);
        }
        close_place(place);
        assert_whole(place);
        assert_true(nth < 100);
    }
}

/* No room: the whole batch is refused, reads go on, and writes recover by themselves. */
static void run_without_room(struct place *place, int rc)
{
    struct batch batch = {0};
    open_place(place);
    run_batch(place, &batch, 0);
    assert_int_equal(batch.good, OPS);
    for (unsigned nth = 1; nth < 100; nth++) {
        fault_arm(FAULT_WRITE, nth, 1000000, rc);
        run_batch(place, &batch, OPS * nth);
        bool full = fault_struck();
        if (full) {
            for (unsigned i = 0; i < OPS; i++)
                assert_int_equal(batch.writes[i].op.op.result, ERROR_STORAGE_FULL);
            assert_int_equal(count_items(place, 0), OPS);
            assert_int_equal(count_items(place, OPS * nth), 0);
        }
        struct store_health health = {0};
        sqlite_engine.health(place->store, &health);
        assert_true(health.writable);
        fault_disarm();
        if (!full) {
            assert_int_equal(batch.good, OPS);
            assert_true(nth > 1); /* a commit is one write, a large one more */
            break;
        }
        run_batch(place, &batch, OPS * nth);
        assert_int_equal(batch.good, OPS);
        assert_int_equal(count_items(place, OPS * nth), OPS);
    }
    close_place(place);
    assert_whole(place);
}

static void test_full_disk(void **state)
{
    run_without_room(*state, SQLITE_FULL);
}

/* SQLite has no code of its own for these two. */
static void test_used_up_quota(void **state)
{
    fault_set_errno(EDQUOT);
    run_without_room(*state, SQLITE_IOERR_WRITE);
    fault_set_errno(EIO);
}

static void test_largest_file(void **state)
{
    fault_set_errno(EFBIG);
    run_without_room(*state, SQLITE_IOERR_WRITE);
    fault_set_errno(EIO);
}

/* Writes until the server notices that its files are not where they were; gives how many tasks were
 * acknowledged with the first OPS. The last of them before that may have come true unacknowledged.
 */
static unsigned write_until_refused(struct place *place, struct batch *batch)
{
    unsigned acknowledged = OPS;
    for (unsigned i = 1; batch->good > 0; i++) {
        assert_true(i < 1000);
        run_batch(place, batch, i * OPS);
        acknowledged += batch->good;
    }
    run_batch(place, batch, 1000 * OPS);
    for (unsigned i = 0; i < OPS; i++)
        assert_int_equal(batch->writes[i].op.op.result, ERROR_UNAVAILABLE);
    return acknowledged;
}

/* The file is moved away while the server runs: soon nothing is acknowledged any more, and what was
 * is in the file, wherever it is. */
static void test_moved_file(void **state)
{
    struct place *place = *state;
    struct batch batch = {0};
    char away[128];
    (void)snprintf(away, sizeof away, "%s.away", place->path);
    open_place(place);
    run_batch(place, &batch, 0);
    assert_int_equal(batch.good, OPS);
    assert_int_equal(rename(place->path, away), 0);
    const unsigned acknowledged = write_until_refused(place, &batch);
    struct store_health health = {0};
    sqlite_engine.health(place->store, &health);
    assert_true(health.moved && !health.writable);
    assert_int_equal(count_items(place, 0), OPS);
    close_place(place);
    sqlite3 *db = NULL;
    sqlite3_int64 tasks = 0;
    assert_int_equal(sqlite3_open_v2(away, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(database_read_i64(db, "SELECT count(*) FROM tasks", &tasks), SQLITE_OK);
    assert_in_range(tasks, acknowledged, acknowledged + OPS);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(rename(away, place->path), 0);
    for (unsigned i = 0; i < 2; i++) {
        (void)snprintf(away, sizeof away, "%s.away%s", place->path, i ? "-shm" : "-wal");
        (void)unlink(away);
    }
}

/* The same without its WAL. */
static void test_removed_wal(void **state)
{
    struct place *place = *state;
    struct batch batch = {0};
    char wal[128];
    (void)snprintf(wal, sizeof wal, "%s-wal", place->path);
    open_place(place);
    run_batch(place, &batch, 0);
    assert_int_equal(batch.good, OPS);
    assert_int_equal(unlink(wal), 0);
    const unsigned acknowledged = write_until_refused(place, &batch);
    close_place(place);
    open_place(place);
    unsigned found = 0;
    for (unsigned from = 0; from < acknowledged + OPS; from += OPS)
        found += count_items(place, from);
    assert_in_range(found, acknowledged, acknowledged + OPS);
    close_place(place);
}

/* A backup that still reads does not keep the next start from serving. */
static void test_start_beside_a_reader(void **state)
{
    struct place *place = *state;
    struct batch batch = {0};
    sqlite3 *reader = NULL;
    sqlite3_int64 tasks = 0;
    open_place(place);
    run_batch(place, &batch, 0);
    assert_int_equal(sqlite3_open_v2(place->path, &reader, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM tasks", NULL, NULL, NULL),
                     SQLITE_OK);
    run_batch(place, &batch, OPS);
    close_place(place);
    open_place(place);
    run_batch(place, &batch, 2 * OPS);
    assert_int_equal(batch.good, OPS);
    assert_int_equal(count_items(place, OPS), OPS);
    assert_int_equal(database_read_i64(reader, "SELECT count(*) FROM tasks", &tasks), SQLITE_OK);
    assert_int_equal(tasks, OPS);
    assert_int_equal(sqlite3_close(reader), SQLITE_OK);
    close_place(place);
    assert_whole(place);
}

/* A read fails, on a loop or in the writer: 503, no wrong row, and all is well afterwards. */
static void test_failed_reads(void **state)
{
    struct place *place = *state;
    struct batch batch = {0};
    open_place(place);
    run_batch(place, &batch, 0);
    close_place(place);
    unsigned struck = 0;
    for (unsigned nth = 1; nth < 40; nth++) {
        open_place(place);
        fault_arm(FAULT_READ, nth, 1, SQLITE_IOERR_READ);
        const void *item = NULL;
        enum error result = get_item(&place->loop, place->user, id_of(0), &item);
        assert_true(result == ERROR_NONE || (fault_struck() && result == ERROR_UNAVAILABLE));
        struct write write = write_of(STORE_CREATE, place->user, uuid_make_v7(), TEST_NOW);
        result = write_run(&place->loop, &write);
        assert_true(result == ERROR_NONE || (fault_struck() && result == ERROR_UNAVAILABLE));
        struck += fault_struck();
        fault_disarm();
        assert_int_equal(get_item(&place->loop, place->user, id_of(0), &item), ERROR_NONE);
        assert_int_equal(count_items(place, 0), OPS);
        write.op.id = uuid_make_v7();
        assert_int_equal(write_run(&place->loop, &write), ERROR_NONE);
        close_place(place);
    }
    assert_true(struck > 3);
    assert_whole(place);
}

static bool ignore_row(struct store_item_list *op, const void *row)
{
    (void)op;
    (void)row;
    return true;
}

/* Every allocation in turn fails once, or from there on: no success without its effect, no gap in
 * the revisions, and all is well when there is memory again. */
static void test_no_memory(void **state)
{
    struct place *place = *state;
    int64_t revision = 0;
    unsigned quiet = 0;
    unsigned struck = 0;
    for (unsigned nth = 1; quiet < 4 && nth < 8000; nth++) {
        open_place(place);
        struct batch batch = {0};
        fault_arm(FAULT_MALLOC, (nth + 1) / 2, nth % 2 ? 1 : 1000000, SQLITE_NOMEM);
        struct store_item_list list = {
            .resource = fixture_resource,
            .space = place->user,
            .orders = {{.field = resource_field(fixture_resource, SLICE("created_at"))}},
            .order_count = 1,
            .limit = 5,
            .each = ignore_row};
        enum error result = LOOP_CALL(&place->loop, item_list, &list);
        assert_true(result == ERROR_NONE || result == ERROR_UNAVAILABLE);
        run_batch(place, &batch, OPS * nth);
        (void)LOOP_CALL(&place->loop, item_list, &list);
        quiet = fault_struck() ? 0 : quiet + 1;
        struck += fault_struck();
        fault_disarm();
        assert_int_equal(count_items(place, OPS * nth), batch.good);
        revision += batch.good + 1;
        assert_int_equal(make_item(&place->loop, place->user, 0, TEST_NOW).revision, revision);
        close_place(place);
    }
    assert_true(struck > 20);
    assert_int_equal(quiet, 4);
    assert_whole(place);
}

/* One commit, one flush; a batch that changes nothing needs none. */
static void test_one_flush_a_commit(void **state)
{
    struct place *place = *state;
    struct batch batch = {0};
    open_place(place);
    run_batch(place, &batch, 0); /* the first commit also flushes the new WAL's header */
    for (unsigned round = 1; round < 10; round++) {
        fault_disarm();
        run_batch(place, &batch, OPS * round);
        assert_int_equal(batch.good, OPS);
        assert_int_equal(fault_count(FAULT_SYNC), 1);
    }
    fault_disarm();
    struct write write = write_of(STORE_DELETE, place->user, uuid_make_v7(), TEST_NOW);
    assert_int_equal(write_run(&place->loop, &write), ERROR_NONE);
    assert_int_equal(write.op.outcome, STORE_NOT_FOUND);
    assert_int_equal(fault_count(FAULT_SYNC), 0);
    close_place(place);
}

static off_t wal_size(const struct place *place)
{
    char path[128];
    struct stat status;
    (void)snprintf(path, sizeof path, "%s-wal", place->path);
    assert_int_equal(stat(path, &status), 0);
    return status.st_size;
}

/* Writes `count` items of about 64 KiB each. */
static void write_much(struct place *place, unsigned count)
{
    static char text[65536];
    memset(text, 'x', sizeof text);
    for (unsigned i = 0; i < count; i++) {
        struct write write = write_of(STORE_CREATE, place->user, uuid_make_v7(), TEST_NOW);
        const struct field_value value = {.bytes = {text, sizeof text}};
        assert_true(field_set(long_text(), &write.values, &value));
        assert_int_equal(write_run(&place->loop, &write), ERROR_NONE);
    }
}

/* A loop that stays within its turn holds the WAL: writes go on. When the turn ends, the WAL is
 * moved into the file and used again from its start. */
static void test_reader_holds_the_wal(void **state)
{
    struct place *place = *state;
    struct loop reader;
    open_place(place);
    loop_open(&reader, &sqlite_engine, place->store);
    struct store_item_get get = {
        .resource = fixture_resource, .space = place->user, .id = id_of(0)};
    loop_begin(&reader, &get.op);
    reader.engine->item_get(&get);
    assert_int_equal(get.op.result, ERROR_NOT_FOUND);
    write_much(place, 600); /* 40 MB; it is moved at each 33 MB */
    off_t held = wal_size(place);
    assert_true(held > 39000000);
    loop_finish(&reader);
    write_much(place, 1000);
    assert_true(wal_size(place) < held + 30000000);
    loop_close(&reader);
    close_place(place);
    assert_whole(place);
}

/* A database whose first flush fails is not served. */
static void test_failed_flush_at_start(void **state)
{
    struct place *place = *state;
    char why[512] = "";
    struct told told = fork_child(place, FAULT_SYNC, 1, SQLITE_IOERR_FSYNC);
    assert_int_equal(told.exit_code, EXIT_FAILED); /* what it wrote is still in the WAL */
    fault_arm(FAULT_SYNC, 1, 1, SQLITE_IOERR_FSYNC);
    const struct store_options options = {.url = place->url};
    assert_null(sqlite_engine.open(&options, why, sizeof why));
    assert_true(fault_struck());
    assert_non_null(strstr(why, "cannot flush"));
    fault_disarm();
    open_place(place);
    assert_int_equal(count_items(place, 0), OPS);
    close_place(place);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_failed_flush_ends_the_process),
        TEST(test_failed_write_of_a_commit),
        TEST(test_full_disk),
        TEST(test_used_up_quota),
        TEST(test_largest_file),
        TEST(test_moved_file),
        TEST(test_removed_wal),
        TEST(test_start_beside_a_reader),
        TEST(test_failed_reads),
        TEST(test_no_memory),
        TEST(test_one_flush_a_commit),
        TEST(test_reader_holds_the_wal),
        TEST(test_failed_flush_at_start),
    };
    fault_install();
    database_setup();
    return cmocka_run_group_tests_name("store: faults of the disk", tests, NULL, NULL);
}
