// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_TRANSFER_DUMP_H
#define TASKHOLD_STORE_TRANSFER_DUMP_H

#include <stdio.h>

#include "store/transfer/table.h"

/* Accounts, spaces, items and changes as JSON Lines: a header with the counts, then a row a line,
 * in the order of `tables`, its members in the order of the columns. The same rows always give the
 * same bytes, whatever engine keeps them. Sessions, known addresses, idempotency keys and what was
 * deleted are left out; password hashes are in.
 *
 * Format 1, of 0.2.0, is read too: accounts with their revision, tasks under `user_id`, and
 * tombstones, which become the deletions of the journal. */

#define DUMP_VERSION 3

/* More than the longest row takes: every byte of its texts escaped. */
#define DUMP_LINE_MOST ((size_t)1024 * 1024)

/* By the place in `tables`. */
struct dump_counts {
    int64_t rows[TABLES_MOST];
};

/* `2 users, 2 spaces, …`; in JSON an object. */
void dump_counts_add(struct buffer *out, const struct dump_counts *counts, bool json);

/* Writes the whole database of `url`, or the account of `email` (ptr NULL: all), in one snapshot.
 * False with one line in `why`. */
bool dump_export(const char *url, struct slice email, FILE *out, struct dump_counts *counts,
                 char *why, size_t why_size);

/* Reads such lines into the empty database of `url`, all of them or none. `name` is what `why`
 * calls the input; it names the line that is wrong. */
bool dump_import(const char *url, FILE *in, const char *name, struct dump_counts *counts, char *why,
                 size_t why_size);

/* ---- the lines, without a database ---- */

/* A kind of line: its `type`, the header's member that counts it, its members. */
struct dump_form {
    const struct table *table;
    struct slice line;
    struct slice lines;
    const struct field *fields;
    size_t count;
};

struct dump_reader {
    struct arena *arena;
    int version;                         /* 0: the header was not read yet */
    struct dump_form forms[TABLES_MOST]; /* of that version */
    size_t form_count;
    struct dump_counts announced;
    char *why; /* what is wrong with the line */
    size_t why_size;
};

/* What a line says. It lives until the next one is read. */
#define DUMP_ROWS_MOST 3
struct dump_rows {
    struct {
        const struct table *table;
        struct field_value values[TABLE_COLUMNS_MOST];
    } list[DUMP_ROWS_MOST];
    size_t count;
};

/* False: no memory. */
bool dump_reader_init(struct dump_reader *reader, char *why, size_t why_size);
void dump_reader_finish(struct dump_reader *reader);

/* Reads the next line, of which the header gives no row. False: `why` says what is wrong. */
bool dump_read(struct dump_reader *reader, struct slice line, struct dump_rows *rows)
    __attribute__((warn_unused_result));

#endif
