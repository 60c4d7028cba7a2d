// SPDX-License-Identifier: MIT
#include <assert.h>

#include "store/sql.h"

/* The texts of writes by a filter. */

/* What is found, and all that is below it; one that is both stands twice. */
static void add_hits(struct buffer *out, const struct store_item_list *op, enum sql_dialect dialect)
{
    buffer_add_text(out, "WITH RECURSIVE hit (id, created_at, parent_id, found) AS (SELECT id, "
                         "created_at, parent_id, CAST(1 AS bigint) FROM ");
    sql_list_from(out, op, dialect);
    sql_list_where(out, op, false, dialect);
    sql_expand(out,
               " UNION SELECT t.id, t.created_at, t.parent_id, CAST(0 AS bigint) FROM hit h "
               "CROSS JOIN {t} t{by:tasks_siblings} WHERE t.space_id = ?1 AND t.parent_id = h.id) ",
               op->resource, dialect);
}

void sql_filter_find(struct buffer *out, const struct store_item_list *op, bool below,
                     enum sql_dialect dialect)
{
    assert(op->term_count <= STORE_TERMS_MOST && op->order_count == 0);
    if (below) {
        add_hits(out, op, dialect);
        buffer_add_text(out, "SELECT id, created_at, parent_id, found FROM hit");
    } else {
        buffer_add_text(out, "SELECT id, created_at, parent_id, CAST(1 AS bigint) FROM ");
        sql_list_from(out, op, dialect);
        sql_list_where(out, op, false, dialect);
        buffer_add_text(out, " ORDER BY created_at, id");
    }
    buffer_add_text(out, " LIMIT ");
    sql_add_parameter(out, 2, dialect);
}

void sql_filter_count(struct buffer *out, const struct store_item_list *op, bool below,
                      enum sql_dialect dialect)
{
    if (below) {
        add_hits(out, op, dialect);
        buffer_add_text(out, "SELECT count(DISTINCT id) FROM hit");
        return;
    }
    buffer_add_text(out, "SELECT count(*) FROM ");
    sql_list_from(out, op, dialect);
    sql_list_where(out, op, false, dialect);
}
