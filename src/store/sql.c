// SPDX-License-Identifier: MIT
#include "store/sql.h"

#include <assert.h>
#include <stdlib.h>

#include "model/position.h"
#include "model/task.h"
#include "store/decision.h"
#include "store/sql_accounts.h"
#include "store/sql_history.h"
#include "store/sql_reports.h"
#include "store/sql_trash.h"

/* The row of an id that stands in `x`, by the key where the time in the id is created_at, else by
 * an index. `t` is the row's own name. */
#define FOUND_BY(t, x)                                                                             \
    t "id = " x " AND " t "created_at = coalesce((SELECT created_at FROM tasks WHERE space_id = "  \
      "?1 AND id = " x " AND {chosen}), {ms:" x "})"

#define NO_UUID "CAST(NULL AS {uuid})"
#define NO_TEXT "CAST(NULL AS text)"

#define IN_INBOX  "parent_id IS NULL AND list_id IS NULL"
#define IN_LIST   "parent_id IS NULL AND list_id = "
#define IN_PARENT "parent_id = "
#define SIBLINGS(table, columns, place, end, types)                                                \
    {                                                                                              \
        "SELECT id, created_at, revision, 0, " columns " FROM " table                              \
        " WHERE space_id = ?1 AND " place " ORDER BY position" end,                                \
            types                                                                                  \
    }
#define BESIDE(table, ids, place, order, end, types)                                               \
    SIBLINGS(table, ids ", position", place "position " order " ?2 AND id <> ?3", end " LIMIT 1",  \
             types)
#define OF_TASKS "parent_id, list_id"
#define OF_LISTS NO_UUID ", " NO_UUID
#define ALL      " LIMIT 200001"
static_assert(SIBLINGS_MOST + 1 == 200001, "one more tells that there are more");
static_assert(TREE_TASKS_MOST + 1 == 1001, "one more tells that there are more");
static_assert(LIST_TASKS_MOST + 1 == 10001, "one more tells that there are more");
static_assert(LABEL_TASKS_MOST + 1 == 10001, "one more tells that there are more");
static_assert(BLOCKERS_MOST + 1 == 10001, "one more tells that there are more");

