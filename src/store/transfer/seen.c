// SPDX-License-Identifier: MIT
#include "store/transfer/seen.h"

#include <sqlite3.h>
#include <stdlib.h>

struct seen {
    sqlite3 *db;
    sqlite3_stmt *add;
};

struct seen *seen_create(void)
{
    struct seen *seen = calloc(1, sizeof *seen);
    int rc = SQLITE_NOMEM;
    if (!seen)
        return NULL;
    rc = sqlite3_open_v2("", &seen->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(seen->db,
                          "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
                          "CREATE TABLE seen (user BLOB, revision INTEGER, "
                          "PRIMARY KEY (user, revision)) WITHOUT ROWID; BEGIN",
                          NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(seen->db, "INSERT OR IGNORE INTO seen VALUES (?1, ?2)", -1,
                                &seen->add, NULL);
    if (rc != SQLITE_OK)
        seen_destroy(&seen);
    return seen;
}

void seen_destroy(struct seen **seen)
{
    struct seen *s = *seen;
    if (!s)
        return;
    *seen = NULL;
    sqlite3_finalize(s->add);
    (void)sqlite3_close(s->db);
    free(s);
}

enum seen_verdict seen_add(struct seen *seen, struct slice user, int64_t revision)
{
    int rc = sqlite3_bind_blob64(seen->add, 1, user.ptr, user.len, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(seen->add, 2, revision);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(seen->add);
    (void)sqlite3_reset(seen->add);
    if (rc != SQLITE_DONE)
        return SEEN_FAILED;
    return sqlite3_changes(seen->db) == 1 ? SEEN_NEW : SEEN_BEFORE;
}
