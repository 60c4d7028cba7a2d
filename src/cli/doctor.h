// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_DOCTOR_H
#define TASKHOLD_CLI_DOCTOR_H

#include <sqlite3.h>

#include "base/buffer.h"
#include "base/settings.h"

/* What the parts of `taskhold doctor` share. Every check only reads, so that it may run beside a
 * server. */

enum doctor_level { DOCTOR_OK, DOCTOR_WARNING, DOCTOR_ERROR };

struct doctor {
    struct settings settings;
    bool shared; /* the database is a server, and no file */
    char *path;  /* of the database; NULL: there is none */
    sqlite3 *db; /* read-only; NULL: it cannot be opened */
    struct buffer json;
    bool as_json;
    unsigned counts[DOCTOR_ERROR + 1];
};

/* One finding: what was looked at, and what is so. Not good: also what to do, after a colon. */
void doctor_say(struct doctor *d, enum doctor_level level, const char *check, const char *format,
                ...) __attribute__((format(printf, 4, 5)));

/* In doctor_sqlite.c: the files, the library, the schema, the pages. Opens `db`. */
void doctor_sqlite(struct doctor *d);

/* In doctor_postgres.c: the server behind DATABASE_URL, what it promises, the way to it. */
void doctor_postgres(struct doctor *d);

#endif
