// SPDX-License-Identifier: MIT
#include <ftw.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/sqlite/backup.h"
#include "store/sqlite/engine.h"
#include "store/sqlite/file.h"
#include "store/sqlite/restore.h"
#include "store/transfer/dump.h"
#include "store/transfer/move.h"
#include "store/transfer/output.h"
#include "store_fixture.h"

/* Backups, restores, exports, imports and moves: what one says that it did is done, and what one
 * refuses says why, has left nothing, and works the next time. */

#ifdef FAILING
#include "failing.h"
#define WHERE "/dev/shm/taskhold-copies-XXXXXX"
#else
#define WHERE "/tmp/taskhold-copies-XXXXXX"
#endif

#define ITEMS    300
#define WHY_SIZE 5000

static char source_folder[64]; /* of the database that is copied */
static char source_url[96];
static char folder[64]; /* of the test */
static char why[WHY_SIZE];

static void must(bool good, const char *what)
{
#ifdef FAILING
    if (!good)
        (void)fprintf(stderr, "%s\n", why);
    if (!good)
        failing_wrong(what);
#endif
    if (!good)
        fail_msg("%s: %s", what, why);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *at)
{
    (void)status;
    (void)kind;
    (void)at;
    return remove(path);
}

static void remove_folder(const char *path)
{
    (void)nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#ifdef FAILING
const char *failing_judge(const char *place)
{
    remove_folder(place);
    return NULL;
}
#endif

static const char *in_folder(const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static const char *url_of(const char *name)
{
    static char urls[4][160];
    static unsigned next;
    char *url = urls[next++ % 4];
    (void)snprintf(url, sizeof urls[0], "sqlite:%s/%s", folder, name);
    return url;
}

/* Two accounts with all that the tests of the store put into an item. */
static void make_source(void)
{
    struct loop loop;
    const struct store_options options = {.url = source_url};
    (void)snprintf(source_folder, sizeof source_folder, WHERE);
    if (!mkdtemp(source_folder))
        abort();
    (void)snprintf(source_url, sizeof source_url, "sqlite:%s/t.db", source_folder);
    struct store *store = sqlite_engine.open(&options, why, sizeof why);
    if (!store)
        abort();
    loop_open(&loop, &sqlite_engine, store);
    for (unsigned u = 0; u < 2; u++) {
        const struct uuid user = make_user(&loop, u ? "bob" : "ann");
        for (unsigned i = 0; i < ITEMS; i++)
            (void)make_item(&loop, user, 1, TEST_NOW + i); /* an export refuses other samples */
    }
    loop_close(&loop);
    sqlite_engine.close(&store);
}

static int setup(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, WHERE);
    assert_non_null(mkdtemp(folder));
#ifdef FAILING
    (void)snprintf(failing_place, FAILING_PLACE_BYTES, "%s", folder);
#endif
    return 0;
}

static int teardown(void **state)
{
    (void)state;
#ifndef FAILING
    remove_folder(folder);
#endif
    return 0;
}

/* A refusal is one line, and something. */
static void must_say_why(bool done)
{
    must(done || (*why && !strchr(why, '\n')), "a refusal does not say why in one line");
}

static bool go_on(void *context, const struct move_progress *progress)
{
    (void)context;
    (void)progress;
    return true;
}

static bool is_same(const char *url)
{
    struct move_report *report = calloc(1, sizeof *report);
    const struct move_options options = {
        .from = source_url, .to = url, .progress = go_on, .compare = true};
    assert_non_null(report);
    const bool same = move_run(&options, report, why, sizeof why) && report->same;
    free(report);
    return same;
}

static bool make_backup(const char *target)
{
    static struct backup_report report;
    char *path = file_find(source_url, why, sizeof why);
    const struct backup_options options = {
        .source = path, .url = source_url, .target = target, .replace = true};
    memset(why, 0, sizeof why);
    const bool done = path && backup_create(&options, &report, why, sizeof why);
    if (path)
        must_say_why(done);
    free(path);
    return done;
}

static void test_backup(void **state)
{
    (void)state;
    if (!make_backup(in_folder("copy.db"))) {
        /* It is when only its folder could not be flushed. */
        must(access(in_folder("copy.db"), F_OK) != 0 || is_same(url_of("copy.db")),
             "a part of a backup is there");
        must(make_backup(in_folder("copy.db")), "the next backup fails too");
    }
    must(is_same(url_of("copy.db")) || is_same(url_of("copy.db")), "a backup is not the same");
}

static bool put_back(const char *copy, bool replace)
{
    struct restore_report report = {0};
    const struct restore_options options = {
        .source = copy, .url = url_of("t.db"), .replace = replace};
    memset(why, 0, sizeof why);
    const bool done = restore_run(&options, &report, why, sizeof why);
    must_say_why(done);
    restore_report_finish(&report);
    return done;
}

/* Opened as a server does; an account of that name is made, or is there. */
static bool has_carol(bool made)
{
    const struct store_options options = {.url = url_of("t.db")};
    struct loop loop;
    struct store *store = sqlite_engine.open(&options, why, sizeof why);
    if (!store)
        return false;
    loop_open(&loop, &sqlite_engine, store);
    struct store_user_create op = {.user = {.id = uuid_make_v7(),
                                            .email = SLICE("carol@example.org"),
                                            .password_hash = TEST_HASH,
                                            .created_at = TEST_NOW,
                                            .updated_at = TEST_NOW}};
    const enum error result = LOOP_CALL(&loop, user_create, &op);
    loop_close(&loop);
    sqlite_engine.close(&store);
    return (result == ERROR_NONE) == made;
}

/* Over a database that has other contents: it has them, or those of the copy. */
static void test_restore(void **state)
{
    (void)state;
    assert_true(make_backup(in_folder("copy.db")));
    assert_true(has_carol(true));
    assert_false(put_back(in_folder("copy.db"), false));
    if (!put_back(in_folder("copy.db"), true)) {
        must(is_same(url_of("t.db")) || has_carol(false), "neither the old nor the new");
        /* What is kept of the old one has the second in its name. */
        bool done = false;
        for (unsigned tries = 0; !done && tries < 30; tries++) {
            done = put_back(in_folder("copy.db"), true);
            (void)poll(NULL, 0, done ? 0 : 100);
        }
        must(done, "the next restore fails too");
    }
    must(is_same(url_of("t.db")) || is_same(url_of("t.db")), "what was restored is not the same");
}

static bool write_lines(const char *name)
{
    struct output output = {.fd = -1, .into = -1};
    struct dump_counts counts;
    memset(why, 0, sizeof why);
    bool done = output_open(&output, name, source_url, true, false, why, sizeof why);
    FILE *out = done ? fdopen(dup(output.fd), "w") : NULL;
    done = out && dump_export(source_url, (struct slice){0}, out, &counts, why, sizeof why);
    if (out)
        done = fclose(out) == 0 && done;
    done = done && output_publish(&output, why, sizeof why);
    output_close(&output);
    must_say_why(done);
    return done;
}

static bool read_lines(const char *name, const char *url)
{
    struct dump_counts counts;
    FILE *in = fopen(name, "r");
    assert_non_null(in);
    memset(why, 0, sizeof why);
    const bool done = dump_import(url, in, name, &counts, why, sizeof why);
    (void)fclose(in);
    must_say_why(done);
    return done;
}

static void test_export(void **state)
{
    (void)state;
    if (!write_lines(in_folder("all.jsonl"))) {
        must(write_lines(in_folder("all.jsonl")), "the next export fails too");
    }
    assert_true(read_lines(in_folder("all.jsonl"), url_of("t.db")));
}

static void test_import(void **state)
{
    (void)state;
    assert_true(write_lines(in_folder("all.jsonl")));
    if (!read_lines(in_folder("all.jsonl"), url_of("t.db")))
        must(read_lines(in_folder("all.jsonl"), url_of("t.db")), "the next import fails too");
    must(write_lines(in_folder("same.jsonl")), "the export after it fails");
    assert_false(read_lines(in_folder("all.jsonl"), url_of("t.db"))); /* it is not empty */
}

static bool move(const char *url)
{
    struct move_report *report = calloc(1, sizeof *report);
    const struct move_options options = {.from = source_url, .to = url, .progress = go_on};
    assert_non_null(report);
    memset(why, 0, sizeof why);
    const bool done = move_run(&options, report, why, sizeof why);
    must_say_why(done);
    must(!done || report->same, "a move that is not the same is called done");
    free(report);
    return done;
}

static void test_move(void **state)
{
    (void)state;
    if (!move(url_of("t.db")))
        must(move(url_of("t.db")), "the next move fails too");
    must(is_same(url_of("t.db")) || is_same(url_of("t.db")), "what was moved is not the same");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_backup), TEST(test_restore), TEST(test_export),
        TEST(test_import), TEST(test_move),
    };
    make_source();
    const int failed = cmocka_run_group_tests_name("copies", tests, NULL, NULL);
    remove_folder(source_folder);
    return failed;
}
