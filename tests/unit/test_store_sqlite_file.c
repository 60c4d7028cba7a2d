// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
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

#include "base/clock.h"
#include "store/migrations.h"
#include "store/sqlite/database.h"
#include "store/sqlite/engine.h"
#include "store/sqlite/maintenance.h"
#include "store/sqlite/migrate.h"
#include "store_fixture.h"

/* What the SQLite engine does with its files. Each test has a directory of its own. */

struct place {
    char directory[64];
    char path[96];
    char url[112];
    char why[512];
    struct store *store;
};

static int setup(void **pointer)
{
    struct place *place = calloc(1, sizeof *place);
    assert_non_null(place);
    (void)snprintf(place->directory, sizeof place->directory, "/tmp/taskhold-XXXXXX");
    assert_non_null(mkdtemp(place->directory));
    (void)snprintf(place->path, sizeof place->path, "%s/t.db", place->directory);
    (void)snprintf(place->url, sizeof place->url, "sqlite:%s", place->path);
    *pointer = place;
    return 0;
}

static void remove_beside(const struct place *place, const char *suffix)
{
    char path[160];
    (void)snprintf(path, sizeof path, "%s%s", place->path, suffix);
    (void)unlink(path);
}

static int teardown(void **pointer)
{
    struct place *place = *pointer;
    sqlite_engine.close(&place->store);
    remove_beside(place, "");
    remove_beside(place, "-wal");
    remove_beside(place, "-shm");
    remove_beside(place, ".lock");
    assert_int_equal(rmdir(place->directory), 0);
    free(place);
    return 0;
}

static struct store *open_url(struct place *place, const char *url)
{
    const struct store_options options = {.url = url};
    place->why[0] = '\0';
    return sqlite_engine.open(&options, place->why, sizeof place->why);
}

static void open_place(struct place *place)
{
    place->store = open_url(place, place->url);
    if (!place->store)
        fail_msg("%s", place->why);
}

static void run_sql(const struct place *place, const char *sql)
{
    sqlite3 *db = NULL;
    char *error = NULL;
    assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s: %s", sql, error);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static int64_t read_i64(const struct place *place, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_int64 value = -1;
    assert_int_equal(sqlite3_open_v2(place->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(database_read_i64(db, sql, &value), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return value;
}

/* ---- where it lies ---- */

static void test_urls(void **state)
{
    struct place *place = *state;
    static const char *const refused[] = {
        "sqlite::memory:", "sqlite:",
        "sqlite:/",        "sqlite://host/x.db",
        "sqlite://x.db",   "sqlite:/proc/no/such/",
        "sqlite:///",      "sqlite:data.db?mode=rwc",
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        assert_null(open_url(place, refused[i]));
        assert_true(place->why[0] != '\0');
        assert_null(strchr(place->why, '\n'));
    }
    char url[128];
    (void)snprintf(url, sizeof url, "sqlite://%s", place->path);
    place->store = open_url(place, url);
    assert_non_null(place->store);
    assert_ptr_equal(store_engine_for("sqlite:x"), &sqlite_engine);
    assert_null(store_engine_for("sqlite3:x"));
    assert_null(store_engine_for(""));
}

static void test_relative_path_and_names_like_uris(void **state)
{
    struct place *place = *state;
    char before[512];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(place->directory), 0);
    struct store *store = open_url(place, "sqlite:file:x#&mode=memory");
    assert_int_equal(chdir(before), 0);
    assert_non_null(store);
    sqlite_engine.close(&store);
    static const char *const names[] = {"", "-wal", "-shm", ".lock"};
    for (size_t i = 0; i < 4; i++) {
        char path[160];
        (void)snprintf(path, sizeof path, "%s/file:x#&mode=memory%s", place->directory, names[i]);
        assert_int_equal(unlink(path), 0);
    }
}

static unsigned mode_of(const struct place *place, const char *suffix)
{
    char path[160];
    struct stat status;
    (void)snprintf(path, sizeof path, "%s%s", place->path, suffix);
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 0777u;
}

static void test_modes(void **state)
{
    struct place *place = *state;
    mode_t mask = umask(0);
    open_place(place);
    struct loop loop;
    loop_open(&loop, &sqlite_engine, place->store);
    (void)make_user(&loop, "ann");
    (void)umask(mask);
    assert_int_equal(mode_of(place, ""), 0600);
    assert_int_equal(mode_of(place, "-wal"), 0600);
    assert_int_equal(mode_of(place, "-shm"), 0600);
    assert_int_equal(mode_of(place, ".lock"), 0600);
    loop_close(&loop);
}

static void test_mode_is_tightened(void **state)
{
    struct place *place = *state;
    open_place(place);
    sqlite_engine.close(&place->store);
    assert_int_equal(chmod(place->path, 0644), 0);
    open_place(place);
    assert_int_equal(mode_of(place, ""), 0600);
}

static void test_makes_directories(void **state)
{
    struct place *place = *state;
    char path[160];
    char url[200];
    struct stat status;
    (void)snprintf(url, sizeof url, "sqlite:%s/a/b/t.db", place->directory);
    struct store *store = open_url(place, url);
    assert_non_null(store);
    sqlite_engine.close(&store);
    (void)snprintf(path, sizeof path, "%s/a/b", place->directory);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777u, 0700);
    static const char *const names[] = {"/t.db", "/t.db-wal", "/t.db-shm", "/t.db.lock"};
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof path, "%s/a/b%s", place->directory, names[i]);
        (void)unlink(path);
    }
    (void)snprintf(path, sizeof path, "%s/a/b", place->directory);
    assert_int_equal(rmdir(path), 0);
    (void)snprintf(path, sizeof path, "%s/a", place->directory);
    assert_int_equal(rmdir(path), 0);
}

