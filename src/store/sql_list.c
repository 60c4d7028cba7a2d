// SPDX-License-Identifier: MIT
#include "store/sql.h"

#include <assert.h>

#include "model/task.h"
#include "model/task_list.h"

/* The texts of lists: what a term and an order are in SQL. Functions that SQLite does not have are
 * those of store/sqlite/functions.h. */

static_assert(TASK_COMPLETED == 2, "the texts name its number");

/* A dialect's own words. */
#define WORDS(dialect, sqlite, postgres) ((dialect) == SQL_SQLITE ? (sqlite) : (postgres))

/* Whether one of the tasks that it waits for is there and not completed. */
static const char *const blocked[] = {
    [SQL_SQLITE] = "(blocked_by IS NOT NULL AND uuids_meet(blocked_by, (SELECT uuid_set(o.id) FROM "
                   "tasks o WHERE o.space_id = ?1 AND o.status <> 2)))",
    [SQL_POSTGRES] = "(blocked_by IS NOT NULL AND (SELECT bool_or(b.id IN (SELECT o.id FROM tasks "
                     "o WHERE o.space_id = $1 AND o.status <> 2)) FROM unnest(string_to_array("
                     "translate(blocked_by, '[]\"', ''), ',')::uuid[]) b(id)))",
};

/* Whether a task at any level below it is not completed. */
static const char *const has_open[] = {
    [SQL_SQLITE] = "uuid_in((SELECT uuid_above(c.id, c.parent_id, c.status <> 2) FROM tasks c "
                   "WHERE c.space_id = ?1 AND c.parent_id IS NOT NULL), id)",
    [SQL_POSTGRES] = "id IN (WITH RECURSIVE above(id) AS (SELECT c.parent_id FROM tasks c WHERE "
                     "c.space_id = $1 AND c.status <> 2 AND c.parent_id IS NOT NULL UNION SELECT "
                     "p.parent_id FROM above a JOIN (SELECT s.id, s.parent_id FROM tasks s WHERE "
                     "s.space_id = $1 AND s.parent_id IS NOT NULL) p ON p.id = a.id) "
                     "SELECT id FROM above)",
};

/* The position of the list that a task is in. SQLite looks through all lists for each task, where
 * they are joined. */
#define PLACE_SQLITE                                                                               \
    "place_of((SELECT place_set(a.id, a.position) FROM lists a WHERE a.space_id = ?1), list_id)"

/* ---- what is compared in an order ---- */

struct key {
    const struct store_order *order;
    unsigned place; /* of the order */
    bool first;     /* of the two that an order may have */
    bool descending;
};

static unsigned keys_of(const struct store_order *order)
{
    return order->order == LIST_BY_FOLDED || order->order == LIST_BY_LIST ? 2 : 1;
}

static struct key key_at(const struct store_item_list *op, unsigned number)
{
    unsigned place = 0;
    while (number >= keys_of(&op->orders[place])) {
        number -= keys_of(&op->orders[place++]);
        assert(place < op->order_count);
    }
    return (struct key){&op->orders[place], place, number == 0, op->orders[place].descending};
}

unsigned sql_list_keys(const struct store_item_list *op)
{
    unsigned count = 0;
    for (unsigned i = 0; i < op->order_count; i++)
        count += keys_of(&op->orders[i]);
    return count;
}

bool sql_list_descends(const struct store_item_list *op, unsigned key)
{
    return key_at(op, key).descending;
}

static bool has_order(const struct store_item_list *op, enum list_order order)
{
    for (unsigned i = 0; i < op->order_count; i++) {
        if (op->orders[i].order == order)
            return true;
    }
    return false;
}

bool sql_list_is_in_order(const struct store_item_list *op)
{
    return op->order_count == 1 && op->orders[0].order == LIST_BY_VALUE &&
           op->orders[0].field->at == offsetof(struct item, created_at);
}

bool sql_list_has_place(const struct store_item_list *op)
{
    return has_order(op, LIST_BY_LIST);
}

static bool has_runs(const struct store_item_list *op)
{
    return has_order(op, LIST_BY_START) || has_order(op, LIST_BY_DUE);
}

/* The number of the first parameter after those of the runs. */
static unsigned first_free(const struct store_item_list *op, enum sql_dialect dialect)
{
    const unsigned runs = WORDS(dialect, SQL_LIST_RUNS_SQLITE, SQL_LIST_RUNS_POSTGRES);
    return has_runs(op) ? 3 + runs : 3;
}