const struct sql_form sql_shared[SQL_SHARED_COUNT] = {
    ACCOUNT_FORMS,

    [SQL_SPACE_INSERT] = {"INSERT INTO spaces (space_id, owner_id) VALUES (?1, ?2)", "uu"},
    [SQL_SPACE_GET] = {"SELECT revision, forgotten, " SPACE_USAGE_COLUMNS
                       " FROM spaces WHERE space_id = ?1",
                       "u"},
    [SQL_SPACE_ADD_BYTES] = {"UPDATE spaces SET bytes = bytes + ?2 WHERE space_id = ?1", "ui"},
    [SQL_SPACE_FORGET] = {"UPDATE spaces SET bytes = bytes - ?2, forgotten = {max}(forgotten, ?3) "
                          "WHERE space_id = ?1",
                          "uii"},
    [SQL_SPACE_DELETE] = {"DELETE FROM spaces WHERE space_id = ?1", "u"},
    [SQL_CHANGE_PUT] = {"INSERT INTO journal (space_id, revision, at, kind, verb, id, actor, "
                        "before, previous, undoes, follows) "
                        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                        "uiiiiuutiii"},
    [SQL_TRASH_PUT] = {"INSERT INTO trash (space_id, revision, root, id, parent_id) "
                       "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (space_id, id) DO UPDATE SET "
                       "revision = excluded.revision, root = excluded.root, "
                       "parent_id = excluded.parent_id",
                       "uiiuu"},
    [SQL_TRASH_TAKE] = {"DELETE FROM trash WHERE space_id = ?1 AND id = ?2", "uu"},
    [SQL_TRASH_FORGET] = {"DELETE FROM trash WHERE space_id = ?1 AND revision <= ?2", "ui"},
    [SQL_TRASH_EMPTY] = {"UPDATE spaces SET emptied = ?2 WHERE space_id = ?1", "ui"},
    [SQL_TRASH_JSON] = {"SELECT before FROM journal WHERE space_id = ?1 AND revision = ?2", "ui"},
    [SQL_TRASH_REWRITE] = {"UPDATE journal SET before = ?3 WHERE space_id = ?1 AND revision = ?2",
                           "uit"},
    [SQL_TRASH_LIST] = {TRASH_LIST, "uii"},
    [SQL_PURGE_CHANGES] = {WENT_ALONG THEIR_CHANGES PURGE_CHANGES, "uu"},
    [SQL_PURGE_ANSWERS] = {WENT_ALONG PURGE_ANSWERS, "uu"},
    [SQL_PURGE_TRASH] = {WENT_ALONG PURGE_TRASH, "uu"},
    [SQL_EMPTIED_NEXT] = {"SELECT space_id FROM spaces WHERE emptied > 0 ORDER BY space_id LIMIT 1",
                          ""},
    [SQL_EMPTIED_BYTES] = {EMPTIED THEIR_CHANGES "SELECT (SELECT count(*) FROM d), " PURGED_BYTES,
                           "ui"},
    [SQL_EMPTIED_CHANGES] = {EMPTIED THEIR_CHANGES PURGE_CHANGES, "ui"},
    [SQL_EMPTIED_ANSWERS] = {EMPTIED PURGE_ANSWERS, "ui"},
    [SQL_EMPTIED_TRASH] = {EMPTIED PURGE_TRASH, "ui"},
    [SQL_EMPTIED_END] = {"UPDATE spaces SET emptied = 0 WHERE space_id = ?1", "u"},
    [SQL_ASK_ZONE] = {"SELECT user_id, 0, 0, 0, " NO_UUID ", " NO_UUID ", time_zone FROM users "
                      "WHERE user_id = ?1",
                      "u"},
    [SQL_ASK_ANCESTORS] =
        {"WITH RECURSIVE u (id, created_at, revision, level, parent_id, list_id) "
         "AS (SELECT id, created_at, revision, 1, parent_id, list_id FROM tasks "
         "WHERE space_id = ?1 AND " FOUND_BY(
             "", "?2") " UNION ALL "
                       "SELECT t.id, t.created_at, t.revision, u.level + 1, t.parent_id, "
                       "t.list_id FROM tasks t, u WHERE t.space_id = ?1 AND " FOUND_BY(
                           "t.", "u.parent_id") " AND u.level < 10) "
                                                "SELECT id, created_at, revision, level, "
                                                "parent_id, list_id, " NO_TEXT
                                                " FROM u ORDER BY level",
         "uu"},
    [SQL_ASK_TREE] = {"WITH RECURSIVE d (id) AS (SELECT ?2 UNION ALL SELECT t.id FROM tasks t, d "
                      "WHERE t.space_id = ?1 AND t.parent_id = d.id) SELECT " NO_UUID ", 0, 0, "
                      "count(*), " NO_UUID ", " NO_UUID ", " NO_TEXT
                      " FROM (SELECT id FROM d LIMIT 1001) l",
                      "uu"},
    [SQL_ASK_SUBTREE] =
        {"WITH RECURSIVE d (id, created_at, revision, level, parent_id, list_id) "
         "AS (SELECT id, created_at, revision, 1, parent_id, list_id FROM tasks{by:tasks_siblings} "
         "WHERE space_id = ?1 AND parent_id = ?2 UNION ALL "
         "SELECT t.id, t.created_at, t.revision, d.level + 1, t.parent_id, "
         "t.list_id FROM tasks t{by:tasks_siblings}, d WHERE t.space_id = ?1 AND t.parent_id = "
         "d.id) "
         "SELECT id, created_at, revision, level, parent_id, list_id, " NO_TEXT
         " FROM d LIMIT 100001",
         "uu"},
    [SQL_ASK_COPIES] =
        {"WITH RECURSIVE d (id, created_at, revision, level, parent_id, list_id) "
         "AS (SELECT id, created_at, revision, 1, parent_id, list_id FROM tasks{by:tasks_siblings} "
         "WHERE space_id = ?1 AND parent_id = ?2 AND next_id IS NULL UNION ALL "
         "SELECT t.id, t.created_at, t.revision, d.level + 1, t.parent_id, "
         "t.list_id FROM tasks t{by:tasks_siblings}, d WHERE t.space_id = ?1 AND t.parent_id = "
         "d.id "
         "AND t.next_id IS NULL) "
         "SELECT id, created_at, revision, level, parent_id, list_id, " NO_TEXT
         " FROM d LIMIT 100001",
         "uu"},
    [SQL_ASK_WHICH] = {"SELECT t.id, t.created_at, t.revision, 0, t.parent_id, t.list_id, " NO_TEXT
                       " FROM tasks t WHERE t.space_id = ?1 AND (t.created_at, t.id) IN (SELECT "
                       "coalesce((SELECT created_at FROM tasks WHERE space_id = ?1 AND id = "
                       "{uuid:e.value} AND {chosen}), {ms:e.value}), {uuid:e.value} "
                       "FROM {ids:?2} e)",
                       "ut"},
    [SQL_ASK_BLOCKERS] = {"WITH RECURSIVE w (id) AS (SELECT {uuid:e.value} FROM {ids:?2} e UNION "
                          "SELECT {uuid:e.value} FROM tasks t, w, {ids:t.blocked_by} e "
                          "WHERE t.space_id = ?1 AND " FOUND_BY(
                              "t.",
                              "w.id") ") "
                                      "SELECT " NO_UUID
                                      ", 0, count(*), count(CASE id WHEN ?3 THEN 1 END), " NO_UUID
                                      ", " NO_UUID ", " NO_TEXT
                                      " FROM (SELECT id FROM w LIMIT 10001) l",
                          "utu"},
    [SQL_ASK_LIST_COUNT] = {"WITH RECURSIVE d (id) AS (SELECT id FROM tasks WHERE space_id = ?1 "
                            "AND " IN_LIST "?2 UNION ALL SELECT t.id FROM tasks t, d "
                            "WHERE t.space_id = ?1 AND t.parent_id = d.id) SELECT " NO_UUID
                            ", 0, 0, count(*), " NO_UUID ", " NO_UUID ", " NO_TEXT " FROM d",
                            "uu"},
    [SQL_ASK_LABELLED] = {REPORT_LABELLED, "ut"},
    [SQL_ASK_LABEL_COUNT] = {REPORT_LABEL_COUNT, "utt"},
    [SQL_ASK_TRASH_LABELLED] = {TRASH_ASK_LABELLED, "ut"},
    [SQL_ASK_LIST_TASKS] =
        {"WITH RECURSIVE d (id, created_at, revision, level, parent_id, list_id, "
         "position) AS (SELECT id, created_at, revision, 1, parent_id, list_id, "
         "position FROM tasks{by:tasks_siblings} WHERE space_id = ?1 AND " IN_LIST "?2 UNION ALL "
         "SELECT t.id, t.created_at, t.revision, d.level + 1, t.parent_id, "
         "t.list_id, t.position FROM tasks t{by:tasks_siblings}, d "
         "WHERE t.space_id = ?1 AND t.parent_id = d.id) "
         "SELECT id, created_at, revision, level, parent_id, list_id, " NO_TEXT
         " FROM d ORDER BY level, position LIMIT 10001",
         "uu"},
    [SQL_ASK_TRASHED] = {TRASH_ASK, "uu"},
    [SQL_ASK_TRASHED_JSON] = {TRASH_ASK_JSON, "uu"},
    [SQL_ASK_WAITING] = {"WITH RECURSIVE w (id) AS (SELECT {uuid:e.value} FROM {ids:?2} e UNION "
                         "SELECT {uuid:e.value} FROM tasks t, w, {ids:t.blocked_by} e "
                         "WHERE t.space_id = ?1 AND " FOUND_BY(
                             "t.", "w.id") ") SELECT t.id, "
                                           "t.created_at, t.revision, 0, " NO_UUID ", " NO_UUID
                                           ", t.blocked_by FROM "
                                           "tasks t, (SELECT id FROM w LIMIT 10001) l WHERE "
                                           "t.space_id = ?1 AND " FOUND_BY("t.", "l.id"),
                         "ut"},
    [SQL_ASK_PURGED] = {WENT_ALONG THEIR_CHANGES "SELECT " NO_UUID
                                                 ", 0, (SELECT count(*) FROM d), " PURGED_BYTES
                                                 ", " NO_UUID ", " NO_UUID ", " NO_TEXT,
                        "uu"},
    [SQL_ASK_CHANGE] = {HISTORY_CHANGE, "uiu"},
    [SQL_ASK_FOLLOWED] = {HISTORY_FOLLOWED, "ui"},
    [SQL_ASK_NEXT + ITEM_INBOX] = BESIDE("tasks", OF_TASKS, IN_INBOX " AND ", ">", "", "utu"),
    [SQL_ASK_NEXT + ITEM_LIST] = BESIDE("tasks", OF_TASKS, IN_LIST "?4 AND ", ">", "", "utuu"),
    [SQL_ASK_NEXT + ITEM_PARENT] = BESIDE("tasks", OF_TASKS, IN_PARENT "?4 AND ", ">", "", "utuu"),
    [SQL_ASK_NEXT + ITEM_LISTS] = BESIDE("lists", OF_LISTS, "", ">", "", "utu"),
    [SQL_ASK_PREVIOUS + ITEM_INBOX] =
        BESIDE("tasks", OF_TASKS, IN_INBOX " AND ", "<", " DESC", "utu"),
    [SQL_ASK_PREVIOUS + ITEM_LIST] =
        BESIDE("tasks", OF_TASKS, IN_LIST "?4 AND ", "<", " DESC", "utuu"),
    [SQL_ASK_PREVIOUS + ITEM_PARENT] =
        BESIDE("tasks", OF_TASKS, IN_PARENT "?4 AND ", "<", " DESC", "utuu"),
    [SQL_ASK_PREVIOUS + ITEM_LISTS] = BESIDE("lists", OF_LISTS, "", "<", " DESC", "utu"),
    [SQL_ASK_SIBLINGS + ITEM_INBOX] = SIBLINGS("tasks", OF_TASKS ", position", IN_INBOX, ALL, "u"),
    [SQL_ASK_SIBLINGS + ITEM_LIST] =
        SIBLINGS("tasks", OF_TASKS ", position", IN_LIST "?2", ALL, "uu"),
    [SQL_ASK_SIBLINGS + ITEM_PARENT] =
        SIBLINGS("tasks", OF_TASKS ", position", IN_PARENT "?2", ALL, "uu"),
    [SQL_ASK_SIBLINGS +
        ITEM_LISTS] = {"SELECT id, created_at, revision, 0, " OF_LISTS
                       ", position FROM lists WHERE space_id = ?1 ORDER BY position" ALL,
                       "u"},
    [SQL_KEY_GET] = {"SELECT fingerprint, used_at, outcome, id, revision, body "
                     "FROM idempotency_keys WHERE space_id = ?1 AND key = ?2",
                     "ut"},
    [SQL_KEY_PUT] = {"INSERT INTO idempotency_keys (space_id, key, fingerprint, used_at, outcome, "
                     "id, revision, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) "
                     "ON CONFLICT (space_id, key) DO UPDATE SET "
                     "fingerprint = excluded.fingerprint, used_at = excluded.used_at, "
                     "outcome = excluded.outcome, id = excluded.id, "
                     "revision = excluded.revision, body = excluded.body",
                     "utbiiuit"},
    [SQL_LABEL_LIST] = {REPORT_LABELS, "uti"},
    [SQL_TRASHED] = {HISTORY_TRASHED, "uu"},
    [SQL_HISTORY] = {HISTORY_CHAIN, "uiii"},
    [SQL_SUMMARY] = {REPORT_SUMMARY, "uiiiiii"},

    [SQL_DELETED_NEXT] = {"SELECT user_id FROM users WHERE deleted_at IS NOT NULL "
                          "ORDER BY deleted_at LIMIT 1",
                          ""},
    [SQL_DELETED_JOURNAL] = {"DELETE FROM journal WHERE space_id = ?1 AND revision IN (SELECT "
                             "revision FROM journal WHERE space_id = ?1 ORDER BY revision "
                             "LIMIT ?2)",
                             "ui"},
    [SQL_DELETED_TRASH] = {"DELETE FROM trash WHERE space_id = ?1 AND revision IN (SELECT "
                           "revision FROM trash WHERE space_id = ?1 ORDER BY revision LIMIT ?2)",
                           "ui"},
    [SQL_DELETED_KEYS] = {"DELETE FROM idempotency_keys WHERE space_id = ?1 AND key IN (SELECT "
                          "key FROM idempotency_keys WHERE space_id = ?1 LIMIT ?2)",
                          "ui"},
    [SQL_DELETED_USER] = {"DELETE FROM users WHERE user_id = ?1 AND deleted_at IS NOT NULL", "u"},
};

