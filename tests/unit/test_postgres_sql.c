// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "store/decision.h"
#include "store/migrations.h"
#include "store/postgres/sql.h"

/* The statements that do not name their user or space first, and why each may. */
static const unsigned of_no_user[] = {
    /* Transactions touch no table. */
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_BATCH_SAVEPOINT,
    SQL_BATCH_ROLLBACK,
    SQL_BE_DURABLE,
    /* This one takes no row of any. */
    SQL_BE_PRIMARY,
    /* A notification touches none either. */
    SQL_SESSIONS_ENDED,
    /* The three directories: a stranger brings an address, or a token that names a session, or one
     * of a script, which is asked for by its hash; the answer is whose it is, and nothing else. */
    SQL_EMAIL_OWNER,
    SQL_SESSION_OWNER,
    SQL_SCRIPT_TOKEN_OWNER,
    /* An invitation belongs to nobody yet; what is asked by is the hash of a secret. */
    SQL_INVITATION_LOCK,
    SQL_INVITATION_DELETE,
    SQL_INVITATION_PUT,
    /* An operator's list of all accounts: the whole house, in pages. */
    SQL_USER_LIST,
    /* Whose account was deleted: the keeper's work, for the whole house. */
    SQL_DELETED_NEXT,
    SQL_DELETED_LOCK,
    SQL_EMPTIED_NEXT,
    SQL_EMPTIED_LOCK,
};

static const unsigned without_table[] = {SQL_BEGIN,           SQL_COMMIT,         SQL_ROLLBACK,
                                         SQL_BATCH_SAVEPOINT, SQL_BATCH_ROLLBACK, SQL_BE_DURABLE,
                                         SQL_SESSIONS_ENDED,  SQL_BE_PRIMARY};

#define COUNT(list) (sizeof(list) / sizeof *(list))

static bool is_in(unsigned sql, const unsigned *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i] == sql)
            return true;
    }
    return false;
}

/* Does `text` begin with the pattern (a POSIX extended one)? */
static bool begins(const char *text, const char *pattern)
{
    regex_t regex;
    assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED), 0);
    regmatch_t match = {.rm_so = -1};
    const bool found = regexec(&regex, text, 1, &match, 0) == 0 && match.rm_so == 0;
    regfree(&regex);
    return found;
}

/* How often `part` stands in `text`, and whether each time it begins with `pattern` (NULL: any). */
static unsigned count_of(const char *text, const char *part, const char *pattern, bool *all)
{
    unsigned count = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part)) {
        count++;
        if (pattern && !begins(at, pattern))
            *all = false;
    }
    return count;
}

#define TABLE                                                                                      \
    "(users|emails|spaces|lists|tasks|journal|trash|idempotency_keys|sessions|script_tokens|"      \
    "actors|known_addresses|invitations)"

/* How often the text takes rows from a table, or changes some. */
static unsigned count_tables(const char *text)
{
    unsigned count = 0;
    for (const char *at = text; *at; at++) {
        if (strchr("FUIJ", *at) && begins(at, "^(FROM|UPDATE|INTO|JOIN) " TABLE "([ ,;)]|$)"))
            count++;
    }
    return count;
}

/* Whether each table of the text is met by way of its user or space, which is the first parameter.
 */
static bool names_its_user(const struct sql_text *row)
{
    bool all = row->types[0] == 'u';
    const unsigned conditions =
        count_of(row->text, "WHERE ", "^WHERE ([a-z]\\.)?(user|space)_id = \\$1( |\\)|$)", &all);
    const unsigned joins = count_of(
        row->text, "JOIN " /* of a table, not of rows found by user */,
        "^JOIN ((LATERAL )?\\(SELECT |" TABLE " [a-z] ON [a-z]\\.user_id = [a-z]\\.user_id)", &all);
    const unsigned found_rows = count_of(row->text, "JOIN (", NULL, &all) +
                                count_of(row->text, "JOIN LATERAL (", NULL, &all);
    const unsigned inserts = count_of(row->text, "INSERT INTO ",
                                      "^INSERT INTO [a-z_]+ \\((user|space)_id, [a-z_, ]+\\) "
                                      "(VALUES \\(\\$1, |SELECT \\$1, )",
                                      &all);
    return all && count_tables(row->text) == conditions + joins - found_rows + inserts;
}

static void every_statement_names_its_user_first(void **state)
{
    (void)state;
    for (unsigned sql = 0; sql < sql_count(); sql++) {
        const struct sql_text *row = sql_text(sql);
        const bool excepted = is_in(sql, of_no_user, COUNT(of_no_user));
        if (!excepted && (!names_its_user(row) || count_tables(row->text) == 0))
            fail_msg("does not name its user first: %s", row->text);
        if (is_in(sql, without_table, COUNT(without_table)))
            assert_int_equal(count_tables(row->text), 0);
        else if (excepted && names_its_user(row))
            fail_msg("needs no exception: %s", row->text);
    }
}

