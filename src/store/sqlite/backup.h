// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_BACKUP_H
#define TASKHOLD_STORE_SQLITE_BACKUP_H

#include <signal.h>

#include "store/sqlite/inspect.h"

/* A whole copy of the database as it was at one moment, also while a server writes to it. */

struct backup_options {
    const char *source; /* the database, as file_find gives it */
    const char *url;    /* of the same */
    const char *target; /* a file, or `-`: see output.h */
    bool replace;       /* an existing target */

    /* Called now and then with the pages copied and all of them. May be NULL. */
    void (*progress)(int64_t copied, int64_t pages);

    /* Not 0, which a signal handler may make it at any moment: gives up. May be NULL. */
    const volatile sig_atomic_t *stop;
};

struct backup_report {
    int64_t read_ms; /* when, in Unix time, the database was as it is in the copy */
    int64_t schema;
    int64_t bytes;
    struct inspect_tables tables;
};

/* Holds every write that was acknowledged before the call. Reads the source in one snapshot, and
 * neither writes to it nor checkpoints it. A file appears whole or not at all: it is made under
 * another name with mode 0600, flushed, compared with the snapshot (integrity, references, number
 * and digest of the rows of each table), and renamed. Returns false with one line in `why`. */
bool backup_create(const struct backup_options *options, struct backup_report *report, char *why,
                   size_t why_size);

/* When the database was last backed up, in a small file beside it (BESIDE_LAST_BACKUP): a backup
 * only reads the database, and a server may start after it. The file is one line, seconds of Unix
 * time and the same for people: `1764416400 2025-11-29T11:40:00Z`. */

/* Notes that a copy was made of what the database `path` held at `when_ms`. False with one line in
 * `why`. */
bool backup_note_time(const char *path, int64_t when_ms, char *why, size_t why_size);

/* What was noted last, in seconds of Unix time; 0: nothing that can be read. */
int64_t backup_last_time(const char *path);

#endif