const struct sql_form sql_items[SQL_ITEM_COUNT] = {
    /* The time in an id that the server made is created_at; of the others an index tells it. */
    [SQL_ITEM_GET] = {"SELECT {columns} FROM {t} WHERE space_id = ?1 AND id = ?2 AND created_at = "
                      "coalesce((SELECT created_at FROM {t} WHERE space_id = ?1 AND id = ?2 AND "
                      "{chosen}), ?3)",
                      "uui"},
    [SQL_ITEM_GET_MADE] = {"SELECT {columns} FROM {t} WHERE space_id = ?1 AND created_at = ?3 "
                           "AND id = ?2",
                           "uui"},
    [SQL_ITEM_INSERT] = {"INSERT INTO {t} (space_id, {columns}{derived}) VALUES (?1, {values:2})",
                         "uC"},
    [SQL_ITEM_UPDATE] = {"UPDATE {t} SET {sets:5} WHERE space_id = ?1 AND created_at = ?2 "
                         "AND id = ?3 AND revision = ?4",
                         "uiuiS"},
    [SQL_ITEM_DELETE] = {"DELETE FROM {t} WHERE space_id = ?1 AND created_at = ?2 AND id = ?3 "
                         "AND revision = ?4",
                         "uiui"},
    [SQL_ITEM_REMOVE_SOME] = {"DELETE FROM {t} WHERE space_id = ?1 AND (created_at, id) IN (SELECT "
                              "created_at, id FROM {t} WHERE space_id = ?1 LIMIT ?2)",
                              "ui"},
};