/* As days_start_key and days_due_key; the days are in ?3 and, in PostgreSQL, their offsets in ?4.
 * A date's number is one more than twice its midnight in UTC. */
static void add_day_key(struct buffer *out, const struct field *field, bool due,
                        enum sql_dialect dialect)
{
    const char *name = field->name.ptr;
    if (dialect == SQL_SQLITE)
        buffer_add_format(out, "day_%s(%s, ?3)", due ? "end" : "begin", name);
    else
        buffer_add_format(out,
                          "CASE %s & 1 WHEN 0 THEN %s ELSE %s %s - 2 * "
                          "$4[width_bucket(((%s - 1) / 172800000)::int4%s, $3)] END",
                          name, name, name, due ? "+ 172799998" : "- 1", name, due ? " + 1" : "");
}

bool sql_list_add_key(struct buffer *out, const struct store_item_list *op, unsigned key,
                      enum sql_dialect dialect)
{
    const struct key k = key_at(op, key);
    const struct field *field = k.order->field;
    const char *name = field->name.ptr;
    switch (k.order->order) {
    case LIST_BY_VALUE: break;
    case LIST_BY_FOLDED:
        if (k.first)
            buffer_add_format(out,
                              WORDS(dialect, "fold_first(folded, %s)",
                                    "coalesce(split_part(folded, E'\\n', 1), lower(%s))"),
                              name);
        else
            buffer_add(out, field->name);
        return false;
    case LIST_BY_START:
    case LIST_BY_DUE:
        buffer_add_char(out, '(');
        add_day_key(out, field, k.order->order == LIST_BY_DUE, dialect);
        buffer_add_char(out, ')');
        return (field->flags & FIELD_NULLABLE) != 0;
    case LIST_BY_LIST:
        if (k.first)
            sql_list_add_place(out, dialect);
        else
            buffer_add(out, field->name);
        return true;
    }
    buffer_add(out, field->name);
    return (field->flags & FIELD_NULLABLE) != 0;
}

/* The value of a key in the position. */
static struct sql_value key_value(const struct store_item_list *op, unsigned number)
{
    const struct key k = key_at(op, number);
    const struct field_value *value = &op->position.keys[k.place];
    const struct slice beside = op->position.beside[k.place];
    struct when when;
    const bool timed = k.order->order == LIST_BY_START || k.order->order == LIST_BY_DUE;
    if (value->null)
        return (struct sql_value){'i', {.null = true}};
    if (keys_of(k.order) == 2 && k.first)
        return (struct sql_value){'t', {.bytes = beside}};
    if (!timed || !when_unpack(value->number, &when))
        return (struct sql_value){SQL_LETTER(k.order->field), *value};
    return SQL_I64(k.order->order == LIST_BY_DUE ? days_due_key(&when, op->runs, op->run_count)
                                                 : days_start_key(&when, op->runs, op->run_count));
}

/* ---- terms ---- */

/* How many ids a LIST_IN names, or more than one. */
enum ids { NO_ID, ONE_ID, SOME_IDS };

static enum ids ids_of(const struct store_term *term)
{
    const size_t count = term->list.len / sizeof(struct uuid);
    assert(term->list.len % sizeof(struct uuid) == 0 && (count > 0 || term->or_null));
    return count > 1 ? SOME_IDS : (enum ids)count;
}

static bool has_value(const struct store_term *term)
{
    return !field_is_choice(term->field->type) && !term->value.null;
}

static void add_in(struct buffer *out, const struct store_term *term, unsigned *number,
                   enum sql_dialect dialect)
{
    assert(term->field);
    const char *name = term->field->name.ptr;
    const enum ids ids = ids_of(term);
    buffer_add_char(out, '(');
    if (ids == SOME_IDS && dialect == SQL_SQLITE) {
        buffer_add_format(out, "uuid_in(?%u, %s)", (*number)++, name);
    } else if (ids == SOME_IDS) {
        buffer_add_format(out,
                          "%s = ANY (ARRAY(SELECT encode(substr($%u, i * 16 + 1, 16), "
                          "'hex')::uuid FROM generate_series(0, octet_length($%u) / 16 - 1) i))",
                          name, *number, *number);
        (*number)++;
    } else if (ids == ONE_ID) {
        buffer_add_format(out, "%s = ", name);
        sql_add_parameter(out, (*number)++, dialect);
    }
    buffer_add_text(out, ids != NO_ID && term->or_null ? " OR " : "");
    if (term->or_null)
        buffer_add_format(out, "%s IS NULL", name);
    buffer_add_char(out, ')');
}

