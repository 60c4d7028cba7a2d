// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_TRANSFER_TABLE_H
#define TASKHOLD_STORE_TRANSFER_TABLE_H

#include "base/buffer.h"

/* What every engine keeps, written down once: what is copied, exported and compared follows from
 * this table, whatever the engine calls or stores it. */

enum table_type {
    TABLE_UUID, /* 16 bytes */
    TABLE_I64,
    TABLE_I16, /* narrower in PostgreSQL only */
    TABLE_TEXT,
    TABLE_BLOB,
};

struct table_column {
    const char *name;
    enum table_type type;
    bool nullable;
    const char *in_sqlite; /* what stands for it there; NULL: the name */
};

#define TABLE_COLUMNS_MOST 13

/* One of the columns is user_id, but for invitations. */
struct table {
    const char *name;
    const char *derived; /* the table that SQLite answers it from, and keeps none; NULL */
    const char *order;   /* total, and the order of time where SQLite numbers its rows */
    struct table_column columns[TABLE_COLUMNS_MOST];
    size_t column_count;
};

/* An account comes before what belongs to it. */
enum table_id {
    TABLE_USERS,
    TABLE_EMAILS,
    TABLE_TASKS,
    TABLE_TOMBSTONES,
    TABLE_IDEMPOTENCY_KEYS,
    TABLE_SESSIONS,
    TABLE_KNOWN_ADDRESSES,
    TABLE_INVITATIONS,
    TABLE_COUNT,
};

extern const struct table tables[TABLE_COUNT];

/* One column of a row. */
struct table_value {
    bool null;
    int64_t number;     /* of TABLE_I64 and TABLE_I16 */
    struct slice bytes; /* of the others; ptr is not NULL */
};

static inline bool table_is_number(const struct table_column *column)
{
    return column->type == TABLE_I64 || column->type == TABLE_I16;
}

/* Where a column stands, or -1. */
int table_find(const struct table *table, const char *column);

/* While a move is under way, and after it was interrupted, the database that it writes has an empty
 * table of this name, and is of no use to anyone else. */
#define TABLE_UNFINISHED "unfinished_move"
#define TABLE_UNFINISHED_WHY                                                                       \
    "a move into this database was not finished, so it is empty: run the same taskhold move again"

#endif