/* The test above would miss none of these. */
static void what_names_no_user_is_seen(void **state)
{
    (void)state;
    static const struct sql_text bad[] = {
        {"SELECT 1 FROM tasks WHERE id = $1", "u"},
        {"SELECT 1 FROM tasks WHERE id = $2 AND space_id = $1", "uu"},
        {"SELECT 1 FROM tasks WHERE space_id = $2 AND id = $1", "uu"},
        {"SELECT 1 FROM tasks WHERE space_id = $10", "u"},
        {"SELECT 1 FROM tasks", "u"},
        {"SELECT 1 FROM tasks WHERE space_id = $1 AND id IN (SELECT id FROM journal)", "u"},
        {"SELECT 1 FROM sessions s JOIN users u ON u.created_at = s.created_at "
         "WHERE s.user_id = $1",
         "u"},
        {"SELECT 1 FROM tasks WHERE space_id = $1", "t"},
        {"INSERT INTO tasks (id, space_id) VALUES ($1, $2)", "uu"},
        {"INSERT INTO tasks (space_id, id) VALUES ($2, $1)", "uu"},
        {"UPDATE tasks SET title = $2", "ut"},
        {"DELETE FROM tasks", "u"},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (names_its_user(&bad[i]))
            fail_msg("passes: %s", bad[i].text);
    }
}

static void types_are_those_of_postgresql(void **state)
{
    (void)state;
    assert_int_equal(params_type('u'), 2950); /* uuid */
    assert_int_equal(params_type('t'), 25);
    assert_int_equal(params_type('b'), 17); /* bytea */
    assert_int_equal(params_type('i'), 20); /* bigint */
    assert_string_equal(sql_text(SQL_BEGIN)->types, "");
    assert_string_equal(sql_text(SQL_KEY_PUT)->types, "utbiiuit");
    assert_string_equal(sql_text(SQL_USER_LOCK)->types, sql_text(SQL_USER_GET)->types);
}

/* ---- lists ---- */

/* A list of every resource, order and direction, with and without a position, a term and a total.
 */
static void each_list(void (*check)(const struct sql_text *row, const struct store_item_list *op))
{
    const unsigned variants = 2 * 2 * 2;
    for (unsigned i = 0; i < resource_count; i++) {
        const struct resource *resource = resources[i];
        for (size_t k = 0; k < resource->count * variants * (resource->count + 1); k++) {
            const struct field *sort = &resource->fields[k % resource->count];
            const size_t rest = k / resource->count;
            const size_t term = rest / variants;
            const struct field *field = term > 0 ? &resource->fields[term - 1] : NULL;
            if (!(sort->flags & FIELD_SORTABLE) || (field && !(field->flags & FIELD_FILTERABLE)))
                continue;
            struct store_item_list op = {.resource = resource,
                                         .orders = {{sort, LIST_BY_VALUE, rest % 2}},
                                         .order_count = 1,
                                         .after = rest / 2 % 2,
                                         .with_total = rest / 4 % 2,
                                         .limit = 1,
                                         .term_count = field != NULL};
            if (field)
                op.terms[0] = (struct store_term){.field = field, .choices = 1};
            struct sql_value values[SQL_LIST_PARAMS_MOST];
            char types[SQL_LIST_PARAMS_MOST + 1] = "";
            const unsigned count = sql_list_params(&op, values);
            for (unsigned n = 0; n < count; n++)
                types[n] = values[n].type;
            struct buffer text;
            buffer_init(&text, 16384);
            sql_list(&text, &op);
            buffer_add_char(&text, '\0');
            assert_false(text.failed);
            check(&(struct sql_text){text.data, types}, &op);
            buffer_finish(&text);
        }
    }
}

static void check_parameters(const struct sql_text *row)
{
    const size_t count = strlen(row->types);
    bool used[PARAMS_MOST + 1] = {false};
    assert_in_range(count, 0, PARAMS_MOST);
    assert_int_equal(strspn(row->types, "uitb"), count);
    for (const char *at = strchr(row->text, '$'); at; at = strchr(at + 1, '$')) {
        const unsigned long number = strtoul(at + 1, NULL, 10);
        if (number < 1 || number > count)
            fail_msg("$%lu has no type: %s", number, row->text);
        used[number] = true;
    }
    for (size_t i = 1; i <= count; i++) {
        if (!used[i])
            fail_msg("$%zu is not used: %s", i, row->text);
    }
}

static void check_list(const struct sql_text *row, const struct store_item_list *op)
{
    check_parameters(row);
    if (!names_its_user(row))
        fail_msg("does not name its space first: %s", row->text);
    /* What is counted in the space is never counted again. */
    const bool counts = strstr(row->text, "count(*)") != NULL;
    assert_int_equal(counts, sql_list_counts(op));
    assert_false(counts && usage_knows_total(op));
}

