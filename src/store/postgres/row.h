// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_ROW_H
#define TASKHOLD_STORE_POSTGRES_ROW_H

#include <libpq-fe.h>

#include "base/arena.h"
#include "model/task.h"
#include "model/user.h"

/* One row of a binary result, read from left to right. Slices live as long as the result, or are
 * copied into `arena` when there is one. */
struct row {
    const PGresult *result;
    int number;
    int column;
    struct arena *arena; /* NULL: texts are not copied */
    bool failed;         /* a copy ran out of memory, or a column was not of its size */
};

struct row row_of(const PGresult *result, int number, struct arena *arena);

int64_t row_i64(struct row *r); /* boolean, smallint, integer or bigint; NULL: 0 */
struct uuid row_uuid(struct row *r);
struct slice row_text(struct row *r); /* ptr NULL: NULL */
struct slice row_blob(struct row *r); /* never copied */

/* In the order of columns that every statement on tasks and users has: see sql.c. */
struct task row_task(struct row *r);
struct user row_user(struct row *r);

#endif
