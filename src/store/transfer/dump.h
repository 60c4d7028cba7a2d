// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_TRANSFER_DUMP_H
#define TASKHOLD_STORE_TRANSFER_DUMP_H

#include <stdio.h>

#include "store/transfer/table.h"

/* Accounts, tasks and tombstones as JSON Lines: a header with the counts, then a row a line, the
 * accounts first. The same rows always give the same bytes, whatever engine keeps them. Sessions,
 * known addresses and idempotency keys are left out; password hashes are in. */

#define DUMP_VERSION      1
#define DUMP_TABLES       3
#define DUMP_COLUMNS_MOST 9

/* The highest revision that is taken: what every client of JSON reads as it is, and room to go on.
 */
#define DUMP_REVISION_MOST ((INT64_C(1) << 53) - 1)

enum dump_kind { DUMP_UUID, DUMP_TEXT, DUMP_TIME, DUMP_NUMBER, DUMP_STATUS };

/* How a column of table.h is written. */
struct dump_column {
    struct slice name;
    enum dump_kind kind;
    bool (*valid)(struct slice text); /* of a text; NULL: none */
};

/* Columns and members of a line stand in the order of the table. */
struct dump_table {
    const struct table *table;
    struct slice type;  /* of its lines */
    struct slice count; /* the header's member */
    bool (*valid)(const struct table_value *row);
    struct dump_column columns[DUMP_COLUMNS_MOST];
};

extern const struct dump_table dump_tables[DUMP_TABLES];

struct dump_counts {
    int64_t rows[DUMP_TABLES];
};

/* Writes the whole database of `url`, or the account of `email` (ptr NULL: all), in one snapshot.
 * False with one line in `why`. */
bool dump_export(const char *url, struct slice email, FILE *out, struct dump_counts *counts,
                 char *why, size_t why_size);

/* Reads such lines into the empty database of `url`, all of them or none. `name` is what `why`
 * calls the input; it names the line that is wrong. */
bool dump_import(const char *url, FILE *in, const char *name, struct dump_counts *counts, char *why,
                 size_t why_size);

#endif