static void lists_name_their_space_and_use_their_parameters(void **state)
{
    (void)state;
    each_list(check_list);
}

/* $1, $2, … up to the number of types, each of them used. */
static void types_and_parameters_agree(void **state)
{
    (void)state;
    for (unsigned sql = 0; sql < sql_count(); sql++)
        check_parameters(sql_text(sql));
}

#define TAIL "[-0-9A-Z_a-z]*VWXYZ_abcdefghijklmnopqrstuvwxyz" /* digits of a position */

/* Values travel as parameters: the only literals are these, and no text has a place to fill in. */
#define NIL "00000000-0000-0000-0000-000000000000"

static void no_text_is_built_from_data(void **state)
{
    (void)state;
    for (unsigned sql = 0; sql < sql_count(); sql++) {
        const char *text = sql_text(sql)->text;
        assert_ptr_equal(text, sql_text(sql)->text);
        assert_null(strchr(text, '%'));
        for (const char *at = strchr(text, '\''); at; at = strchr(strchr(at + 1, '\'') + 1, '\'')) {
            if (!begins(
                    at,
                    "^'(taskhold|taskhold_sessions_ended|blocked_by|labels|\"id\":\"|-|[s-y]|" NIL
                    "|" TAIL ")?'[ ,):]"))
                fail_msg("a literal: %s", text);
        }
    }
}

static void names_differ(void **state)
{
    (void)state;
    char first[SQL_NAME_LEN];
    char other[SQL_NAME_LEN];
    sql_name(0, first);
    assert_string_not_equal(first, "");
    for (unsigned sql = 1; sql < sql_count(); sql++) {
        sql_name(sql, other);
        assert_string_not_equal(other, first);
        memcpy(first, other, sizeof first);
    }
}

static void no_statement_is_there_twice(void **state)
{
    (void)state;
    for (unsigned sql = 1; sql < sql_count(); sql++) {
        for (unsigned other = 0; other < sql; other++)
            assert_string_not_equal(sql_text(sql)->text, sql_text(other)->text);
    }
}

/* ---- the schema ---- */

/* Where the first key of the table stands, in its own text. */
static const char *primary_key(const char *table)
{
    const char *key = strstr(table, "PRIMARY KEY");
    const char *end = strstr(table, "\n);");
    assert_non_null(end);
    return key && key < end ? key : NULL;
}

/* Is the key `user_id` or `space_id` itself, or does its list of columns begin with one of them? */
static bool begins_with_user(const char *key)
{
    if (begins(key, "^PRIMARY KEY \\("))
        return begins(key, "^PRIMARY KEY \\((user|space)_id[,)]");
    const char *line = key;
    while (line[-1] != '\n')
        line--;
    return begins(line, "^ *(user|space)_id +uuid ");
}

/* So a table can be spread over many servers by its user. Returns how many tables there are. */
static unsigned check_keys(const char *script)
{
    unsigned tables = 0;
    for (const char *at = strstr(script, "CREATE TABLE "); at;
         at = strstr(at + 1, "CREATE TABLE ")) {
        const char *key = primary_key(at);
        tables++;
        assert_non_null(key);
        /* An address leads to its user, and some tables are not of any user. */
        const bool of_all = begins(at, "^CREATE TABLE (meta|invitations) ");
        const bool shared = of_all || begins(at, "^CREATE TABLE emails ");
        assert_int_equal(begins_with_user(key), !shared);
        assert_true(of_all || begins(at, "^CREATE TABLE " TABLE " \\("));
    }
    /* So does every other key that is unique. */
    for (const char *at = strstr(script, "UNIQUE"); at; at = strstr(at + 1, "UNIQUE"))
        assert_true(begins(at, "^UNIQUE INDEX [a-z_]+ ON " TABLE " \\((user|space)_id[,)]"));
    return tables;
}

static void every_key_begins_with_the_user(void **state)
{
    unsigned tables = 0;
    (void)state;
    for (size_t i = 0; i < postgres_migration_count; i++) {
        char *script =
            strndup((const char *)postgres_migrations[i].script, *postgres_migrations[i].len);
        assert_non_null(script);
        tables += check_keys(script);
        free(script);
    }
    assert_true(tables >= 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_statement_names_its_user_first),
        cmocka_unit_test(what_names_no_user_is_seen),
        cmocka_unit_test(types_and_parameters_agree),
        cmocka_unit_test(lists_name_their_space_and_use_their_parameters),
        cmocka_unit_test(types_are_those_of_postgresql),
        cmocka_unit_test(no_text_is_built_from_data),
        cmocka_unit_test(names_differ),
        cmocka_unit_test(no_statement_is_there_twice),
        cmocka_unit_test(every_key_begins_with_the_user),
    };
    assert_true(sql_init());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
