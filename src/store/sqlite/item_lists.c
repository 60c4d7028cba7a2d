// SPDX-License-Identifier: MIT
#include "store/decision.h"
#include "store/sqlite/item_rows.h"
#include "store/sqlite/readers.h"
#include "store/sqlite/session.h"
#include "store/sqlite/sql.h"

/* Pages of the items of a space. */

#define SQL_MOST 32768 /* bytes of the text of a list */

/* On the loop that asks, of spaces that hold no more than this: so little is read and sorted at
 * once, in a tenth of a millisecond. */
#define LOOP_ITEMS 300
#define LOOP_BYTES STORE_PAGE_BYTES

/* The place of a shape among the statements, made free when it is not there. */
static struct list_statement *find_list(struct list_statements *lists,
                                        const uint8_t shape[static SQL_SHAPE_LEN])
{
    struct list_statement *oldest = &lists->list[0];
    struct list_statement *found = NULL;
    for (unsigned i = 0; i < lists->count && !found; i++) {
        if (memcmp(lists->list[i].shape, shape, SQL_SHAPE_LEN) == 0)
            found = &lists->list[i];
        else if (lists->list[i].used < oldest->used)
            oldest = &lists->list[i];
    }
    if (!found) {
        found = lists->count < LIST_STATEMENTS_MOST ? &lists->list[lists->count++] : oldest;
        sqlite3_finalize(found->statement);
        found->statement = NULL;
        memcpy(found->shape, shape, SQL_SHAPE_LEN);
    }
    found->used = ++lists->uses;
    return found;
}

void list_statements_finish(struct list_statements *lists)
{
    for (unsigned i = 0; i < lists->count; i++)
        sqlite3_finalize(lists->list[i].statement);
    *lists = (struct list_statements){0};
}

/* The rows of a page, in their order, from what was sorted: only keys, since rows are wide and most
 * of them are sorted in vain. */
static void add_sorted(struct buffer *sql, const struct store_item_list *op)
{
    const unsigned keys = sql_list_keys(op);
    buffer_add_text(sql, " FROM (SELECT created_at AS c, id AS i");
    if (sql_list_has_place(op)) {
        buffer_add_text(sql, ", ");
        sql_list_add_place(sql, SQL_SQLITE);
        buffer_add_text(sql, " AS " SQL_LIST_PLACE);
    }
    for (unsigned i = 0; i < keys; i++) {
        buffer_add_text(sql, ", ");
        (void)sql_list_add_key(sql, op, i, SQL_SQLITE);
        buffer_add_format(sql, " AS k%u", i);
    }
    buffer_add_text(sql, " FROM ");
    sql_list_from(sql, op, SQL_SQLITE);
    sql_list_where(sql, op, op->after, SQL_SQLITE);
    sql_list_order(sql, op, SQL_SQLITE);
    buffer_add_text(sql, " LIMIT ?2) CROSS JOIN ");
    buffer_add(sql, op->resource->collection);
    buffer_add_text(sql, " ON space_id = ?1 AND created_at = c AND id = i ORDER BY ");
    for (unsigned i = 0; i < keys; i++)
        buffer_add_format(sql, "k%u %s NULLS LAST, ", i, sql_list_descends(op, i) ? "DESC" : "ASC");
    buffer_add_text(sql, sql_list_descends(op, keys - 1) ? "id DESC" : "id ASC");
}

static void add_list(struct buffer *sql, const struct store_item_list *op, bool total)
{
    sql_expand(sql, total ? "SELECT count(*)" : "SELECT {columns}", op->resource, SQL_SQLITE);
    if (!total && sql_list_has_place(op))
        buffer_add_text(sql, ", " SQL_LIST_PLACE);
    if (!total && !sql_list_is_in_order(op)) {
        add_sorted(sql, op);
        return;
    }
    buffer_add_text(sql, " FROM ");
    sql_list_from(sql, op, SQL_SQLITE);
    sql_list_where(sql, op, op->after && !total, SQL_SQLITE);
    if (total)
        return;
    sql_list_order(sql, op, SQL_SQLITE);
    buffer_add_text(sql, " LIMIT ?2");
}

static int prepare_list(sqlite3 *db, const struct store_item_list *op, bool total,
                        sqlite3_stmt **statement)
{
    struct buffer sql;
    int rc = SQLITE_NOMEM;
    buffer_init(&sql, SQL_MOST);
    add_list(&sql, op, total);
    if (!sql.failed)
        rc = sqlite3_prepare_v3(db, sql.data, (int)sql.len, SQLITE_PREPARE_PERSISTENT, statement,
                                NULL);
    buffer_finish(&sql);
    return rc;
}