/* ---- expanding ---- */

const char sql_letters[] = {
    [FIELD_TEXT] = 't',  [FIELD_CHOICE] = 'i', [FIELD_BOOL] = 'i', [FIELD_UUID] = 'u',
    [FIELD_TIME] = 'i',  [FIELD_NUMBER] = 'i', [FIELD_WHEN] = 'i', [FIELD_STRINGS] = 't',
    [FIELD_UUIDS] = 't', [FIELD_MAP] = 't',
};

void sql_add_parameter(struct buffer *out, unsigned number, enum sql_dialect dialect)
{
    buffer_add_char(out, dialect == SQL_SQLITE ? '?' : '$');
    buffer_add_u64(out, number);
}

static void add_expression(struct buffer *out, struct slice text, enum sql_dialect dialect)
{
    for (size_t i = 0; i < text.len; i++) {
        const bool parameter = text.ptr[i] == '?' && dialect == SQL_POSTGRES;
        buffer_add_char(out, parameter ? '$' : text.ptr[i]);
    }
}

static void add_columns(struct buffer *out, const struct resource *resource)
{
    for (size_t i = 0; i < resource->count; i++) {
        buffer_add_text(out, i > 0 ? ", " : "");
        buffer_add(out, resource->fields[i].name);
    }
}