/* A date and an instant have a limit of their own; see days_pack. */
static void add_moment(struct buffer *out, const char *name, enum field_type type, bool before,
                       unsigned *number, enum sql_dialect dialect)
{
    buffer_add_format(out, "%s %s ", name, before ? "<" : ">=");
    if (type == FIELD_TIME) {
        sql_add_parameter(out, (*number)++, dialect);
        return;
    }
    buffer_add_format(out, "CASE %s & 1 WHEN 0 THEN ", name);
    sql_add_parameter(out, (*number)++, dialect);
    buffer_add_text(out, " ELSE ");
    sql_add_parameter(out, (*number)++, dialect);
    buffer_add_text(out, " END");
}

static void add_strings(struct buffer *out, const struct store_term *term, unsigned number,
                        enum sql_dialect dialect)
{
    assert(term->field);
    const char *name = term->field->name.ptr;
    const bool all = term->filter == LIST_ALL_OF;
    if (dialect == SQL_SQLITE)
        buffer_add_format(out, "strings_%s(?%u, %s)", all ? "all" : "any", number, name);
    else
        buffer_add_format(out,
                          "(%s IS NOT NULL AND %s::jsonb %s ARRAY(SELECT "
                          "jsonb_array_elements_text($%u::jsonb)))",
                          name, name, all ? "?&" : "?|", number);
}

/* Of a row without `folded` all members are plain (base/fold.h). In PostgreSQL each term is a
 * pattern, and the labels are taken out of their JSON, where no plain one has an escape. */
static void add_search(struct buffer *out, unsigned number, enum sql_dialect dialect)
{
    if (dialect == SQL_SQLITE)
        buffer_add_format(out, "is_found(?%u, folded, title, description, labels)", number);
    else
        buffer_add_format(
            out,
            "coalesce(folded, lower(title || coalesce(E'\\n' || description, '') || "
            "coalesce(E'\\n' || replace(substr(labels, 3, length(labels) - 4), '\",\"', E'\\n'), "
            "''))) LIKE ALL (ARRAY(SELECT '%%' || regexp_replace(w, '([\\\\%%_])', '\\\\\\1', 'g') "
            "|| '%%' FROM unnest(string_to_array($%u, E'\\n')) w))",
            number);
}

static void add_wanted(struct buffer *out, const struct store_term *term)
{
    buffer_add_text(out, term->wanted ? ") IS TRUE" : ") IS NOT TRUE");
}

static void add_own(struct buffer *out, const struct store_term *term, unsigned *number,
                    enum sql_dialect dialect)
{
    buffer_add_char(out, '(');
    switch (term->filter) {
    case LIST_BLOCKED: buffer_add_text(out, blocked[dialect]); break;
    case LIST_ARCHIVED:
        buffer_add_text(out, "list_id IN (SELECT a.id FROM lists a WHERE a.space_id = ");
        sql_add_parameter(out, 1, dialect);
        buffer_add_text(out, " AND a.archived <> 0)");
        break;
    case LIST_OVERDUE:
        buffer_add_text(out, "status <> 2 AND ");
        add_moment(out, "due", FIELD_WHEN, true, number, dialect);
        break;
    default:
        assert(term->filter == LIST_READY);
        buffer_add_text(out, "status <> 2 AND (start IS NULL OR ");
        add_moment(out, "start", FIELD_WHEN, true, number, dialect);
        buffer_add_format(out, ") AND (%s) IS NOT TRUE AND NOT %s", blocked[dialect],
                          has_open[dialect]);
    }
    add_wanted(out, term);
}

