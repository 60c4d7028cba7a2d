// SPDX-License-Identifier: MIT
#include "store/sqlite/backup.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/disk.h"
#include "store/sqlite/database.h"
#include "store/sqlite/file.h"
#include "store/transfer/output.h"

/* Between two flushes and looks at the progress. All of a large file flushed at once would make the
 * flushes of a server on the same disk wait for it. */
#define PAGES_A_STEP 1024

/* Of SQLite, between two looks at whether to give up: some milliseconds. */
#define OPERATIONS_A_LOOK 100000

/* A pause between two steps is at most this long. */
#define PAUSE_MOST_US 200000

struct backup {
    const struct backup_options *options;
    struct backup_report *report;
    char *why;
    size_t why_size;
    sqlite3 *source;
    struct output output; /* `partial` holds the copy */
};

static bool fail(struct backup *b, const char *what, const char *path, const char *reason)
{
    (void)snprintf(b->why, b->why_size, "%s %s: %s", what, path, reason);
    return false;
}

/* Begins the one snapshot that everything is read in. */
static bool begin(struct backup *b)
{
    const char *path = b->options->source;
    b->source = database_open_reader(path, b->why, b->why_size);
    if (!b->source)
        return false;
    int rc = sqlite3_exec(b->source, "BEGIN", NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        return fail(b, "cannot read the database", path, sqlite3_errstr(rc));
    /* Its first read is what the snapshot begins with. */
    b->report->read_ms = clock_wall_ms();
    return inspect_identity(b->source, path, &b->report->schema, b->why, b->why_size);
}

/* SQLite asks this while a statement runs, and ends the statement when it is not 0. */
static int is_stopped(void *context)
{
    const struct backup *b = context;
    return b->options->stop && *b->options->stop;
}

/* The source's transaction stays open between the steps, so that all of them see one snapshot. */
static bool copy_pages(struct backup *b, sqlite3 *target)
{
    sqlite3_backup *copy = sqlite3_backup_init(target, "main", b->source, "main");
    int rc = copy ? SQLITE_OK : sqlite3_errcode(target);
    bool going = true;
    while (rc == SQLITE_OK && going) {
        const int64_t began_us = clock_mono_us();
        rc = sqlite3_backup_step(copy, PAGES_A_STEP);
        if (rc != SQLITE_OK && rc != SQLITE_DONE)
            break;
        if (!disk_flush(b->output.partial)) {
            going = fail(b, "cannot flush", b->output.partial, strerror(errno));
            break;
        }
        /* The disk is left to others for as long as that took. */
        const int64_t took_us = clock_mono_us() - began_us;
        (void)usleep((useconds_t)(took_us < PAUSE_MOST_US ? took_us : PAUSE_MOST_US));
        const int64_t pages = sqlite3_backup_pagecount(copy);
        if (b->options->progress)
            b->options->progress(pages - sqlite3_backup_remaining(copy), pages);
        going = !is_stopped(b);
    }
    const int ended = sqlite3_backup_finish(copy);
    if (!going)
        return false;
    if (rc != SQLITE_DONE || ended != SQLITE_OK)
        return fail(b, "cannot copy to", b->output.partial,
                    database_error(target, rc != SQLITE_DONE ? rc : ended));
    return true;
}

static bool fill(struct backup *b)
{
    sqlite3 *target = NULL;
    struct stat status;
    int rc = sqlite3_open_v2(b->output.partial, &target,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(target, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    /* Nobody sees the file before it is whole; then it is flushed once. */
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(target, "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF", NULL, NULL,
                          NULL);
    const bool filled = rc == SQLITE_OK
                            ? copy_pages(b, target)
                            : fail(b, "cannot write", b->output.partial, sqlite3_errstr(rc));
    database_close(&target);
    if (filled && (!disk_flush(b->output.partial) || stat(b->output.partial, &status) != 0))
        return fail(b, "cannot flush", b->output.partial, strerror(errno));
    b->report->bytes = filled ? status.st_size : 0;
    return filled;
}

static bool verify(struct backup *b)
{
    struct inspect_tables *found = calloc(1, sizeof *found);
    const char *copy = b->output.partial;
    sqlite3 *db = found ? inspect_open_still(copy, copy, b->why, b->why_size) : NULL;
    if (db)
        sqlite3_progress_handler(db, OPERATIONS_A_LOOK, is_stopped, b);
    sqlite3_progress_handler(b->source, OPERATIONS_A_LOOK, is_stopped, b);
    bool good = db && inspect_integrity(db, copy, b->why, b->why_size);
    int rc = SQLITE_OK;
    if (!found)
        fail(b, "cannot check", copy, "no memory");
    if (good)
        rc = inspect_tables(db, found);
    if (good && rc == SQLITE_OK)
        rc = inspect_tables(b->source, &b->report->tables);
    if (rc != SQLITE_OK)
        good = fail(b, "cannot compare", copy, sqlite3_errstr(rc));
    const char *other = good ? inspect_difference(found, &b->report->tables) : NULL;
    if (other)
        good = fail(b, "the copy is not the same as the database in table", other, "nothing kept");
    database_close(&db);
    free(found);
    return good;
}

bool backup_create(const struct backup_options *options, struct backup_report *report, char *why,
                   size_t why_size)
{
    assert(options->source && options->target && options->url && why_size > 0);
    struct backup b = {.options = options, .report = report, .why = why, .why_size = why_size};
    memset(report, 0, sizeof *report);
    database_setup();
    bool made = output_open(&b.output, options->target, options->url, options->replace, true, why,
                            why_size);
    b.output.stop = options->stop;
    made = made && begin(&b) && fill(&b) && verify(&b) && !is_stopped(&b) &&
           output_publish(&b.output, why, why_size);
    if (!made && is_stopped(&b))
        fail(&b, "gave up", b.output.target, "interrupted");
    database_close(&b.source);
    output_close(&b.output);
    return made;
}

/* ---- when it was ---- */

#define LINE_MOST 64

/* Neither a link nor a pipe is followed or waited for. */
#define FLAGS (O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK)

static int open_beside(const char *path, int flags)
{
    char *name = NULL;
    if (asprintf(&name, "%s" BESIDE_LAST_BACKUP, path) < 0) {
        errno = ENOMEM;
        return -1;
    }
    const int fd = open(name, flags | FLAGS, 0600);
    free(name);
    return fd;
}

/* The line has always the same length and is written over in one call: who reads meanwhile reads
 * the old one or the new one. */
bool backup_note_time(const char *path, int64_t when_ms, char *why, size_t why_size)
{
    assert(path && when_ms >= 0 && why_size > 0);
    char line[LINE_MOST];
    char day[32];
    struct tm utc;
    struct stat status;
    const time_t seconds = (time_t)(when_ms / 1000);
    const int fd = open_beside(path, O_WRONLY | O_CREAT);
    bool noted = fd >= 0 && fstat(fd, &status) == 0;
    if (noted && (!S_ISREG(status.st_mode) || status.st_nlink != 1 || !gmtime_r(&seconds, &utc) ||
                  strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)) {
        errno = EINVAL;
        noted = false;
    }
    if (noted) {
        const int len = snprintf(line, sizeof line, "%010lld %s\n", (long long)seconds, day);
        errno = ENOSPC; /* of a write that was cut short */
        noted =
            pwrite(fd, line, (size_t)len, 0) == len && ftruncate(fd, len) == 0 && fsync(fd) == 0;
    }
    if (!noted)
        (void)snprintf(why, why_size, "cannot note the time in %s" BESIDE_LAST_BACKUP ": %s", path,
                       strerror(errno));
    else
        file_hand_over(fd, path);
    if (fd >= 0)
        close(fd);
    return noted;
}

int64_t backup_last_time(const char *path)
{
    assert(path);
    char line[LINE_MOST];
    uint64_t seconds = 0;
    const int fd = open_beside(path, O_RDONLY);
    const ssize_t len = fd >= 0 ? read(fd, line, sizeof line) : -1;
    struct slice rest = {line, len > 0 ? (size_t)len : 0};
    if (fd >= 0)
        close(fd);
    return slice_to_u64(slice_next(&rest, ' '), INT64_MAX / 1000, &seconds) ? (int64_t)seconds : 0;
}