/* The statement of a page, or of its total, with what its terms and its position bind. */
static struct query begin_list(const struct store_item_list *op, bool total)
{
    struct store_session *session = op->op.session;
    struct store_item_list shaped = *op;
    struct sql_value values[SQL_LIST_VALUES_MOST];
    uint8_t shape[SQL_SHAPE_LEN];
    shaped.with_total = total; /* a page's own text is the same with a total and without */
    if (total) {
        shaped.after = false;
        shaped.order_count = 0;
    }
    sql_list_shape(&shaped, shape);
    struct list_statement *list = find_list(&session->lists, shape);
    int rc =
        list->statement ? SQLITE_OK : prepare_list(session->db, &shaped, total, &list->statement);
    struct query q = query_of(list->statement, rc);
    query_bind(&q, SQL_UUID(&op->space));
    if (total)
        q.bound++; /* its text has no limit */
    else
        query_bind(&q, SQL_I64((int64_t)op->limit + 1));
    /* Bytes are not copied, and those of the position are in `op` itself. */
    const unsigned count = sql_list_values(total ? &shaped : op, values);
    for (unsigned i = 0; i < count; i++)
        query_bind(&q, values[i]);
    return q;
}

static int read_rows(struct store_item_list *op)
{
    void *row = op->op.session->row;
    struct query q = begin_list(op, false);
    unsigned count = 0;
    bool full = false;
    while (query_row(&q)) {
        if (full) {
            op->more = true;
            break;
        }
        item_rows_take(&q, op->resource, row);
        if (q.rc == SQLITE_OK && sql_list_has_place(op))
            op->place = query_take_text(&q);
        if (q.rc == SQLITE_OK)
            full = !op->each(op, row) || ++count == op->limit;
    }
    return query_end(&q);
}

/* The space's revision, and the total where that is known; a space that is gone has none and no
 * items. */
static int read_space(struct store_item_list *op, struct usage *usage)
{
    struct space space;
    bool found = false;
    int rc = session_snapshot(op->op.session);
    if (rc == SQLITE_OK)
        rc = item_rows_look_at_space(&op->op.session->statements, &op->space, &space, &found);
    op->revision = rc == SQLITE_OK ? space.revision : 0;
    op->more = false;
    op->total = -1;
    if (rc == SQLITE_OK && usage_knows_total(op))
        op->total =
            usage_total(&space.usage, op->resource, op->term_count > 0 ? op->terms[0].choices : 0);
    else if (rc == SQLITE_OK && space.revision == 0)
        op->total = 0;
    *usage = rc == SQLITE_OK ? space.usage : (struct usage){0};
    if (op->revision > 0)
        session_remember(op->op.session, &op->space, op->revision);
    return rc;
}

/* May the rows be skipped at the revision that the space still has? Nothing is read for that: not
 * the space either, which changes seldom while somebody asks again and again. */
static bool is_known(struct store_item_list *op)
{
    op->revision = session_recall(op->op.session, &op->space);
    op->more = false;
    op->total = -1;
    return op->revision > 0 && op->begin && !op->begin(op);
}

static int read_total_and_rows(struct store_item_list *op)
{
    int rc = SQLITE_OK;
    if (op->with_total && op->total < 0) {
        struct query q = begin_list(op, true);
        if (query_row(&q))
            op->total = query_take_i64(&q);
        rc = query_end(&q);
    }
    return rc == SQLITE_OK && op->total != 0 ? read_rows(op) : rc;
}

static bool are_many(int64_t items, int64_t bytes)
{
    return items > LOOP_ITEMS || bytes > LOOP_BYTES;
}

bool item_rows_are_many(const struct usage *usage)
{
    return are_many(usage_total(usage, &task_resource, 0), usage->bytes);
}

/* Must all items of the space be looked at, and are they many? Only the first order has an index;
 * the others keep the first rows of a scan, as a filter does that fits few. */
static bool is_slow(const struct store_item_list *op, const struct usage *usage)
{
    const bool in_order = sql_list_is_in_order(op) && op->term_count == 0;
    const int64_t items = op->resource->count_places > 0 ? usage_total(usage, op->resource, 0)
                                                         : usage->bytes / SPACE_ITEM_BYTES;
    return (!in_order || (op->with_total && op->total < 0)) && are_many(items, usage->bytes);
}

int item_rows_read_page(struct store_item_list *op)
{
    struct usage usage;
    assert(!op->op.session->readers && op->each);
    const int rc = read_space(op, &usage);
    return rc == SQLITE_OK ? read_total_and_rows(op) : rc;
}

void item_rows_list(struct store_item_list *op)
{
    struct usage usage;
    assert(op->resource && op->op.session && op->op.done && op->each);
    assert(op->limit > 0 && op->limit <= STORE_LIMIT_MOST && op->term_count <= STORE_TERMS_MOST);
    assert(op->order_count > 0 && op->order_count <= STORE_ORDERS_MOST);
    if (is_known(op)) {
        session_read_done(op->op.session, &op->op, SQLITE_OK, true);
        return;
    }
    int rc = read_space(op, &usage);
    if (rc == SQLITE_OK && (!op->begin || op->begin(op)) && op->total != 0) {
        if (is_slow(op, &usage)) {
            readers_list(op->op.session->readers, op);
            return;
        }
        rc = read_total_and_rows(op);
    }
    session_read_done(op->op.session, &op->op, rc, true);
}
