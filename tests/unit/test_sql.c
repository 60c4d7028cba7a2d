// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "model/task.h"
#include "store/sql.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

static const struct slice kinds[] = {FIELD_NAME("a"), FIELD_NAME("b")};

struct thing {
    ITEM_MEMBERS;
    struct slice text;
    struct uuid other;
    unsigned kind;
};

static const struct field fields[] = {
    {.name = FIELD_NAME("id"),
     .type = FIELD_UUID,
     .flags = FIELD_FIXED | FIELD_READ_ONLY,
     .at = offsetof(struct thing, id)},
    {.name = FIELD_NAME("text"),
     .type = FIELD_TEXT,
     .flags = FIELD_NULLABLE | FIELD_SORTABLE | FIELD_FILTERABLE,
     .at = offsetof(struct thing, text)},
    {.name = FIELD_NAME("other"),
     .type = FIELD_UUID,
     .flags = FIELD_NULLABLE | FIELD_SORTABLE | FIELD_FILTERABLE,
     .at = offsetof(struct thing, other)},
    {.name = FIELD_NAME("kind"),
     .type = FIELD_CHOICE,
     .flags = FIELD_SORTABLE | FIELD_FILTERABLE,
     .choices = kinds,
     .choice_count = COUNT(kinds),
     .at = offsetof(struct thing, kind)},
    {.name = FIELD_NAME("revision"),
     .type = FIELD_NUMBER,
     .flags = FIELD_READ_ONLY,
     .at = offsetof(struct thing, revision)},
};

static const struct resource thing_resource = {
    .name = FIELD_NAME("thing"),
    .collection = FIELD_NAME("things"),
    .fields = fields,
    .count = COUNT(fields),
    .size = sizeof(struct thing),
};

/* Of this program: the shapes of lists name a resource by its place. */
const struct resource *const resources[] = {&thing_resource};
const unsigned resource_count = 1;

static struct buffer out;

static int set_up(void **state)
{
    (void)state;
    buffer_init(&out, 1 << 16);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buffer_finish(&out);
    return 0;
}

static void assert_made(const char *expected)
{
    buffer_add_char(&out, '\0');
    assert_false(out.failed);
    assert_string_equal(out.data, expected);
    buffer_clear(&out);
}

static void forms_become_texts(void **state)
{
    static const struct {
        const char *form;
        const char *sqlite;
        const char *postgres;
    } cases[] = {
        {"SELECT 1", "SELECT 1", "SELECT 1"},
        {"a = ?1 AND b = ?12", "a = ?1 AND b = ?12", "a = $1 AND b = $12"},
        {"{max}(a, ?1)", "max(a, ?1)", "greatest(a, $1)"},
        {"{empty}", "x''", "''"},
        {"{octets:a}", "length(CAST(a AS BLOB))", "octet_length(a)"},
        {"{columns}", "id, text, other, kind, revision", "id, text, other, kind, revision"},
        {"{t}", "things", "things"},
        {"({values:2})", "(?2, ?3, ?4, ?5, ?6)", "($2, $3, $4, $5, $6)"},
        {"{sets:9}", "text = ?9, other = ?10, kind = ?11, revision = ?12",
         "text = $9, other = $10, kind = $11, revision = $12"},
        {"{bytes}", "160 + coalesce(length(CAST(text AS BLOB)), 0)",
         "160 + coalesce(octet_length(text), 0)"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        sql_expand(&out, cases[i].form, &thing_resource, SQL_SQLITE);
        assert_made(cases[i].sqlite);
        sql_expand(&out, cases[i].form, &thing_resource, SQL_POSTGRES);
        assert_made(cases[i].postgres);
    }
}

static void statements_of_an_item(void **state)
{
    (void)state;
    sql_expand(&out, sql_items[SQL_ITEM_GET].text, &thing_resource, SQL_SQLITE);
    assert_made("SELECT id, text, other, kind, revision FROM things WHERE space_id = ?1 "
                "AND id = ?2 AND created_at = coalesce((SELECT created_at FROM things WHERE "
                "space_id = ?1 AND id = ?2 AND hex(substr(id, 1, 6)) <> "
                "printf('%012X', created_at)), ?3)");
    sql_expand(&out, sql_items[SQL_ITEM_UPDATE].text, &thing_resource, SQL_POSTGRES);
    assert_made("UPDATE things SET text = $5, other = $6, kind = $7, revision = $8 "
                "WHERE space_id = $1 AND created_at = $2 AND id = $3 AND revision = $4");
    sql_expand_types(&out, sql_items[SQL_ITEM_INSERT].types, &thing_resource);
    assert_made("uutuii");
}

/* Every form has as many types as parameters: those numbered highest. */
static void types_fit_parameters(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SQL_SHARED_COUNT; i++) {
        unsigned most = 0;
        assert_non_null(sql_shared[i].text);
        for (const char *p = sql_shared[i].text; *p; p++) {
            const unsigned number = *p == '?' ? (unsigned)strtoul(p + 1, NULL, 10) : 0;
            most = number > most ? number : most;
        }
        if (most != strlen(sql_shared[i].types))
            fail_msg("%s: types %s", sql_shared[i].text, sql_shared[i].types);
    }
}

