// SPDX-License-Identifier: MIT
#include "store/transfer/output.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/disk.h"
#include "store/sqlite/file.h"

#define COPY_BYTES (256 * 1024)
#define LOOK_MS    100 /* between two looks at whether to give up */

static bool fail(const struct output *o, const char *what, const char *reason, char *why,
                 size_t why_size)
{
    (void)snprintf(why, why_size, "%s %s: %s", what, o->target, reason);
    return false;
}

/* ---- what the target is ---- */

static bool find_target(struct output *o, char *why, size_t why_size)
{
    struct stat status;
    if (lstat(o->target, &status) != 0) {
        o->path = strdup(o->target);
        return o->path || fail(o, "cannot write", "no memory", why, why_size);
    }
    if (stat(o->target, &status) != 0)
        return fail(o, "will not write to", "it is a link that leads nowhere", why, why_size);
    if (S_ISDIR(status.st_mode) || S_ISSOCK(status.st_mode))
        return fail(o, "cannot write to",
                    S_ISDIR(status.st_mode) ? "it is a folder; name a file in it"
                                            : "it is a socket",
                    why, why_size);
    if (!S_ISREG(status.st_mode)) {
        o->into = open(o->target, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        return o->into >= 0 || fail(o, "cannot write to", strerror(errno), why, why_size);
    }
    if (!o->replace)
        return fail(o, "will not overwrite", "it exists; --force replaces it", why, why_size);
    o->path = realpath(o->target, NULL);
    return o->path || fail(o, "cannot find", strerror(errno), why, why_size);
}

/* ---- the file that is written ---- */

/* A file of our own, whose name begins with the two; `errno` says why not. */
static bool make_partial(struct output *o, const char *folder, const char *name)
{
    if (asprintf(&o->partial, "%s%s.partial-XXXXXX", folder, name) < 0) {
        o->partial = NULL; /* it may be anything */
        return false;
    }
    o->fd = mkostemp(o->partial, O_CLOEXEC);
    if (o->fd < 0) {
        free(o->partial); /* there is no such file */
        o->partial = NULL;
    }
    return o->fd >= 0;
}

/* What a copy of the database takes. */
static int64_t size_of(const char *database)
{
    static const char *const ends[] = {"", BESIDE_WAL};
    int64_t size = 0;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        struct stat status;
        char *path = NULL;
        if (asprintf(&path, "%s%s", database, ends[i]) < 0)
            return size;
        size += stat(path, &status) == 0 ? status.st_size : 0;
        free(path);
    }
    return size;
}

/* The room in a folder for who makes files there; -1: nobody can. */
static int64_t room_in(const char *folder)
{
    struct statvfs disk;
    if (access(folder, W_OK | X_OK) != 0 || statvfs(folder, &disk) != 0)
        return -1;
    return (int64_t)disk.f_bavail * (int64_t)disk.f_frsize;
}

/* For what is checked whole before a byte of it is sent on. */
static bool make_elsewhere(struct output *o, const char *url, char *why, size_t why_size)
{
    const char *set = secure_getenv("TMPDIR");
    char *database = file_find(url, why, why_size);
    if (!database)
        return false;
    char *slash = strrchr(database, '/');
    const int64_t size = size_of(database);
    *slash = '\0';
    const char *const folders[] = {set && *set         ? set
                                   : slash == database ? "/"
                                                       : database,
                                   set && *set ? NULL : "/var/tmp"};
    bool made = false;
    for (size_t i = 0; i < 2 && folders[i] && !made; i++)
        made = room_in(folders[i]) >= size && make_partial(o, folders[i], "/taskhold");
    if (!made)
        (void)snprintf(why, why_size,
                       "no room for the copy that is checked before it is sent: set TMPDIR to a "
                       "folder that you may write, with %lld MB free; %s%s%s has %lld",
                       (long long)size / 1000000 + 1, folders[0], folders[1] ? " or " : "",
                       folders[1] ? folders[1] : "",
                       (long long)(room_in(folders[0]) > 0 ? room_in(folders[0]) / 1000000 : 0));
    free(database);
    return made;
}

