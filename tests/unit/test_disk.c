// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/thread.h"

static int ends[2];

/* More than a pipe holds, so that one write does not take all of it. */
static char much[1 << 20];

static void *write_much(void *unused)
{
    (void)unused;
    const bool good = disk_write(ends[1], much, sizeof much);
    (void)close(ends[1]);
    return good ? much : NULL;
}

static void moves_all_of_it_in_pieces(void **state)
{
    char *got = malloc(sizeof much + 1);
    pthread_t writer;
    void *written = NULL;

    (void)state;
    assert_non_null(got);
    memset(much, 'x', sizeof much);
    assert_int_equal(pipe(ends), 0);
    assert_true(thread_start(&writer, "writer", 0, write_much, NULL));
    assert_int_equal(disk_read(ends[0], got, 5), 5);
    assert_int_equal(disk_read(ends[0], got, sizeof much + 1), sizeof much - 5);
    assert_int_equal(disk_read(ends[0], got, 5), 0);
    assert_int_equal(pthread_join(writer, &written), 0);
    assert_ptr_equal(written, much);
    (void)close(ends[0]);
    free(got);
}

static void tells_why_not(void **state)
{
    char byte = 'x';
    const int folder = open("/", O_RDONLY | O_DIRECTORY);
    const int full = open("/dev/full", O_WRONLY);

    (void)state;
    assert_int_equal(disk_read(folder, &byte, 1), -1);
    assert_int_equal(errno, EISDIR);
    assert_false(disk_write(full, &byte, 1));
    assert_int_equal(errno, ENOSPC);
    assert_true(disk_write(full, NULL, 0));
    assert_true(disk_flush("/tmp"));
    assert_false(disk_flush("/nowhere/at all"));
    assert_int_equal(errno, ENOENT);
    (void)close(folder);
    (void)close(full);
}

static void finds_the_folder(void **state)
{
    static const char *const cases[][2] = {
        {"a.db", "."},
        {"/a.db", "/"},
        {"data/a.db", "data"},
        {"/var/lib/a/b.db", "/var/lib/a"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *folder = disk_folder_of(cases[i][0]);
        assert_string_equal(folder, cases[i][1]);
        free(folder);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves_all_of_it_in_pieces),
        cmocka_unit_test(tells_why_not),
        cmocka_unit_test(finds_the_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
