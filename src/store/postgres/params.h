// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_PARAMS_H
#define TASKHOLD_STORE_POSTGRES_PARAMS_H

#include <libpq-fe.h>

#include "base/arena.h"
#include "model/user.h"
#include "store/sql.h"

/* What goes to PostgreSQL and comes from it, in its binary form. */

/* ---- the parameters of a statement ---- */

/* Above the columns of an item stand what its space and its journal take; a list has no more. */
#define PARAMS_MOST (RESOURCE_FIELDS_MOST + 32)

/* The same for libpq, from left to right. */
struct params {
    int count;
    const char *values[PARAMS_MOST]; /* NULL: NULL */
    int lengths[PARAMS_MOST];
    Oid types[PARAMS_MOST];
    int64_t numbers[PARAMS_MOST]; /* big-endian; what `values` points to for numbers */
};

/* All of them binary, for libpq's paramFormats. */
extern const int params_formats[PARAMS_MOST];

/* What the values point to, and the struct itself, stay where they are until it was sent. */
void params_init(struct params *p, const struct sql_value *values, unsigned count);

/* The type of a letter of sql.h. */
Oid params_type(char letter);

/* ---- the rows of a result ---- */

/* One row, read from left to right. Slices live as long as the result, or are copied into `arena`
 * when there is one. */
struct row {
    const PGresult *result;
    int number;
    int column;
    struct arena *arena; /* NULL: texts are not copied */
    enum error error;    /* OVERLOADED: no memory for a copy; INTERNAL_ERROR: a column was wrong */
};

struct row row_of(const PGresult *result, int number, struct arena *arena);

int64_t row_i64(struct row *r); /* boolean, smallint, integer or bigint; NULL: 0 */
struct uuid row_uuid(struct row *r);
struct uuid row_optional_uuid(struct row *r); /* NULL: all zero */
struct slice row_text(struct row *r);         /* ptr NULL: NULL */
struct slice row_blob(struct row *r);         /* never copied */

/* The UUID that the first row is; false: there is no row. */
bool row_first_uuid(const PGresult *result, struct uuid *id);

/* In the order of the shared statements on users. */
struct user row_user(struct row *r);

/* The columns of a resource, into an item of its size. */
void row_item(struct row *r, const struct resource *resource, void *item);

#endif