static void test_second_is_kept_out(void **state)
{
    struct place *place = *state;
    open_place(place);
    assert_null(open_url(place, place->url));
    assert_non_null(strstr(place->why, "another process is using"));
    /* By another name too. */
    char link_path[128];
    char url[160];
    (void)snprintf(link_path, sizeof link_path, "%s/link.db", place->directory);
    (void)snprintf(url, sizeof url, "sqlite:%s", link_path);
    assert_int_equal(symlink(place->path, link_path), 0);
    assert_null(open_url(place, url));
    assert_non_null(strstr(place->why, "another process is using"));
    assert_int_equal(unlink(link_path), 0);
}

/* ---- what is in it ---- */

static void test_other_database_is_refused(void **state)
{
    struct place *place = *state;
    run_sql(place, "CREATE TABLE theirs (x); INSERT INTO theirs VALUES (42)");
    assert_null(open_url(place, place->url));
    assert_non_null(strstr(place->why, "another program"));
    assert_int_equal(read_i64(place, "SELECT x FROM theirs"), 42);
}

static void test_newer_schema_is_refused(void **state)
{
    struct place *place = *state;
    open_place(place);
    sqlite_engine.close(&place->store);
    run_sql(place, "PRAGMA user_version = 1000");
    assert_null(open_url(place, place->url));
    assert_non_null(strstr(place->why, "schema 1000"));
    assert_int_equal(read_i64(place, "PRAGMA user_version"), 1000);
}

static void test_garbage_is_kept(void **state)
{
    struct place *place = *state;
    static char garbage[8192];
    char after[sizeof garbage];
    memset(garbage, 'g', sizeof garbage);
    int fd = open(place->path, O_RDWR | O_CREAT, 0600);
    assert_int_equal(write(fd, garbage, sizeof garbage), sizeof garbage);
    assert_null(open_url(place, place->url));
    assert_true(place->why[0] != '\0');
    assert_int_equal(pread(fd, after, sizeof after, 0), sizeof after);
    assert_memory_equal(after, garbage, sizeof garbage);
    close(fd);
}