static struct store_item_list list_of(unsigned sort, bool descending, bool after)
{
    return (struct store_item_list){.resource = &thing_resource,
                                    .orders = {{&fields[sort], LIST_BY_VALUE, descending}},
                                    .order_count = 1,
                                    .after = after};
}

static void lists(void **state)
{
    (void)state;
    struct store_item_list list = list_of(3, false, false);
    sql_list_where(&out, &list, list.after, SQL_SQLITE);
    sql_list_order(&out, &list, SQL_SQLITE);
    assert_made(" WHERE space_id = ?1 ORDER BY kind ASC, id ASC");

    list = list_of(1, true, true);
    list.terms[0] = (struct store_term){.field = &fields[3], .choices = 2};
    list.terms[1] = (struct store_term){.field = &fields[2], .value.null = true};
    list.terms[2] = (struct store_term){.field = &fields[1], .value.bytes = SLICE("x")};
    list.term_count = 3;
    sql_list_where(&out, &list, list.after, SQL_SQLITE);
    assert_made(" WHERE space_id = ?1 AND ((?3 >> kind) & 1) <> 0 AND other IS NULL "
                "AND text = ?4 AND (text < ?5 OR text IS NULL OR (text = ?5 AND id < ?6))");
    sql_list_where(&out, &list, false, SQL_POSTGRES);
    assert_made(" WHERE space_id = $1 AND (($3 >> kind) & 1) <> 0 AND other IS NULL "
                "AND text = $4");
    sql_list_order(&out, &list, SQL_POSTGRES);
    assert_made(" ORDER BY text DESC NULLS LAST, id DESC");

    struct sql_value values[SQL_LIST_VALUES_MOST];
    list.position.keys[0].bytes = SLICE("y");
    assert_int_equal(sql_list_values(&list, values), 4);
    assert_int_equal(values[0].type, 'i');
    assert_int_equal(values[0].value.number, 2);
    assert_int_equal(values[1].type, 't');
    assert_int_equal(values[2].type, 't');
    assert_int_equal(values[3].type, 'u');

    /* After a row that has none only such rows come. */
    list = list_of(2, false, true);
    list.position.keys[0].null = true;
    sql_list_where(&out, &list, list.after, SQL_SQLITE);
    assert_made(" WHERE space_id = ?1 AND (other IS NULL AND id > ?3)");
    assert_int_equal(sql_list_values(&list, values), 1);
    assert_int_equal(values[0].type, 'u');

    /* Two orders, of which the first is never null; the id goes the way of the last. */
    list = list_of(3, true, true);
    list.orders[list.order_count++] = (struct store_order){&fields[1], LIST_BY_VALUE, false};
    list.position.keys[1].bytes = SLICE("y");
    sql_list_where(&out, &list, list.after, SQL_POSTGRES);
    sql_list_order(&out, &list, SQL_POSTGRES);
    assert_made(
        " WHERE space_id = $1 AND (kind < $3 OR (kind = $3 AND (text > $4 OR text IS NULL OR "
        "(text = $4 AND id > $5)))) ORDER BY kind DESC, text ASC NULLS LAST, id ASC");
    assert_int_equal(sql_list_values(&list, values), 3);
}

static bool same_shape(const struct store_item_list *a, const struct store_item_list *b)
{
    uint8_t one[SQL_SHAPE_LEN];
    uint8_t two[SQL_SHAPE_LEN];
    sql_list_shape(a, one);
    sql_list_shape(b, two);
    return memcmp(one, two, sizeof one) == 0;
}

/* What changes the text changes the shape; what is only bound does not. */
static void shapes(void **state)
{
    (void)state;
    const struct store_item_list plain = list_of(3, false, false);
    struct store_item_list other = list_of(3, false, false);
    other.limit = 7;
    other.space.bytes[0] = 1;
    assert_true(same_shape(&plain, &other));
    const struct store_item_list others[] = {list_of(2, false, false), list_of(3, true, false),
                                             list_of(3, false, true)};
    for (size_t i = 0; i < COUNT(others); i++)
        assert_false(same_shape(&plain, &others[i]));
    other.term_count = 1;
    other.terms[0] = (struct store_term){.field = &fields[1], .value.bytes = SLICE("x")};
    assert_false(same_shape(&plain, &other));
    struct store_item_list bound = other;
    bound.terms[0].value.bytes = SLICE("y");
    assert_true(same_shape(&other, &bound));
    bound.terms[0].value = (struct field_value){.null = true};
    assert_false(same_shape(&other, &bound));
    bound = other;
    bound.with_total = true;
    assert_false(same_shape(&other, &bound));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_become_texts),
        cmocka_unit_test(statements_of_an_item),
        cmocka_unit_test(types_fit_parameters),
        cmocka_unit_test(lists),
        cmocka_unit_test(shapes),
    };
    return cmocka_run_group_tests_name("sql", tests, set_up, tear_down);
}