static bool is_revision(const struct field *field)
{
    return field->at == offsetof(struct item, revision);
}

#define POSITION_DIGITS_MOST 6 /* of 68 milliards of changes */

/* What position_nth gives for a number of changes, in PostgreSQL's words. */
static void add_position(struct buffer *out, const char *number)
{
    const char *zero = &POSITION_DIGITS[POSITION_ZERO];
    int64_t least = POSITION_SMALL_MOST + 1; /* number that has so many digits */
    buffer_add_format(out, "CASE WHEN %s < %lld THEN substr('%s', %s::integer + 1, 1)", number,
                      (long long)least, zero, number);
    for (int digits = 1; digits <= POSITION_DIGITS_MOST; digits++) {
        const int64_t next = least + (INT64_C(1) << digits * POSITION_DIGIT_BITS);
        buffer_add_format(out, " WHEN %s < %lld THEN '%c'", number, (long long)next,
                          zero[POSITION_SMALL_MOST + digits]);
        for (int i = digits - 1; i >= 0; i--)
            buffer_add_format(out,
                              " || substr('" POSITION_DIGITS "', ((%s - %lld >> %d) & 63)::integer "
                              "+ 1, 1)",
                              number, (long long)least, i * POSITION_DIGIT_BITS);
        least = next;
    }
    buffer_add_text(out, " END");
}