static void add_term(struct buffer *out, const struct store_term *term, unsigned *number,
                     enum sql_dialect dialect)
{
    const char *name = term->field ? term->field->name.ptr : NULL;
    buffer_add_text(out, " AND ");
    switch (term->filter) {
    case LIST_IS:
        assert(term->field);
        if (field_is_choice(term->field->type)) {
            assert(term->choices != 0);
            buffer_add_text(out, "((");
            sql_add_parameter(out, (*number)++, dialect);
            buffer_add_format(out, " >> %s) & 1) <> 0", name);
        } else if (term->value.null) {
            buffer_add_format(out, "%s IS NULL", name);
        } else {
            buffer_add_format(out, "%s = ", name);
            sql_add_parameter(out, (*number)++, dialect);
        }
        return;
    case LIST_IN: add_in(out, term, number, dialect); return;
    case LIST_THERE:
        buffer_add_format(out, "%s IS %sNULL", name, term->wanted ? "NOT " : "");
        return;
    case LIST_BEFORE:
    case LIST_FROM:
        assert(term->field);
        add_moment(out, name, term->field->type, term->filter == LIST_BEFORE, number, dialect);
        return;
    case LIST_ANY_OF:
    case LIST_ALL_OF: add_strings(out, term, (*number)++, dialect); return;
    case LIST_SEARCH: add_search(out, (*number)++, dialect); return;
    default: add_own(out, term, number, dialect);
    }
}

static unsigned bind_moment(const struct days_packed *limit, enum field_type type,
                            struct sql_value *values)
{
    values[0] = SQL_I64(limit->even);
    values[1] = SQL_I64(limit->odd);
    return type == FIELD_TIME ? 1 : 2;
}

/* What add_term has parameters for. Returns how many. */
static unsigned bind_term(const struct store_term *term, struct sql_value *values)
{
    switch (term->filter) {
    case LIST_IS:
        values[0] = field_is_choice(term->field->type)
                        ? SQL_I64((int64_t)term->choices)
                        : (struct sql_value){SQL_LETTER(term->field), term->value};
        return field_is_choice(term->field->type) || !term->value.null;
    case LIST_IN:
        values[0] = (struct sql_value){ids_of(term) == ONE_ID ? 'u' : 'b', {.bytes = term->list}};
        return ids_of(term) != NO_ID;
    case LIST_BEFORE:
    case LIST_FROM: return bind_moment(&term->limit, term->field->type, values);
    case LIST_OVERDUE:
    case LIST_READY: return bind_moment(&term->limit, FIELD_WHEN, values);
    case LIST_ANY_OF:
    case LIST_ALL_OF:
    case LIST_SEARCH: values[0] = SQL_TEXT(term->list); return 1;
    default: return 0;
    }
}

/* ---- the parts of a text ---- */

void sql_list_shape(const struct store_item_list *op, uint8_t shape[static SQL_SHAPE_LEN])
{
    const struct field *fields = op->resource->fields;
    uint8_t *at = shape + 4;
    assert(op->term_count <= STORE_TERMS_MOST && op->order_count <= STORE_ORDERS_MOST);
    memset(shape, 0, SQL_SHAPE_LEN);
    shape[0] = (uint8_t)resource_index(op->resource);
    shape[1] = (uint8_t)((op->after ? 1 : 0) | (op->with_total ? 2 : 0));
    shape[2] = (uint8_t)op->order_count;
    shape[3] = (uint8_t)op->term_count;
    for (unsigned i = 0; i < op->order_count; i++) {
        *at++ = (uint8_t)op->orders[i].order;
        *at++ = (uint8_t)(op->orders[i].field - fields);
        *at++ = (uint8_t)((op->orders[i].descending ? 1 : 0) |
                          (op->after && op->position.keys[i].null ? 2 : 0));
    }
    for (unsigned i = 0; i < op->term_count; i++) {
        const struct store_term *term = &op->terms[i];
        unsigned form = (term->wanted ? 1U : 0) | (term->or_null ? 2U : 0);
        if (term->filter == LIST_IS)
            form = has_value(term);
        if (term->filter == LIST_IN)
            form |= (unsigned)ids_of(term) << 2;
        assert(form < 16 && term->filter < 16);
        *at++ = (uint8_t)((unsigned)term->filter << 4 | form);
        *at++ = (uint8_t)(term->field ? term->field - fields + 1 : 0);
    }
}

void sql_list_add_place(struct buffer *out, enum sql_dialect dialect)
{
    buffer_add_text(out, WORDS(dialect, PLACE_SQLITE, SQL_LIST_PLACE));
}

