// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_STATEMENT_H
#define TASKHOLD_STORE_SQLITE_STATEMENT_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/sql.h"

/* Prepared statements: made once a connection, bound from left to right, read from left to right.
 *
 * A connection is prepared from a table of texts (sql.h); no text is ever built from data. */
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

/* The same of a statement that somebody else prepared; NULL: that failed with `rc`. */
struct query query_of(sqlite3_stmt *statement, int rc);

/* Binds the next parameter. Bytes are not copied: they stay until query_end. */
void query_bind(struct query *q, struct sql_value typed);
void query_bind_field(struct query *q, const struct field *field, const void *item);

/* query_begin with all parameters: QUERY(statements, SQL_USER_RENAME, SQL_UUID(&id), …). */
#define QUERY(s, index, ...)                                                                       \
    query_begin_with((s), (index), (const struct sql_value[]){__VA_ARGS__},                        \
                     sizeof((const struct sql_value[]){__VA_ARGS__}) / sizeof(struct sql_value))
struct query query_begin_with(struct statements *s, unsigned index, const struct sql_value *values,
                              size_t count);

/* Moves to the next row: false when there is none, or after an error (see `rc`). */
bool query_row(struct query *q);

/* Take the next column. Slices live until the next query_row or query_end. */
int64_t query_take_i64(struct query *q); /* NULL: 0 */
struct slice query_take_text(struct query *q);
struct uuid query_take_uuid(struct query *q);
struct uuid query_take_optional_uuid(struct query *q); /* NULL: all zero */
struct slice query_take_blob(struct query *q);

/* The same as a member of `item`, which has its default there (resource_clear); a value that the
 * member cannot have is SQLITE_CORRUPT. */
void query_take_field(struct query *q, const struct field *field, void *item);

/* The same, copied into `arena`; running out of it is SQLITE_NOMEM. */
struct slice query_copy_text(struct query *q, struct arena *arena);

/* Makes the statement ready for its next use. Returns SQLITE_OK or the error. */
int query_end(struct query *q);

/* Runs a statement to its end, whatever rows it gives, and ends it. */
int query_run(struct query *q);

/* The same of one that must have changed one row; else SQLITE_ABORT. */
int query_run_on_one(struct query *q);

/* The same of one with all its parameters, or none. */
#define QUERY_RUN(s, index, ...) query_run_all(QUERY((s), (index), __VA_ARGS__))
int query_run_all(struct query q);
int query_run_plain(struct statements *s, unsigned index);

#endif