/* `created`: see {created:N}. */
static void add_values(struct buffer *out, const struct resource *resource, unsigned number,
                       bool created, enum sql_dialect dialect)
{
    for (size_t i = 0; i < resource->count; i++) {
        buffer_add_text(out, i > 0 ? ", " : "");
        if (created && is_revision(&resource->fields[i]))
            buffer_add_text(out, "s.revision");
        else if (created && resource->fields[i].flags & FIELD_POSITION)
            add_position(out, "s.revision");
        else
            sql_add_parameter(out, number++, dialect);
    }
    if (resource->derived.ptr) {
        buffer_add_text(out, ", ");
        sql_add_parameter(out, number, dialect);
    }
}

static void add_sets(struct buffer *out, const struct resource *resource, unsigned number,
                     enum sql_dialect dialect)
{
    const char *comma = "";
    for (size_t i = 0; i < resource->count; i++) {
        if (resource->fields[i].flags & FIELD_FIXED)
            continue;
        buffer_add_text(out, comma);
        buffer_add(out, resource->fields[i].name);
        buffer_add_text(out, " = ");
        sql_add_parameter(out, number++, dialect);
        comma = ", ";
    }
    if (resource->derived.ptr) {
        buffer_add_format(out, "%s%s = ", comma, resource->derived.ptr);
        sql_add_parameter(out, number, dialect);
    }
}

/* The bytes of a text, whatever its characters. octet_length() is newer than the oldest SQLite that
 * we take. */
static void add_octets(struct buffer *out, struct slice column, enum sql_dialect dialect)
{
    buffer_add_text(out, dialect == SQL_SQLITE ? "length(CAST(" : "octet_length(");
    buffer_add(out, column);
    buffer_add_text(out, dialect == SQL_SQLITE ? " AS BLOB))" : ")");
}

static void add_optional_octets(struct buffer *out, struct slice column, enum sql_dialect dialect)
{
    buffer_add_text(out, " + coalesce(");
    add_octets(out, column, dialect);
    buffer_add_text(out, ", 0)");
}

/* As usage_item_bytes() counts. */
static void add_bytes(struct buffer *out, const struct resource *resource, enum sql_dialect dialect)
{
    buffer_add_u64(out, SPACE_ITEM_BYTES);
    for (size_t i = 0; i < resource->count; i++) {
        if (field_has_bytes(&resource->fields[i]))
            add_optional_octets(out, resource->fields[i].name, dialect);
    }
}

/* ---- ids in texts; SQLite has functions of ours for them (sqlite/database.h) ---- */

/* Without an expression: the type. */
static void add_uuid(struct buffer *out, struct slice text, enum sql_dialect dialect)
{
    if (dialect == SQL_SQLITE) {
        buffer_add_text(out, text.len > 0 ? "uuid_of(" : "blob");
        add_expression(out, text, dialect);
        buffer_add_text(out, text.len > 0 ? ")" : "");
        return;
    }
    add_expression(out, text, dialect);
    buffer_add_text(out, text.len > 0 ? "::uuid" : "uuid");
}

static void add_ms(struct buffer *out, struct slice id, enum sql_dialect dialect)
{
    buffer_add_text(out, dialect == SQL_SQLITE ? "uuid_ms(" : "('x' || substr(replace(");
    add_expression(out, id, dialect);
    buffer_add_text(out,
                    dialect == SQL_SQLITE ? ")" : "::text, '-', ''), 1, 12))::bit(48)::bigint");
}

static void add_ids(struct buffer *out, struct slice json, enum sql_dialect dialect)
{
    buffer_add_text(out, dialect == SQL_SQLITE ? "json_each(" : "jsonb_array_elements_text(");
    add_expression(out, json, dialect);
    buffer_add_text(out, dialect == SQL_SQLITE ? ")" : "::jsonb)");
}

