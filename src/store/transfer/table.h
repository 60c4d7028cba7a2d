// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_TRANSFER_TABLE_H
#define TASKHOLD_STORE_TRANSFER_TABLE_H

#include "store/sql.h"

/* What every engine keeps, written down once: what is copied, exported and compared follows from
 * these tables, whatever the engine calls or stores it. Those of resources follow from their
 * descriptors: the space, then the members in their order. */

#define TABLE_COLUMNS_MOST RESOURCE_FIELDS_MOST

struct table {
    const char *name;
    const char *order;     /* total, and the order of time where SQLite numbers its rows */
    const char *in_sqlite; /* what SQLite, which keeps none, reads instead; NULL: it keeps one */
    const struct resource *resource; /* whose items it has, or NULL */

    /* In an export: the `type` of a line and the member of the header that counts them (ptr NULL:
     * it is in none); the first so many columns; and whether the members of a row go together
     * (NULL: any do). */
    struct slice line;
    struct slice lines;
    size_t exported;
    bool (*fits)(const void *row);

    /* `at` counts in a struct of `size` bytes, where the table is in an export. */
    size_t size;
    size_t column_count;
    struct field columns[TABLE_COLUMNS_MOST];
};

/* Where each stands, in the order of an export; a place may be empty. */
enum table_id {
    TABLE_USERS,
    TABLE_EMAILS,
    TABLE_SPACES,
    TABLE_ITEMS, /* of as many resources as there are */
    TABLE_JOURNAL = TABLE_ITEMS + RESOURCES_MOST,
    TABLE_TRASH,
    TABLE_IDEMPOTENCY_KEYS,
    TABLE_SESSIONS,
    TABLE_SCRIPT_TOKENS,
    TABLE_ACTORS,
    TABLE_KNOWN_ADDRESSES,
    TABLE_INVITATIONS,
    TABLES_MOST,
};

/* Complete after the first tables_setup, which may be called any number of times, by one thread. */
extern struct table tables[TABLES_MOST];
void tables_setup(void);

/* The one after `table`, or the first (NULL); NULL after the last. */
const struct table *table_next(const struct table *table);

/* Its type in the letters of store/sql.h. */
static inline char table_letter(const struct field *column)
{
    return column->flags & FIELD_BLOB ? 'b' : SQL_LETTER(column);
}

/* Where a column stands, or -1. */
int table_find(const struct table *table, struct slice column);

/* What the rows of an export are read into: accounts (struct user), items (the struct of the
 * resource, then a struct uuid of the space), and these. */

struct space_row {
    struct uuid space_id;
    struct uuid owner_id;
    int64_t revision;
    int64_t forgotten;
};

struct change_row {
    struct uuid space_id;
    int64_t revision;
    int64_t at;
    unsigned kind;
    unsigned verb;
    struct uuid id;
    struct uuid actor;
    struct slice before; /* JSON; ptr NULL */
};

struct trash_row {
    struct uuid space_id;
    int64_t revision;
    int64_t root;
    struct uuid id;
    struct uuid parent_id;
};

/* The highest revision that is taken: what every client of JSON reads as it is, and room to go on.
 */
#define TABLE_REVISION_MOST ((INT64_C(1) << 53) - 1)

/* While a move is under way, and after it was interrupted, the database that it writes has an empty
 * table of this name, and is of no use to anyone else. */
#define TABLE_UNFINISHED "unfinished_move"
#define TABLE_UNFINISHED_WHY                                                                       \
    "a move into this database was not finished, so it is empty: run the same taskhold move again"

#endif
