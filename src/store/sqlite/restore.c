// SPDX-License-Identifier: MIT
#include "store/sqlite/restore.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/disk.h"
#include "store/sqlite/database.h"
#include "store/sqlite/file.h"
#include "store/sqlite/inspect.h"

#define COPY_BYTES (256 * 1024)

struct restore {
    const struct restore_options *options;
    struct restore_report *report;
    char *why;
    size_t why_size;
    struct file file;
    char *partial; /* the copy that becomes the database */
    char *wal;     /* beside the database */
    char *kept;
    char *kept_wal;
};

static bool fail(struct restore *r, const char *what, const char *path, const char *reason)
{
    (void)snprintf(r->why, r->why_size, "%s %s: %s", what, path, reason);
    return false;
}

/* Size of a file, 0 when there is none. */
static off_t size_of(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? status.st_size : 0;
}

/* A cheap look before the lock is taken and files are made. */
static bool look_at_source(struct restore *r)
{
    const char *source = r->options->source;
    char *wal = NULL;
    struct stat status;
    if (strcmp(source, "-") == 0)
        return fail(r, "cannot restore from", source,
                    "a backup is read more than once; put it into a file and name that");
    if (file_refuse_own(r->options->url, source, -1, r->why, r->why_size))
        return false;
    if (stat(source, &status) != 0)
        return fail(r, "cannot open", source, strerror(errno));
    if (S_ISDIR(status.st_mode))
        return fail(r, "cannot restore from", source, "it is a folder; name a backup in it");
    if (asprintf(&wal, "%s-wal", source) < 0)
        return fail(r, "cannot read", source, "no memory");
    const bool in_use = size_of(wal) > 0;
    free(wal);
    if (in_use)
        return fail(r, "will not restore", source,
                    "it has a -wal file, so it is no backup; make one with taskhold backup");
    sqlite3 *db = inspect_open_still(source, source, r->why, r->why_size);
    const bool good = db != NULL;
    database_close(&db);
    return good;
}

/* With the lock: refuses to overwrite, and names what will stand beside the database. */
static bool name_files(struct restore *r)
{
    char moment[32];
    struct tm utc;
    const char *path = r->file.path;
    const time_t now = time(NULL);
    if (size_of(path) > 0 && !r->options->replace)
        return fail(r, "will not overwrite", path,
                    "it exists; --force replaces it and keeps it under another name");
    if (!gmtime_r(&now, &utc) || strftime(moment, sizeof moment, "%Y%m%dT%H%M%SZ", &utc) == 0)
        return fail(r, "cannot name what is beside", path, "the clock is wrong");
    bool named = asprintf(&r->wal, "%s-wal", path) >= 0 &&
                 asprintf(&r->kept, "%s.before-restore-%s", path, moment) >= 0 &&
                 asprintf(&r->kept_wal, "%s-wal", r->kept) >= 0 &&
                 asprintf(&r->partial, "%s.partial-XXXXXX", path) >= 0;
    return named || fail(r, "cannot restore", path, "no memory");
}

static bool copy(struct restore *r)
{
    const char *source = r->options->source;
    const int from = open(source, O_RDONLY | O_CLOEXEC);
    const int to = from >= 0 ? mkostemp(r->partial, O_CLOEXEC) : -1;
    if (to >= 0)
        file_hand_over(to, r->file.path);
    ssize_t got = 1;
    while (to >= 0 && (got > 0 || (got < 0 && errno == EINTR)))
        got = sendfile(to, from, NULL, COPY_BYTES);
    const bool copied = got == 0 && fsync(to) == 0;
    if (!copied)
        fail(r, "cannot copy", source, strerror(errno));
    if (from >= 0)
        close(from);
    if (to >= 0)
        close(to);
    return copied;
}

/* The copy itself is checked: what was read twice may have changed in between. */
static bool verify(struct restore *r)
{
    const char *source = r->options->source;
    sqlite3 *db = inspect_open_still(r->partial, source, r->why, r->why_size);
    const bool good = db && inspect_integrity(db, source, r->why, r->why_size);
    database_close(&db);
    return good;
}

/* What was done since the backup is undone, so revisions will be given out again: the copy gets an
 * epoch of its own, so that no tag will be. All of it is in the file when this returns, and the WAL
 * that it took is gone. */
static bool renew(struct restore *r)
{
    bool renewed = false;
    sqlite3 *db = database_open_writer(r->partial, r->why, r->why_size);
    if (db) {
        int rc = database_renew_epoch(db);
        if (rc == SQLITE_OK)
            rc = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
        renewed = rc == SQLITE_OK || fail(r, "cannot write", r->partial, database_error(db, rc));
    }
    database_close(&db);
    return renewed && (file_remove_beside(r->partial) ||
                       fail(r, "cannot remove what is beside", r->partial, strerror(errno)));
}

/* Gives the old database a second name. What is left of its WAL is moved into it first; a damaged
 * one that refuses that keeps its WAL beside it. */
static bool keep_old(struct restore *r)
{
    char ignored[256];
    if (size_of(r->file.path) == 0)
        return true;
    sqlite3 *db = database_open_writer(r->file.path, ignored, sizeof ignored);
    database_close(&db);
    if (link(r->file.path, r->kept) != 0 ||
        (size_of(r->wal) > 0 && link(r->wal, r->kept_wal) != 0) ||
        !file_sync_directory(r->file.path))
        return fail(r, "cannot keep the old database as", r->kept, strerror(errno));
    r->report->kept = strdup(r->kept);
    return true;
}

/* An old WAL must never meet the new file, nor the old file be found without what is in its WAL. */
static bool swap(struct restore *r)
{
    bool good = size_of(r->wal) == 0 || unlink(r->file.path) == 0 || errno == ENOENT;
    good = good && file_remove_beside(r->file.path) && file_sync_directory(r->file.path) &&
           file_move(r->partial, r->file.path, true);
    return good || fail(r, "cannot replace", r->file.path, strerror(errno));
}

bool restore_run(const struct restore_options *options, struct restore_report *report, char *why,
                 size_t why_size)
{
    assert(options->source && options->url && why_size > 0);
    struct restore r = {
        .options = options, .report = report, .why = why, .why_size = why_size, .file.lock = -1};
    memset(report, 0, sizeof *report);
    database_setup();
    const bool named =
        look_at_source(&r) && file_claim(&r.file, options->url, why, why_size) && name_files(&r);
    const bool done = named && copy(&r) && verify(&r) && renew(&r) && keep_old(&r) && swap(&r);
    if (named && !done) {
        (void)file_remove_beside(r.partial);
        (void)unlink(r.partial);
    }
    if (done)
        report->path = strdup(r.file.path);
    else
        file_forget(&r.file);
    file_release(&r.file);
    free(r.partial);
    free(r.wal);
    free(r.kept);
    free(r.kept_wal);
    return done;
}

void restore_report_finish(struct restore_report *report)
{
    assert(report);
    free(report->path);
    free(report->kept);
    *report = (struct restore_report){0};
}