/* A process that dies within the first migration: the next one starts it again. */
static void test_death_in_a_migration(void **state)
{
    struct place *place = *state;
    pid_t child = fork();
    if (child == 0) {
        sqlite3 *db = NULL;
        (void)sqlite3_open(place->path, &db);
        (void)sqlite3_exec(db,
                           "PRAGMA journal_mode = WAL; PRAGMA cache_size = 1; BEGIN IMMEDIATE;"
                           "PRAGMA application_id = 0x5461736b; CREATE TABLE users (x);"
                           "CREATE TABLE filler AS WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL "
                           "SELECT i + 1 FROM c WHERE i < 500) SELECT randomblob(1000) FROM c",
                           NULL, NULL, NULL);
        (void)kill(getpid(), SIGKILL);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    open_place(place);
    assert_int_equal(read_i64(place, "PRAGMA user_version"), (int64_t)sqlite_migration_count);
    assert_int_equal(read_i64(place, "SELECT count(*) FROM sqlite_schema WHERE name = 'filler'"),
                     0);
    struct loop loop;
    loop_open(&loop, &sqlite_engine, place->store);
    (void)make_user(&loop, "ann");
    loop_close(&loop);
}

/* A later step that builds the accounts' table anew loses nothing of theirs. */
static void test_migration_of_users(void **state)
{
    static const char rebuild[] = "CREATE TABLE users_new (user_id BLOB NOT NULL PRIMARY KEY, "
                                  "email TEXT NOT NULL, more TEXT) "
                                  "STRICT, WITHOUT ROWID;"
                                  "INSERT INTO users_new SELECT user_id, email, 'more' FROM users;"
                                  "DROP TABLE users; ALTER TABLE users_new RENAME TO users;";
    static const char broken[] = "DELETE FROM users;";
    const size_t lens[] = {sizeof rebuild - 1, sizeof broken - 1};
    struct migration steps[8];
    const size_t known = sqlite_migration_count;
    assert_true(known + 2 <= sizeof steps / sizeof steps[0]);
    memcpy(steps, sqlite_migrations, known * sizeof *steps);
    steps[known] = (struct migration){(const unsigned char *)rebuild, &lens[0]};
    steps[known + 1] = (struct migration){(const unsigned char *)broken, &lens[1]};
    struct place *place = *state;
    struct loop loop;
    open_place(place);
    loop_open(&loop, &sqlite_engine, place->store);
    struct uuid ann = make_user(&loop, "ann");
    (void)make_item(&loop, ann, 0, TEST_NOW);
    (void)make_item(&loop, ann, 1, TEST_NOW);
    struct store_session_create login = session_of(ann, "::1", TEST_NOW);
    assert_int_equal(LOOP_CALL(&loop, session_create, &login), ERROR_NONE);
    loop_close(&loop);
    sqlite_engine.close(&place->store);

    sqlite3 *db = database_open_writer(place->path, place->why, sizeof place->why);
    assert_non_null(db);
    assert_true(migrate_through(db, steps, known + 1, place->why, sizeof place->why));
    assert_int_equal(read_i64(place, "SELECT count(*) FROM tasks"), 2);
    assert_int_equal(read_i64(place, "SELECT count(*) FROM users WHERE more = 'more'"), 1);
    assert_int_equal(read_i64(place, "PRAGMA user_version"), (int64_t)known + 1);
    sqlite3_int64 enforced = 0;
    assert_int_equal(database_read_i64(db, "PRAGMA foreign_keys", &enforced), SQLITE_OK);
    assert_int_equal(enforced, 1);

    /* One that leaves sessions without their account is not made. */
    assert_false(migrate_through(db, steps, known + 2, place->why, sizeof place->why));
    char failed[64];
    (void)snprintf(failed, sizeof failed, "schema change %zu failed", known + 2);
    assert_non_null(strstr(place->why, failed));
    assert_int_equal(read_i64(place, "SELECT count(*) FROM users"), 1);
    assert_int_equal(read_i64(place, "PRAGMA user_version"), (int64_t)known + 1);
    database_close(&db);
}

static void test_settings_and_integrity(void **state)
{
    struct place *place = *state;
    open_place(place);
    struct loop loop;
    loop_open(&loop, &sqlite_engine, place->store);
    struct uuid ann = make_user(&loop, "ann");
    for (int i = 0; i < 100; i++)
        (void)make_item(&loop, ann, (unsigned)i, TEST_NOW + i);
    loop_close(&loop);
    sqlite_engine.close(&place->store);
    assert_int_equal(read_i64(place, "PRAGMA application_id"), DATABASE_APPLICATION_ID);
    assert_int_equal(read_i64(place, "SELECT count(*) FROM pragma_integrity_check "
                                     "WHERE integrity_check = 'ok'"),
                     1);
    assert_int_equal(read_i64(place, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    assert_int_equal(read_i64(place, "SELECT count(*) FROM tasks"), 100);
    char wal[160];
    struct stat status;
    (void)snprintf(wal, sizeof wal, "%s-wal", place->path);
    assert_true(stat(wal, &status) != 0 || status.st_size == 0);
}

/* ---- connections ---- */

static void test_readers_cannot_write_or_checkpoint(void **state)
{
    struct place *place = *state;
    open_place(place);
    sqlite3 *reader = database_open_reader(place->path, NULL, 0);
    assert_non_null(reader);
    assert_int_equal(sqlite3_exec(reader, "DELETE FROM users", NULL, NULL, NULL) & 0xff,
                     SQLITE_READONLY);
    int rc = sqlite3_wal_checkpoint_v2(reader, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    assert_int_not_equal(rc, SQLITE_OK);
    database_close(&reader);
}

/* A long reader, a backup say, must not make every write after it wait. */
static void test_waits_for_a_long_reader_are_rare(void **state)
{
    static const struct {
        int wal;
        int waited; /* 0: not at all */
    } steps[] = {{8000, 0},      {20000, 20000}, {23000, 20000}, {39999, 20000},
                 {48500, 48500}, {84000, 48500}, {98000, 98000}, {3, 0}};
    struct place *place = *state;
    open_place(place);
    sqlite_engine.close(&place->store);
    sqlite3 *writer = database_open_writer(place->path, place->why, sizeof place->why);
    sqlite3 *reader = database_open_reader(place->path, NULL, 0);
    struct statements statements = {.db = writer};
    struct maintenance m;
    assert_non_null(writer);
    assert_non_null(reader);
    maintenance_init(&m, &statements, 0);
    assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM users", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_exec(writer, "CREATE TABLE more (x)", NULL, NULL, NULL), SQLITE_OK);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        m.wal_pages = steps[i].wal;
        assert_int_equal(maintenance_checkpoint(&m), SQLITE_OK);
        assert_int_equal(m.waited_pages, steps[i].waited);
    }
    database_close(&reader);
    database_close(&writer);
}

/* ---- time ---- */

/* Waits for what the writer does by itself. */
static bool becomes(const struct place *place, const char *sql, int64_t wanted)
{
    int64_t until = clock_mono_ms() + 20000;
    while (read_i64(place, sql) != wanted) {
        if (clock_mono_ms() > until)
            return false;
        (void)poll(NULL, 0, 5);
    }
    return true;
}

static void test_purge(void **state)
{
    struct place *place = *state;
    open_place(place);
    struct loop loop;
    loop_open(&loop, &sqlite_engine, place->store);
    struct uuid ann = make_user(&loop, "ann");
    int64_t now = clock_wall_ms();
    static const int64_t ages[] = {INT64_C(31) * 86400000, INT64_C(2) * 86400000, 1000};
    for (size_t i = 0; i < 3; i++) {
        const struct item item = make_item(&loop, ann, 0, now - ages[i]);
        struct write removal = write_of(STORE_DELETE, ann, item.id, now - ages[i]);
        removal.op.idempotency.key = i == 0 ? SLICE("a") : i == 1 ? SLICE("b") : SLICE("c");
        assert_int_equal(write_run(&loop, &removal), ERROR_NONE);
        struct store_session_create login = session_of(ann, "::1", now - ages[i]);
        assert_int_equal(LOOP_CALL(&loop, session_create, &login), ERROR_NONE);
    }
    loop_close(&loop);
    sqlite_engine.close(&place->store);
    /* More than one step has to do. */
    run_sql(place,
            "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 999) "
            "INSERT INTO sessions SELECT randomblob(16), (SELECT user_id FROM users), 1, 1, 1, i, "
            "x'', '::1', NULL FROM c");
    run_sql(place,
            "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 999) "
            "INSERT INTO script_tokens (id, user_id, scopes, created_at, expires_at, hash, name) "
            "SELECT randomblob(16), (SELECT user_id FROM users), 1, 1, nullif(i, 7), "
            "randomblob(32), 'x' FROM c");
    open_place(place);
    assert_true(becomes(place, "SELECT count(*) FROM sessions", 1));
    assert_true(becomes(place, "SELECT count(*) FROM script_tokens", 1));
    assert_true(becomes(place, "SELECT count(*) FROM journal", 4));
    assert_int_equal(read_i64(place, "SELECT forgotten FROM spaces"), 2);
    assert_int_equal(read_i64(place, "SELECT min(revision) FROM journal"), 3);
    assert_int_equal(read_i64(place, "SELECT count(*) FROM idempotency_keys"), 1);
}

/* The journals of many spaces, more than one step looks at, and of one that is longer than a step
 * deletes. Changes made by a clock that was ahead are in the way of none that came after. */
static void test_purge_of_journals(void **state)
{
    struct place *place = *state;
    open_place(place);
    sqlite_engine.close(&place->store);
    run_sql(place, "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 200) "
                   "INSERT INTO spaces (space_id, owner_id, revision, bytes) "
                   "SELECT randomblob(16), zeroblob(16), 1000, 100000000 FROM c");
    run_sql(place, "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 1000) "
                   "INSERT INTO journal (space_id, revision, at, kind, verb, id) "
                   "SELECT space_id, i, CASE WHEN i < 4 THEN 9000000000000 ELSE i END, "
                   "1, 1, zeroblob(16) FROM c, spaces WHERE i <= 4 OR "
                   "space_id IN (SELECT space_id FROM spaces ORDER BY space_id LIMIT 1 OFFSET 77)");
    run_sql(place, "INSERT INTO journal (space_id, revision, at, kind, verb, id) "
                   "SELECT space_id, 1001, 9000000000000, 1, 1, zeroblob(16) FROM spaces");
    open_place(place);
    assert_true(becomes(place, "SELECT count(*) FROM journal", 200));
    assert_int_equal(read_i64(place, "SELECT count(*) FROM spaces WHERE forgotten = 4"), 199);
    assert_int_equal(read_i64(place, "SELECT count(*) FROM spaces WHERE forgotten = 1000"), 1);
    assert_int_equal(read_i64(place, "SELECT count(*) FROM spaces WHERE bytes = 100000000 - "
                                     "96 * forgotten"),
                     200);
}

/* Tables of the old form, of 0.1.0 and of what came after it: refused with the way out. */
static void test_old_form_is_refused(void **state)
{
    struct place *place = *state;
    run_sql(place, "PRAGMA application_id = 0x5461736b; PRAGMA user_version = 1; PRAGMA "
                   "journal_mode = WAL; CREATE TABLE users (id BLOB); CREATE TABLE meta (epoch)");
    assert_null(open_url(place, place->url));
    assert_non_null(strstr(place->why, "export"));
    assert_non_null(strstr(place->why, "import"));
    assert_null(strchr(place->why, '\n'));
    assert_int_equal(read_i64(place, "SELECT count(*) FROM sqlite_schema"), 2);
}

/* What waited too long is answered without being run, and its neighbours are run. */
static void test_late(void **state)
{
    struct place *place = *state;
    open_place(place);
    struct loop loop;
    loop_open(&loop, &sqlite_engine, place->store);
    struct uuid ann = make_user(&loop, "ann");
    struct write writes[3];
    for (int i = 0; i < 3; i++) {
        writes[i] = write_of(STORE_CREATE, ann, uuid_make_v7(), TEST_NOW);
        write_begin(&loop, &writes[i]);
    }
    writes[1].op.op.queued_us -= 5100000; /* as if it had been sent 5.1 s before */
    loop_finish(&loop);
    assert_int_equal(writes[0].op.op.result, ERROR_NONE);
    assert_int_equal(writes[1].op.op.result, ERROR_OVERLOADED);
    assert_int_equal(writes[2].op.op.result, ERROR_NONE);
    assert_int_equal(writes[2].op.revision, 2);
    assert_int_equal(read_i64(place, "SELECT count(*) FROM tasks"), 2);
    loop_close(&loop);
}

/* ---- damage ---- */

/* Every table and index at its root, and so all of a small one; the schema stays. */
static void damage(const struct place *place)
{
    char bytes[4096];
    sqlite3 *db = NULL;
    sqlite3_stmt *roots = NULL;
    off_t pages[64];
    unsigned count = 0;
    memset(bytes, 0xee, sizeof bytes);
    assert_int_equal(sqlite3_open_v2(place->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT rootpage FROM sqlite_schema WHERE rootpage > 0",
                                        -1, &roots, NULL),
                     SQLITE_OK);
    while (count < 64 && sqlite3_step(roots) == SQLITE_ROW)
        pages[count++] = sqlite3_column_int(roots, 0);
    sqlite3_finalize(roots);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    int fd = open(place->path, O_WRONLY);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(pwrite(fd, bytes, sizeof bytes, (pages[i] - 1) * (off_t)sizeof bytes),
                         sizeof bytes);
    close(fd);
}

/* A damaged file: no wrong row, writes are refused, health says so, nothing is made anew. */
static void test_damage(void **state)
{
    struct place *place = *state;
    open_place(place);
    struct loop loop;
    loop_open(&loop, &sqlite_engine, place->store);
    struct uuid ann = make_user(&loop, "ann");
    const struct item made = make_item(&loop, ann, 0, TEST_NOW);
    loop_close(&loop);
    sqlite_engine.close(&place->store);
    open_place(place);
    damage(place);

    loop_open(&loop, &sqlite_engine, place->store);
    const void *item = NULL;
    assert_int_equal(get_item(&loop, ann, made.id, &item), ERROR_UNAVAILABLE);
    struct write write = write_of(STORE_CREATE, ann, uuid_make_v7(), TEST_NOW);
    assert_int_equal(write_run(&loop, &write), ERROR_UNAVAILABLE);
    struct store_health health = {0};
    sqlite_engine.health(place->store, &health);
    assert_false(health.writable);
    loop_close(&loop);
    sqlite_engine.close(&place->store);
    struct stat status;
    assert_int_equal(stat(place->path, &status), 0);
    assert_true(status.st_size > 4096);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_urls),
        TEST(test_relative_path_and_names_like_uris),
        TEST(test_modes),
        TEST(test_mode_is_tightened),
        TEST(test_makes_directories),
        TEST(test_second_is_kept_out),
        TEST(test_other_database_is_refused),
        TEST(test_newer_schema_is_refused),
        TEST(test_garbage_is_kept),
        TEST(test_death_in_a_migration),
        TEST(test_migration_of_users),
        TEST(test_settings_and_integrity),
        TEST(test_readers_cannot_write_or_checkpoint),
        TEST(test_waits_for_a_long_reader_are_rare),
        TEST(test_purge),
        TEST(test_purge_of_journals),
        TEST(test_old_form_is_refused),
        TEST(test_late),
        TEST(test_damage),
    };
    return cmocka_run_group_tests_name("store: SQLite files", tests, NULL, NULL);
}
