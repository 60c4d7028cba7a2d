// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_TRANSFER_SIDE_H
#define TASKHOLD_STORE_TRANSFER_SIDE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/uuid.h"
#include "store/transfer/table.h"

/* A database as one side of a transfer: rows come out of it, or go into it, a row at a time and
 * with bounded memory, in the terms of table.h. For one thread. */

enum side_use {
    SIDE_READ,       /* one snapshot, beside those who write */
    SIDE_READ_ALONE, /* the same, and nobody writes meanwhile */
    SIDE_IMPORT,     /* into an empty database, all or nothing */
    SIDE_MOVE,       /* the same; marked as unfinished until all is there, see TABLE_UNFINISHED */
};

struct side_engine;

/* First in what an engine keeps of a side. */
struct side {
    const struct side_engine *engine;
    char *why; /* where every call that fails leaves one line */
    size_t why_size;
    int64_t line; /* of the row that a verdict is about */
};

enum side_next { SIDE_ROW, SIDE_END, SIDE_FAILED };

enum side_insert {
    SIDE_INSERTED,
    SIDE_ORPHAN, /* its account is not there, or has a lower revision */
    SIDE_DOUBLE, /* one with the same key is there */
    SIDE_NOT_INSERTED,
};

enum side_found { SIDE_FOUND, SIDE_NOT_FOUND, SIDE_NOT_ASKED };

struct side_engine {
    /* `url` and `why` outlive the side. NULL: `why` has one line. */
    struct side *(*open)(const char *url, enum side_use use, char *why, size_t why_size);

    /* Gives back what was not finished. */
    void (*close)(struct side *side);

    /* Who has that e-mail. */
    enum side_found (*find_user)(struct side *side, struct slice email, struct uuid *user);

    /* Rows of a table, of one account (NULL: of all). */
    bool (*count)(struct side *side, const struct table *table, const struct uuid *user,
                  int64_t *rows);

    /* Begins to read them in the table's order; `next` gives one, whose bytes live until the next
     * call, until it answers anything but SIDE_ROW. Nothing else is done with the side meanwhile.
     */
    bool (*read)(struct side *side, const struct table *table, const struct uuid *user);
    enum side_next (*next)(struct side *side, struct table_value values[TABLE_COLUMNS_MOST]);

    /* Writes many rows of one table: any number of `put` between the two. */
    bool (*write)(struct side *side, const struct table *table);
    bool (*put)(struct side *side, const struct table_value *values);
    bool (*written)(struct side *side);

    /* Writes one row, which stood in `line`, and looks whether it fits. The verdict may be about a
     * row that was given earlier: see side->line. Other than SIDE_INSERTED ends the transfer. */
    enum side_insert (*insert)(struct side *side, const struct table *table,
                               const struct table_value *values, int64_t line);

    /* Waits for the verdicts that are not there yet. */
    enum side_insert (*inserted)(struct side *side);

    /* Makes all that was written the database, on stable storage; before that, nobody sees it. */
    bool (*finish)(struct side *side);
};

/* The side of a DATABASE_URL. */
struct side *side_open(const char *url, enum side_use use, char *why, size_t why_size);

/* NULL is fine; nulls the pointer. */
void side_close(struct side **side);

/* Leaves a line; answers false. */
bool side_fail(struct side *side, const char *what, const char *detail);

#endif