static void add_call(struct buffer *out, const char *before, struct slice argument,
                     const char *after)
{
    buffer_add_text(out, before);
    buffer_add(out, argument);
    buffer_add_text(out, after);
}

static void add_report_word(struct buffer *out, struct slice name, struct slice argument,
                            enum sql_dialect dialect)
{
    const bool sqlite = dialect == SQL_SQLITE;
    if (slice_eq(name, SLICE("nil")))
        buffer_add_text(out,
                        sqlite ? "zeroblob(16)" : "'00000000-0000-0000-0000-000000000000'::uuid");
    else if (slice_eq(name, SLICE("elements")) && sqlite)
        add_call(out, "json_each(", argument, ") e");
    else if (slice_eq(name, SLICE("elements")))
        add_call(out, "LATERAL (SELECT value COLLATE \"C\" AS value FROM json_array_elements_text(",
                 argument, "::json)) e");
    else if (slice_eq(name, SLICE("uuid_key")))
        add_call(out, sqlite ? "lower(hex(" : "(", argument, sqlite ? "))" : ")");
    else if (slice_eq(name, SLICE("text_key")))
        add_call(out, sqlite ? "replace(" : "(", argument, sqlite ? ", '-', '')" : ")::uuid");
    else
        assert(false && "a word that forms have");
}

static void add_word(struct buffer *out, struct slice word, const struct resource *resource,
                     enum sql_dialect dialect)
{
    struct slice rest = word;
    const struct slice name = slice_next(&rest, ':');
    uint64_t number = 0;
    (void)slice_to_u64(rest, UINT16_MAX, &number);
    if (slice_eq(name, SLICE("max")))
        buffer_add_text(out, dialect == SQL_SQLITE ? "max" : "greatest");
    else if (slice_eq(name, SLICE("empty")))
        buffer_add_text(out, dialect == SQL_SQLITE ? "x''" : "''");
    else if (slice_eq(name, SLICE("octets")))
        add_octets(out, rest, dialect);
    else if (slice_eq(name, SLICE("columns")))
        add_columns(out, resource);
    else if (slice_eq(name, SLICE("derived")))
        buffer_add_format(out, "%s%s", resource->derived.ptr ? ", " : "",
                          resource->derived.ptr ? resource->derived.ptr : "");
    else if (slice_eq(name, SLICE("t")))
        buffer_add(out, resource->collection);
    else if (slice_eq(name, SLICE("values")))
        add_values(out, resource, (unsigned)number, false, dialect);
    else if (slice_eq(name, SLICE("created")))
        add_values(out, resource, (unsigned)number, true, dialect);
    else if (slice_eq(name, SLICE("sets")))
        add_sets(out, resource, (unsigned)number, dialect);
    else if (slice_eq(name, SLICE("chosen")))
        buffer_add_text(out,
                        dialect == SQL_SQLITE
                            ? "hex(substr(id, 1, 6)) <> printf('%012X', created_at)"
                            : "substr(uuid_send(id), 1, 6) <> substr(int8send(created_at), 3)");
    else if (slice_eq(name, SLICE("bytes")))
        add_bytes(out, resource, dialect);
    else if (slice_eq(name, SLICE("uuid")))
        add_uuid(out, rest, dialect);
    else if (slice_eq(name, SLICE("ms")))
        add_ms(out, rest, dialect);
    else if (slice_eq(name, SLICE("ids")))
        add_ids(out, rest, dialect);
    else if (slice_eq(name, SLICE("json")))
        add_call(out,
                 dialect == SQL_SQLITE ? "json_extract(j.before, '$." : "(j.before::json ->> '",
                 rest, "')");
    else if (slice_eq(name, SLICE("holds")))
        sql_add_holds(out, rest, dialect);
    else if (slice_eq(name, SLICE("trash")))
        add_expression(out, resource == &task_resource ? rest : SLICE(""), dialect);
    else if (slice_eq(name, SLICE("by")))
        add_call(out, dialect == SQL_SQLITE ? " INDEXED BY " : "",
                 dialect == SQL_SQLITE ? rest : SLICE(""), "");
    else
        add_report_word(out, name, rest, dialect);
}