void sql_list_from(struct buffer *out, const struct store_item_list *op, enum sql_dialect dialect)
{
    buffer_add(out, op->resource->collection);
    if (!sql_list_has_place(op) || dialect == SQL_SQLITE)
        return;
    buffer_add_text(out, " LEFT JOIN (SELECT a.id AS list_key, a.position AS " SQL_LIST_PLACE
                         " FROM lists a WHERE a.space_id = ");
    sql_add_parameter(out, 1, dialect);
    buffer_add_text(out, ") l ON list_key = list_id");
}

/* After the position: the first key that differs says so. One that is null there has only the
 * following ones, and those that are null come after any other. */
static void add_after(struct buffer *out, const struct store_item_list *op, unsigned number,
                      enum sql_dialect dialect)
{
    const unsigned keys = sql_list_keys(op);
    unsigned open = 0;
    for (unsigned i = 0; i < keys; i++) {
        const struct key k = key_at(op, i);
        const bool null = op->position.keys[k.place].null;
        buffer_add_char(out, '(');
        open++;
        if (!null) {
            const bool nullable = sql_list_add_key(out, op, i, dialect);
            buffer_add_text(out, k.descending ? " < " : " > ");
            sql_add_parameter(out, number, dialect);
            if (nullable) {
                buffer_add_text(out, " OR ");
                (void)sql_list_add_key(out, op, i, dialect);
                buffer_add_text(out, " IS NULL");
            }
            buffer_add_text(out, " OR (");
            open++;
        }
        (void)sql_list_add_key(out, op, i, dialect);
        buffer_add_text(out, null ? " IS NULL" : " = ");
        if (!null)
            sql_add_parameter(out, number++, dialect);
        buffer_add_text(out, " AND ");
    }
    buffer_add_text(out, key_at(op, keys - 1).descending ? "id < " : "id > ");
    sql_add_parameter(out, number, dialect);
    while (open-- > 0)
        buffer_add_char(out, ')');
}

void sql_list_where(struct buffer *out, const struct store_item_list *op, bool after,
                    enum sql_dialect dialect)
{
    unsigned number = first_free(op, dialect);
    const struct store_order *order = &op->orders[0];
    buffer_add_text(out, " WHERE space_id = ");
    sql_add_parameter(out, 1, dialect);
    for (unsigned i = 0; i < op->term_count; i++)
        add_term(out, &op->terms[i], &number, dialect);
    if (!after)
        return;
    buffer_add_text(out, " AND ");
    if (op->order_count > 1 || order->order != LIST_BY_VALUE ||
        (order->field->flags & FIELD_NULLABLE)) {
        add_after(out, op, number, dialect);
        return;
    }
    /* What an index serves, where there is one. */
    buffer_add_format(out, "(%s, id) %s (", order->field->name.ptr, order->descending ? "<" : ">");
    sql_add_parameter(out, number, dialect);
    buffer_add_text(out, ", ");
    sql_add_parameter(out, number + 1, dialect);
    buffer_add_char(out, ')');
}

void sql_list_order(struct buffer *out, const struct store_item_list *op, enum sql_dialect dialect)
{
    const unsigned keys = sql_list_keys(op);
    assert(keys > 0);
    buffer_add_text(out, " ORDER BY ");
    for (unsigned i = 0; i < keys; i++) {
        const bool nullable = sql_list_add_key(out, op, i, dialect);
        buffer_add_text(out, key_at(op, i).descending ? " DESC" : " ASC");
        buffer_add_text(out, nullable ? " NULLS LAST, " : ", ");
    }
    buffer_add_text(out, key_at(op, keys - 1).descending ? "id DESC" : "id ASC");
}

unsigned sql_list_values(const struct store_item_list *op,
                         struct sql_value values[static SQL_LIST_VALUES_MOST])
{
    unsigned count = 0;
    assert(op->term_count <= STORE_TERMS_MOST);
    if (has_runs(op)) {
        assert(op->runs && op->run_count > 0);
        values[count++] = SQL_BLOB(op->runs, op->run_count * sizeof *op->runs);
    }
    for (unsigned i = 0; i < op->term_count; i++)
        count += bind_term(&op->terms[i], &values[count]);
    const unsigned keys = op->after ? sql_list_keys(op) : 0;
    for (unsigned i = 0; i < keys; i++) {
        values[count] = key_value(op, i);
        count += !values[count].value.null;
    }
    if (op->after)
        values[count++] = SQL_UUID(&op->position.id);
    return count;
}
