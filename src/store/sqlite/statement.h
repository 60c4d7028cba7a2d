// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_STATEMENT_H
#define TASKHOLD_STORE_SQLITE_STATEMENT_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"
#include "base/uuid.h"

/* Prepared statements: made once a connection, bound from left to right, read from left to right.
 *
 * A connection is prepared from a constant table of texts; no text is ever built from data. */
struct statements {
    sqlite3 *db;
    const char *const *texts;
    sqlite3_stmt **prepared; /* `count`, NULL until first used */
    unsigned count;
};

/* Returns false without memory. `texts` outlives it. */
bool statements_init(struct statements *s, sqlite3 *db, const char *const *texts, unsigned count)
    __attribute__((warn_unused_result));
void statements_finish(struct statements *s);

/* One run of a statement. `rc` is sticky: the first code that is neither SQLITE_OK, SQLITE_ROW nor
 * SQLITE_DONE stays, and every later call does nothing. */
struct query {
    sqlite3_stmt *statement;
    int rc;
    int bound;  /* parameters bound so far */
    int column; /* columns taken of the row so far */
};

/* Text `index` of the table, ready to be bound. Every query that was begun is ended. */
struct query query_begin(struct statements *s, unsigned index);

/* Bind the next parameter. Bytes are not copied: they stay until query_end. */
void query_bind_i64(struct query *q, int64_t value);
void query_bind_uuid(struct query *q, const struct uuid *id);
void query_bind_text(struct query *q, struct slice text); /* ptr NULL: NULL */
void query_bind_blob(struct query *q, const void *bytes, size_t size);
void query_bind_null(struct query *q);
void query_bind_time(struct query *q, int64_t ms); /* 0: NULL */

/* Moves to the next row: false when there is none, or after an error (see `rc`). */
bool query_row(struct query *q);

/* Take the next column. Slices live until the next query_row or query_end. */
int64_t query_take_i64(struct query *q); /* NULL: 0 */
struct slice query_take_text(struct query *q);
struct uuid query_take_uuid(struct query *q);
struct slice query_take_blob(struct query *q);

/* The same, copied into `arena`; running out of it is SQLITE_NOMEM. */
struct slice query_copy_text(struct query *q, struct arena *arena);

/* Makes the statement ready for its next use. Returns SQLITE_OK or the error. */
int query_end(struct query *q);

/* Runs to the end a statement that gives no rows, and ends it. */
int query_run(struct query *q);

#endif