void sql_expand(struct buffer *out, const char *form, const struct resource *resource,
                enum sql_dialect dialect)
{
    assert(out && form);
    struct slice rest = slice_of(form);
    while (rest.ptr) {
        add_expression(out, slice_next(&rest, '{'), dialect);
        if (rest.ptr)
            add_word(out, slice_next(&rest, '}'), resource, dialect);
    }
}

void sql_expand_types(struct buffer *out, const char *types, const struct resource *resource)
{
    assert(out && types);
    for (const char *letter = types; *letter; letter++) {
        if (*letter == 'T') {
            buffer_add_text(out, resource == &task_resource ? "i" : "");
            continue;
        }
        if (*letter != 'C' && *letter != 'S' && *letter != 'N') {
            buffer_add_char(out, *letter);
            continue;
        }
        for (size_t i = 0; i < resource->count; i++) {
            const struct field *field = &resource->fields[i];
            const bool left_out =
                (*letter == 'S' && field->flags & FIELD_FIXED) ||
                (*letter == 'N' && (is_revision(field) || field->flags & FIELD_POSITION));
            if (!left_out)
                buffer_add_char(out, SQL_LETTER(field));
        }
        if (resource->derived.ptr)
            buffer_add_char(out, 't');
    }
}

/* ---- usage ---- */

/* ` + (SELECT coalesce(sum(…), 0) FROM TABLE …)`, of rows that take `constant` bytes and those of
 * two texts. */
static void add_sum(struct buffer *out, const char *table, int constant, const char *text,
                    const char *other, enum sql_dialect dialect)
{
    buffer_add_format(out, " + (SELECT coalesce(sum(%d", constant);
    add_optional_octets(out, slice_of(text), dialect);
    if (other)
        add_optional_octets(out, slice_of(other), dialect);
    buffer_add_format(out, "), 0) FROM %s x WHERE x.space_id = spaces.space_id)", table);
}

/* What a place of `struct usage` counts. */
static void add_count(struct buffer *out, unsigned place)
{
    for (unsigned i = 0; i < resource_count; i++) {
        const struct resource *resource = resources[i];
        if (place - resource->count_at >= resource->count_places)
            continue;
        buffer_add_format(out, "(SELECT count(*) FROM %.*s x WHERE x.space_id = spaces.space_id",
                          (int)resource->collection.len, resource->collection.ptr);
        if (resource->counted)
            buffer_add_format(out, " AND x.%.*s = %u", (int)resource->counted->name.len,
                              resource->counted->name.ptr, place - resource->count_at);
        buffer_add_text(out, "), ");
        return;
    }
    buffer_add_text(out, "0, ");
}

/* The values of SPACE_USAGE_COLUMNS by counting. */
static void add_counted(struct buffer *out, enum sql_dialect dialect)
{
    for (unsigned place = 0; place < SPACE_COUNTS; place++)
        add_count(out, place);
    buffer_add_char(out, '0');
    for (unsigned i = 0; i < resource_count; i++) {
        buffer_add_text(out, " + (SELECT coalesce(sum(");
        add_bytes(out, resources[i], dialect);
        buffer_add_format(out, "), 0) FROM %.*s x WHERE x.space_id = spaces.space_id)",
                          (int)resources[i]->collection.len, resources[i]->collection.ptr);
    }
    add_sum(out, "journal", SPACE_CHANGE_BYTES, "before", NULL, dialect);
    add_sum(out, "idempotency_keys", SPACE_KEY_BYTES, "key", "body", dialect);
}

void sql_chain(struct buffer *out)
{
    assert(out);
    buffer_add_text(out,
                    "UPDATE journal SET previous = p FROM (SELECT space_id AS s, revision AS r, "
                    "lag(revision) OVER (PARTITION BY space_id, kind, id ORDER BY revision) "
                    "AS p FROM journal) chained WHERE space_id = s AND revision = r "
                    "AND verb <> 1 AND p IS NOT NULL");
}

void sql_recount(struct buffer *out, enum sql_dialect dialect)
{
    assert(out);
    buffer_add_text(out, "UPDATE spaces SET (" SPACE_USAGE_COLUMNS ") = (SELECT ");
    add_counted(out, dialect);
    buffer_add_char(out, ')');
}
