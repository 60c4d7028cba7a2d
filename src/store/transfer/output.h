// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_TRANSFER_OUTPUT_H
#define TASKHOLD_STORE_TRANSFER_OUTPUT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/* Where a command writes its FILE: a regular file, which appears whole or not at all, mode 0600; or
 * something that takes bytes as they come, which is never replaced: a device, a FIFO, or `-`,
 * standard output. */
struct output {
    const char *target; /* as it was named */
    char *path;         /* of a regular file, links followed */
    char *partial;      /* where `fd` writes, until it is published; NULL: into the target itself */
    int fd;             /* what the caller writes to */
    int into;           /* what takes bytes; -1: a regular file */
    bool replace;

    /* Not 0, which a signal handler may make it at any moment: publishing gives up, however long
     * the reader of a pipe does not read. NULL: never. To be set after output_open. */
    const volatile sig_atomic_t *stop;
};

/* `url` is that of the database, whose files are refused. `replace`: a regular file that is there.
 * `whole`: the caller needs a file that it can seek in, and `partial` is one in every case: where
 * the target takes bytes, it is in TMPDIR, else beside the database, else in /var/tmp, where there
 * is room for the database. False with one line in `why`. To be closed either way. */
bool output_open(struct output *output, const char *target, const char *url, bool replace,
                 bool whole, char *why, size_t why_size);

/* What was written to `fd` is all of it: flushes it and makes it the target. */
bool output_publish(struct output *output, char *why, size_t why_size);

/* Removes what was not published. */
void output_close(struct output *output);

#endif
