// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_TRANSFER_TRANSFER_DB_H
#define TASKHOLD_STORE_TRANSFER_TRANSFER_DB_H

#include "store/sql.h"
#include "store/transfer/table.h"

/* A database as one end of a transfer: rows come out of it, or go into it, a row at a time and
 * with bounded memory, in the terms of table.h. For one thread. */

enum transfer_use {
    TRANSFER_READ,       /* one snapshot, beside those who write; not what was deleted */
    TRANSFER_READ_ALONE, /* everything, and nobody writes meanwhile */
    TRANSFER_IMPORT,     /* into an empty database, all or nothing */
    TRANSFER_MOVE,       /* the same; marked as unfinished until all is there (table.h) */
};

struct transfer_engine;

/* First in what an engine keeps of one. */
struct transfer_db {
    const struct transfer_engine *engine;
    enum transfer_use use;
    char *why; /* where every call that fails leaves one line */
    size_t why_size;

    /* store_engine.epoch: of TRANSFER_READ_ALONE it is there when it is open, and of TRANSFER_MOVE
     * the caller sets it before the end, because what is moved stays the same database. */
    struct uuid epoch;
};

enum transfer_next { TRANSFER_ROW, TRANSFER_END, TRANSFER_FAILED };

struct transfer_engine {
    const char *scheme;
    enum sql_dialect dialect;

    /* `url` and `why` outlive it. NULL: `why` has one line. */
    struct transfer_db *(*open)(const char *url, enum transfer_use use, char *why, size_t why_size);

    /* Gives back what was not finished. */
    void (*close)(struct transfer_db *db);

    /* Who has that e-mail. False: nobody (transfer_db_nobody), or it cannot be read. */
    bool (*find_user)(struct transfer_db *db, struct slice email, struct uuid *user);

    /* Rows of a table, of one account (NULL: of all; else TRANSFER_READ). */
    bool (*count)(struct transfer_db *db, const struct table *table, const struct uuid *user,
                  int64_t *rows);

    /* Begins to read them in the table's order; `next` gives one, whose bytes live until the next
     * call, until it answers anything but TRANSFER_ROW. Nothing else is done with it meanwhile. */
    bool (*read)(struct transfer_db *db, const struct table *table, const struct uuid *user);
    enum transfer_next (*next)(struct transfer_db *db, struct field_value *values);

    /* Writes a row, which is there when it is read, or at the end; a table that the engine does
     * not keep is left out. Rows of several tables may come in any order, but for an account, which
     * comes before its sessions and addresses. */
    bool (*put)(struct transfer_db *db, const struct table *table,
                const struct field_value *values);

    /* Makes all that was written the database, on stable storage; before that, nobody
     * sees it. */
    bool (*finish)(struct transfer_db *db);
};

/* That of a DATABASE_URL. */
struct transfer_db *transfer_db_open(const char *url, enum transfer_use use, char *why,
                                     size_t why_size);

/* NULL is fine; nulls the pointer. */
void transfer_db_close(struct transfer_db **db);

/* Leaves a line; answers false. */
bool transfer_db_fail(struct transfer_db *db, const char *what, const char *detail);

/* ---- for engines ---- */

static inline bool transfer_db_nobody(struct transfer_db *db)
{
    return transfer_db_fail(db, "no account", "there is none with that e-mail");
}

static inline bool transfer_db_writes(const struct transfer_db *db)
{
    return db->use == TRANSFER_IMPORT || db->use == TRANSFER_MOVE;
}

/* Appends the statement that `read` begins, or with `count` the one that counts. */
void transfer_db_select(struct buffer *sql, const struct transfer_db *db, const struct table *table,
                        const struct uuid *user, bool count);

/* Appends the names of the columns. */
void transfer_db_columns(struct buffer *sql, const struct table *table);

/* Ends it with a NUL. */
const char *transfer_db_text(struct buffer *sql);

#endif
