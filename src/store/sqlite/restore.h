// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_RESTORE_H
#define TASKHOLD_STORE_SQLITE_RESTORE_H

#include <stdbool.h>
#include <stddef.h>

/* Puts a backup in the place of the database. */

struct restore_options {
    const char *source; /* the backup */
    const char *url;    /* of the database */
    bool replace;       /* an existing database */
};

/* To be freed. */
struct restore_report {
    char *path; /* of the database */
    char *kept; /* what the replaced database is called now; NULL: there was none */
};

/* Takes the database's lock, so no server may run. The copy is checked before anything is touched,
 * and the database is the old one or the new one, whole, at every moment. The replaced one stays
 * beside it as PATH.before-restore-TIME. Returns false with one line in `why`. */
bool restore_run(const struct restore_options *options, struct restore_report *report, char *why,
                 size_t why_size);
void restore_report_finish(struct restore_report *report);

#endif