bool output_open(struct output *o, const char *target, const char *url, bool replace, bool whole,
                 char *why, size_t why_size)
{
    assert(target && url && why_size > 0);
    *o = (struct output){.target = target, .fd = -1, .into = -1, .replace = replace};
    if (*target == '\0') {
        (void)snprintf(why, why_size, "the name of the FILE is empty: name one");
        return false;
    }
    if (strcmp(target, "-") == 0) {
        if (file_refuse_own(url, "standard output", STDOUT_FILENO, why, why_size))
            return false;
        o->target = "standard output";
        o->into = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
        if (o->into < 0)
            return fail(o, "cannot write to", strerror(errno), why, why_size);
    } else if (file_refuse_own(url, target, -1, why, why_size) || !find_target(o, why, why_size)) {
        return false;
    }
    if (o->path)
        return make_partial(o, o->path, "") ||
               fail(o, "cannot write beside", strerror(errno), why, why_size);
    if (whole)
        return make_elsewhere(o, url, why, why_size);
    o->fd = o->into;
    return true;
}

/* ---- publishing ---- */

/* Waits until a small write would not wait, so that a signal is always heeded. */
static bool wait_for_reader(const struct output *o)
{
    struct pollfd reader = {.fd = o->into, .events = POLLOUT};
    while (!o->stop || !*o->stop) {
        const int ready = poll(&reader, 1, LOOK_MS);
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return false;
    }
    errno = EINTR;
    return false;
}

static bool write_all(const struct output *o, const char *data, size_t len, size_t most)
{
    while (len > 0) {
        if (!wait_for_reader(o))
            return false;
        const ssize_t put = write(o->into, data, len < most ? len : most);
        if (put < 0 && errno != EINTR && errno != EAGAIN)
            return false;
        if (put > 0) {
            data += put;
            len -= (size_t)put;
        }
    }
    return true;
}

static bool pour(const struct output *o)
{
    struct stat status;
    char *block = malloc(COPY_BYTES);
    off_t at = 0;
    ssize_t got = block && fstat(o->into, &status) == 0 ? 1 : -1;
    const bool file = got > 0 && S_ISREG(status.st_mode);
    while (got > 0) {
        got = pread(o->fd, block, COPY_BYTES, at);
        if (got > 0 && !write_all(o, block, (size_t)got, file ? COPY_BYTES : PIPE_BUF))
            got = -1;
        at += got;
    }
    free(block);
    return got == 0;
}

/* Pipes and terminals have nothing to flush. */
static bool flush(int fd)
{
    return fsync(fd) == 0 || errno == EINVAL || errno == EROFS || errno == ENOTSUP;
}

bool output_publish(struct output *o, char *why, size_t why_size)
{
    assert(o->fd >= 0 && (o->into >= 0 || (o->path && o->partial)));
    if (o->into >= 0) {
        const bool whole = o->partial;
        /* What ends this process now leaves no file behind. */
        if (whole)
            (void)unlink(o->partial);
        free(o->partial);
        o->partial = NULL;
        const bool done = (!whole || pour(o)) && flush(o->into);
        return done || fail(o, "cannot write to", strerror(errno), why, why_size);
    }
    /* Not a file of the database, whatever was linked here meanwhile, and still a file. */
    struct stat status;
    if (lstat(o->path, &status) == 0 && !S_ISREG(status.st_mode))
        return fail(o, "cannot make", "something else stands there by now", why, why_size);
    if (!flush(o->fd) || !file_move(o->partial, o->path, o->replace))
        return fail(o, "cannot make",
                    errno == EEXIST ? "it exists by now; --force replaces it" : strerror(errno),
                    why, why_size);
    free(o->partial);
    o->partial = NULL;
    return true;
}

void output_close(struct output *o)
{
    assert(!o->partial || o->path || o->into >= 0);
    if (o->fd >= 0 && o->fd != o->into)
        close(o->fd);
    if (o->into >= 0)
        close(o->into);
    if (o->partial)
        (void)unlink(o->partial);
    free(o->partial);
    free(o->path);
    *o = (struct output){.fd = -1, .into = -1};
}
