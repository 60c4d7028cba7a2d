// SPDX-License-Identifier: MIT
#include "store/transfer/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/sqlite/file.h"
#include "store/sqlite/own.h"

#define COPY_BYTES (256 * 1024)

static bool fail(const struct output *o, const char *what, const char *reason, char *why,
                 size_t why_size)
{
    (void)snprintf(why, why_size, "%s %s: %s", what, o->target, reason);
    return false;
}

/* ---- what the target is ---- */

static bool open_stdout(struct output *o, const char *url, char *why, size_t why_size)
{
    if (own_refuse_open(url, STDOUT_FILENO, "standard output", why, why_size))
        return false;
    o->target = "standard output";
    o->into = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    return o->into >= 0 || fail(o, "cannot write to", strerror(errno), why, why_size);
}

/* Why something that is neither a file nor takes bytes is refused; NULL: it is one of both. */
static const char *objection(mode_t mode)
{
    if (S_ISDIR(mode))
        return "it is a folder; name a file in it";
    return S_ISSOCK(mode) ? "it is a socket" : NULL;
}

static bool find_target(struct output *o, char *why, size_t why_size)
{
    struct stat status;
    if (lstat(o->target, &status) != 0) {
        o->path = strdup(o->target);
        return o->path || fail(o, "cannot write", "no memory", why, why_size);
    }
    if (stat(o->target, &status) != 0)
        return fail(o, "will not write to", "it is a link that leads nowhere", why, why_size);
    const char *reason = objection(status.st_mode);
    if (reason)
        return fail(o, "cannot write to", reason, why, why_size);
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

static bool make_partial(struct output *o, char *why, size_t why_size)
{
    const char *folder = secure_getenv("TMPDIR");
    const int made = o->path ? asprintf(&o->partial, "%s.partial-XXXXXX", o->path)
                             : asprintf(&o->partial, "%s/taskhold.partial-XXXXXX",
                                        folder && *folder ? folder : "/var/tmp");
    o->fd = made >= 0 ? mkostemp(o->partial, O_CLOEXEC) : -1;
    if (o->fd >= 0)
        return true;
    fail(o, o->path ? "cannot write beside" : "no room for (set TMPDIR)", strerror(errno), why,
         why_size);
    if (made >= 0)
        free(o->partial); /* there is no such file */
    o->partial = NULL;
    return false;
}

bool output_open(struct output *o, const char *target, const char *url, bool replace, bool whole,
                 char *why, size_t why_size)
{
    *o = (struct output){.target = target, .fd = -1, .into = -1, .replace = replace};
    if (*target == '\0') {
        (void)snprintf(why, why_size, "the name of the FILE is empty: name one");
        return false;
    }
    if (strcmp(target, "-") == 0) {
        if (!open_stdout(o, url, why, why_size))
            return false;
    } else if (own_refuse(url, target, why, why_size) || !find_target(o, why, why_size)) {
        return false;
    }
    if (o->path || whole)
        return make_partial(o, why, why_size);
    o->fd = o->into;
    return true;
}

/* ---- publishing ---- */

static bool write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        const ssize_t put = write(fd, data, len);
        if (put < 0 && errno != EINTR)
            return false;
        if (put > 0) {
            data += put;
            len -= (size_t)put;
        }
    }
    return true;
}

static bool pour(struct output *o)
{
    char *block = malloc(COPY_BYTES);
    off_t at = 0;
    ssize_t got = block ? 1 : -1;
    while (got > 0) {
        got = pread(o->fd, block, COPY_BYTES, at);
        if (got > 0 && !write_all(o->into, block, (size_t)got))
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
    if (o->into >= 0) {
        const bool done = (!o->partial || pour(o)) && flush(o->into);
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
