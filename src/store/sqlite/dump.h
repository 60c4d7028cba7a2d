#ifndef TASKHOLD_STORE_SQLITE_DUMP_H
#define TASKHOLD_STORE_SQLITE_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/slice.h"

/* Accounts, tasks and tombstones as JSON Lines: a header with the counts, then a row a line, the
 * accounts first. The same rows always give the same bytes. Sessions, known addresses and
 * idempotency keys are left out; password hashes are in. */

#define DUMP_VERSION      1
#define DUMP_TABLES       3
#define DUMP_COLUMNS_MOST 9

enum dump_kind { DUMP_UUID, DUMP_TEXT, DUMP_TIME, DUMP_NUMBER, DUMP_STATUS };

struct dump_column {
    struct slice name;
    enum dump_kind kind;
    bool nullable;
    bool (*valid)(struct slice text); /* of a text; NULL: none */
};

struct dump_value {
    bool null;
    int64_t number;     /* number, time, status */
    struct slice bytes; /* text, UUID */
};

/* Columns, parameters and members of a line stand in one order. */
struct dump_table {
    struct slice type;  /* of its lines */
    struct slice count; /* the header's member */
    const char *count_sql;
    const char *select; /* in a fixed order; ?1: an account, or NULL for all */
    const char *insert; /* inserts nothing when the account is not there, or is older */
    bool (*valid)(const struct dump_value *row);
    struct dump_column columns[DUMP_COLUMNS_MOST];
    size_t column_count;
};

extern const struct dump_table dump_tables[DUMP_TABLES];

struct dump_counts {
    int64_t rows[DUMP_TABLES];
};

/* Writes the whole store, or the account of `email` (ptr NULL: all), in one snapshot of the
 * database `path`. False with one line in `why`. */
bool dump_export(const char *path, struct slice email, FILE *out, struct dump_counts *counts,
                 char *why, size_t why_size);

/* Reads such lines into the empty database of `url`, all of them or none; takes its lock. `name` is
 * what `why` calls the input; it names the line that is wrong. */
bool dump_import(const char *url, FILE *in, const char *name, struct dump_counts *counts, char *why,
                 size_t why_size);

#endif
