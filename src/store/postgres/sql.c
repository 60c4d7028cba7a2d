// SPDX-License-Identifier: MIT
#include "store/postgres/sql.h"

#include <assert.h>
#include <endian.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/decision.h"
#include "store/sql_trash.h"

#define TEXT_MOST 8192

/* What has the address `?n` as a key of `emails`: ASCII in lower case, and nothing else changed. */
#define ADDRESS(n) "lower(" n " COLLATE \"C\")"

#define ADD_USAGE                                                                                  \
    "tasks_pending = tasks_pending + ?2, tasks_in_progress = tasks_in_progress + ?3, "             \
    "tasks_completed = tasks_completed + ?4, lists = lists + ?5, bytes = bytes + ?6"

/* The rows of a page end as sql_list says. */
#define SO_FAR(bytes, order)                                                                       \
    "sum(" bytes ") OVER (ORDER BY " order                                                         \
    " ROWS BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING) AS so_far"
#define PAGE_BYTES "262144"
static_assert(STORE_PAGE_BYTES == 262144, "the number of the texts");

/* `after`: the text is what follows another form, and has its types. */
static const struct own_form {
    const char *text;
    const char *types;
    const struct sql_form *after;
} own_forms[SQL_OWN_END - SQL_SHARED_COUNT] = {
#define OWN(sql) [(sql)-SQL_SHARED_COUNT]
    OWN(SQL_BEGIN) = {"BEGIN ISOLATION LEVEL READ COMMITTED", "", NULL},
    OWN(SQL_COMMIT) = {"COMMIT", "", NULL}, OWN(SQL_ROLLBACK) = {"ROLLBACK", "", NULL},
    OWN(SQL_BATCH_SAVEPOINT) = {"SAVEPOINT batch", "", NULL},
    OWN(SQL_BATCH_ROLLBACK) = {"ROLLBACK TO SAVEPOINT batch", "", NULL},
    OWN(SQL_BE_PRIMARY) = {"SELECT FROM taskhold_schema WHERE false FOR SHARE", "", NULL},
    /* An empty record in the log: after it the commit waits as if it had changed something. */
    OWN(SQL_BE_DURABLE) = {"SELECT pg_logical_emit_message(true, 'taskhold', '')", "", NULL},

    OWN(SQL_EMAIL_OWNER) = {"SELECT user_id FROM emails WHERE email = " ADDRESS("?1"), "t", NULL},
    OWN(SQL_SESSION_OWNER) = {"SELECT user_id FROM sessions WHERE id = ?1", "u", NULL},
    OWN(SQL_INVITATION_LOCK) = {"SELECT 1 FROM invitations WHERE hash = ?1 AND expires_at > ?2 "
                                "AND (email IS NULL OR " ADDRESS("email") " = " ADDRESS(
                                    "?3") ") FOR UPDATE",
                                "bit", NULL},
    /* One that is there already, an earlier run of the job put there. */
    OWN(SQL_INVITATION_PUT) = {"INSERT INTO invitations (hash, email, created_at, expires_at) "
                               "SELECT ?1, ?2, ?3, ?4 "
                               "WHERE (SELECT count(*) FROM invitations) < ?5 "
                               "ON CONFLICT (hash) DO UPDATE SET email = excluded.email "
                               "RETURNING 1",
                               "btiii", NULL},
    OWN(SQL_EMAIL_INSERT) = {"INSERT INTO emails (user_id, email) VALUES (?1, " ADDRESS("?2") ")",
                             "ut", NULL},
    OWN(SQL_EMAIL_DELETE) = {"DELETE FROM emails WHERE user_id = ?1 AND email = " ADDRESS("?2"),
                             "ut", NULL},

    OWN(SQL_USER_LOCK) = {" FOR NO KEY UPDATE", NULL, &sql_shared[SQL_USER_GET]},
    OWN(SQL_SESSION_LOCK) = {"SELECT s.counter, s.created_at, s.last_used_at, s.expires_at, "
                             "s.superseded, u.disabled_at IS NOT NULL "
                             "FROM sessions s JOIN users u ON u.user_id = s.user_id "
                             "WHERE s.user_id = ?1 AND s.id = ?2 AND u.deleted_at IS NULL "
                             "FOR UPDATE OF s",
                             "uu", NULL},
    OWN(SQL_SPACE_LOCK) = {" FOR NO KEY UPDATE", NULL, &sql_shared[SQL_SPACE_GET]},
    OWN(SQL_EMPTIED_LOCK) = {" FOR NO KEY UPDATE SKIP LOCKED", NULL, &sql_shared[SQL_EMPTIED_NEXT]},
    OWN(SQL_EMPTIED_GIVE_BACK) = {EMPTIED THEIR_CHANGES "UPDATE spaces SET bytes = bytes - "
                                                        "(" PURGED_BYTES ") WHERE space_id = ?1",
                                  "ui", NULL},
    OWN(SQL_DELETED_LOCK) = {" FOR UPDATE SKIP LOCKED", NULL, &sql_shared[SQL_DELETED_NEXT]},

    OWN(SQL_DELETION_GET) = {"SELECT 1 FROM journal WHERE space_id = ?1 AND id = ?2 AND verb = 4",
                             "uu", NULL},
    OWN(SQL_SPACE_CHANGE) = {"UPDATE spaces SET revision = ?7, " ADD_USAGE " WHERE space_id = ?1",
                             "uiiiiii", NULL},
    OWN(SQL_KEY_TOUCH) = {"UPDATE idempotency_keys SET used_at = used_at "
                          "WHERE space_id = ?1 AND key = ?2",
                          "ut", NULL},
    OWN(SQL_SESSIONS_ENDED) = {"SELECT pg_notify('taskhold_sessions_ended', ?1::text)", "u", NULL},
    OWN(SQL_CHANGES) = {NULL, "uiii", NULL}, /* of all resources: see add_changes */
#undef OWN
};
static_assert(STORE_CREATE == 1 && STORE_DELETE == 4, "the verbs of the texts are the journal's");

/* A change of one item `t` with what follows from it. When no item was changed, the space's
 * revision would become NULL, which the column forbids: then the transaction fails as a whole.
 * ?13: how many changes come after it. */
#define CHANGE(t)                                                                                  \
    "WITH j AS (INSERT INTO journal (space_id, revision, at, kind, verb, actor, before, "          \
    "previous, undoes, id) VALUES (?1, ?7, ?8, ?9, ?10, ?11, ?12, ?14, ?15, ?16)), t AS (" t ") "  \
    "UPDATE spaces SET revision = (SELECT revision + ?13 FROM t), " ADD_USAGE                      \
    " WHERE space_id = ?1"
#define CHANGE_TYPES "uiiiiiiiiiutiii"

/* The same of a row that changes with the one item of a write, which changes the space. */
#define FOLLOW(t)                                                                                  \
    "WITH t AS (" t " RETURNING id) "                                                              \
    "INSERT INTO journal (space_id, revision, at, kind, verb, actor, before, previous, undoes, "   \
    "follows, id) SELECT ?1, ?2::bigint, ?3::bigint, ?4::bigint, ?5::bigint, ?6::uuid, "           \
    "?7::text, ?8::bigint, ?9::bigint, ?10::bigint, t.id FROM t"
#define FOLLOW_TYPES "uiiiiutiii"

/* What goes with these where there is a trash: what follows the last word of `t`. */
#define TRASHED(own, root)                                                                         \
    "), x AS (INSERT INTO trash (space_id, revision, root, id, parent_id) SELECT ?1, " own         \
    ", " root ", t.id, t.parent_id FROM t ON CONFLICT (space_id, id) DO UPDATE SET "               \
    "revision = excluded.revision, root = excluded.root, parent_id = excluded.parent_id"
#define TAKEN(id) "), x AS (DELETE FROM trash WHERE space_id = ?1 AND id = " id

static const struct sql_form own_items[SQL_OWN_ITEM_END - SQL_ITEM_COUNT] = {
    /* A broken network may deliver it when it was run again on another connection long since; where
     * its item has been deleted meanwhile, it must not bring that back. Revision 0: the space is
     * there and holds too much; locked, because a snapshot still has a space whose deletion the
     * UPDATE has waited for. */
    [SQL_ITEM_CREATE - SQL_ITEM_COUNT] =
        {"WITH s AS (UPDATE spaces SET revision = revision + 1, " ADD_USAGE " WHERE space_id = ?1 "
         "AND tasks_pending + tasks_in_progress + tasks_completed < ?7 AND bytes <= ?8 - ?6 "
         "AND NOT EXISTS (SELECT FROM journal WHERE space_id = ?1 AND id = ?12 AND verb = 4) "
         "RETURNING revision), "
         "j AS (INSERT INTO journal (space_id, revision, at, kind, verb, actor, id) "
         "SELECT ?1, s.revision, ?9, ?10, 1, ?11, ?12 FROM s), "
         "t AS (INSERT INTO {t} (space_id, {columns}{derived}) SELECT ?1, {created:12} FROM s "
         "RETURNING revision) "
         "SELECT revision FROM t UNION ALL SELECT 0 FROM (SELECT FROM spaces WHERE space_id = ?1 "
         "AND NOT EXISTS (SELECT FROM t) FOR NO KEY UPDATE) l",
         "uiiiiiiiiiuN"},
    [SQL_ITEM_ADD -
        SQL_ITEM_COUNT] = {CHANGE("INSERT INTO {t} (space_id, {columns}{derived}) VALUES (?1, "
                                  "{values:16}) RETURNING revision{trash:" TAKEN("?16") "}"),
                           CHANGE_TYPES "C"},
    [SQL_ITEM_CHANGE - SQL_ITEM_COUNT] = {CHANGE("UPDATE {t} SET {sets:19} WHERE space_id = ?1 AND "
                                                 "created_at = ?18 AND id = ?16 AND revision = ?17 "
                                                 "RETURNING revision"),
                                          CHANGE_TYPES "uiiS"},
    [SQL_ITEM_REMOVE -
        SQL_ITEM_COUNT] = {CHANGE("DELETE FROM {t} WHERE space_id = ?1 AND "
                                  "created_at = ?18 AND id = ?16 AND revision = ?17 "
                                  "RETURNING ?7 AS revision{trash:, id, parent_id" TRASHED(
                                      "?7", "?7") "}"),
                           CHANGE_TYPES "uii"},
    [SQL_ITEM_FOLLOW_ADD -
        SQL_ITEM_COUNT] = {FOLLOW("INSERT INTO {t} (space_id, {columns}{derived}) "
                                  "VALUES (?1, {values:11}){trash: RETURNING id" TAKEN("?11") "}"),
                           FOLLOW_TYPES "C"},
    [SQL_ITEM_FOLLOW_CHANGE - SQL_ITEM_COUNT] =
        {FOLLOW("UPDATE {t} SET {sets:14} WHERE space_id = ?1 AND created_at = ?13 AND id = ?11 "
                "AND revision = ?12"),
         FOLLOW_TYPES "uiiS"},
    [SQL_ITEM_FOLLOW_REMOVE - SQL_ITEM_COUNT] =
        {FOLLOW("DELETE FROM {t} WHERE space_id = ?1 AND created_at = ?13 AND id = ?11 "
                "AND revision = ?12{trash: RETURNING id, parent_id" TRASHED("?2", "?14") "}"),
         FOLLOW_TYPES "uiiT"},
    [SQL_ITEM_WALK - SQL_ITEM_COUNT] =
        {"SELECT s.revision, s.forgotten, t.* FROM spaces s LEFT JOIN (SELECT l.*, " SO_FAR(
             "{bytes}",
             "created_at, id") " FROM (SELECT {columns} FROM {t} WHERE space_id = ?1 AND "
                               "(created_at, id) > (?2, ?3) ORDER BY created_at, id LIMIT ?4) l) t "
                               "ON coalesce(t.so_far, 0) <= " PAGE_BYTES " WHERE s.space_id = ?1 "
                               "ORDER BY t.created_at, t.id",
         "uiui"},
};
static_assert(18 + RESOURCE_FIELDS_MOST <= PARAMS_MOST,
              "a change of an item binds all its columns");

/* ---- what changed ---- */

/* The item that a row of the journal names, by the key of its table: a page looks at no others. */
static void add_changed_item(struct buffer *out, unsigned place)
{
    const struct resource *resource = resources[place];
    sql_expand(out,
               "LEFT JOIN LATERAL (SELECT {columns}, {bytes} AS bytes FROM {t} WHERE space_id = ?1 "
               "AND id = j.id AND created_at = coalesce((SELECT created_at FROM {t} WHERE "
               "space_id = ?1 AND id = j.id AND {chosen}), {ms:j.id}) ",
               resource, SQL_POSTGRES);
    buffer_add_format(out, "AND j.kind = %d LIMIT 1) c%u ON true ", resource->kind, place);
}

/* `BEFORE c0.NAME, c1.NAME, …AFTER` of all resources. */
static void add_of_each(struct buffer *out, const char *before, const char *name, const char *after)
{
    buffer_add_text(out, before);
    for (unsigned i = 0; i < resource_count; i++)
        buffer_add_format(out, "%sc%u.%s", i > 0 ? ", " : "", i, name);
    buffer_add_text(out, after);
}

/* The rows of the journal, each with its item as it is now; then those that are the last change of
 * their item; then as many as a page has. */
static void add_changes(struct buffer *out)
{
    sql_expand(out,
               "SELECT s.revision, s.forgotten, p.* FROM spaces s LEFT JOIN (SELECT l.*, " SO_FAR(
                   "l.page_bytes", "l.change") " FROM (SELECT j.revision AS change, j.at AS "
                                               "change_at, j.kind AS change_kind, j.id AS "
                                               "change_id",
               NULL, SQL_POSTGRES);
    for (unsigned i = 0; i < resource_count; i++) {
        for (size_t k = 0; k < resources[i]->count; k++)
            buffer_add_format(out, ", c%u.%s", i, resources[i]->fields[k].name.ptr);
    }
    add_of_each(out, ", coalesce(", "bytes", ", 0) AS page_bytes ");
    sql_expand(out,
               "FROM (SELECT revision, at, kind, verb, id FROM journal WHERE space_id = ?1 AND "
               "revision > ?2 AND revision <= ?4) j ",
               NULL, SQL_POSTGRES);
    for (unsigned i = 0; i < resource_count; i++) {
        add_changed_item(out, i);
    }
    add_of_each(out, "JOIN LATERAL (SELECT coalesce(", "revision", ") AS revision) n ");
    sql_expand(out,
               "ON j.revision = n.revision OR (j.verb = 4 AND n.revision IS NULL AND NOT EXISTS "
               "(SELECT FROM journal WHERE space_id = ?1 AND id = j.id AND verb = 4 AND "
               "kind = j.kind AND revision > j.revision)) ORDER BY j.revision LIMIT ?3) l) p "
               "ON coalesce(p.so_far, 0) <= " PAGE_BYTES " WHERE s.space_id = ?1 ORDER BY p.change",
               NULL, SQL_POSTGRES);
}

/* ---- the texts ---- */

static struct sql_text *texts; /* made once, and kept until the process ends */

unsigned SQL_OF_ITEM(const struct resource *resource, unsigned which)
{
    assert(which < SQL_OWN_ITEM_END);
    return SQL_OWN_END + resource_index(resource) * SQL_OWN_ITEM_END + which;
}

unsigned sql_count(void)
{
    return SQL_OWN_END + resource_count * SQL_OWN_ITEM_END;
}

static bool make_text(struct sql_text *made, const struct sql_form *form, const char *end,
                      const struct resource *resource)
{
    struct buffer text;
    struct buffer types;
    buffer_init(&text, TEXT_MOST);
    buffer_init(&types, PARAMS_MOST + 1);
    if (form->text)
        sql_expand(&text, form->text, resource, SQL_POSTGRES);
    else
        add_changes(&text);
    buffer_add_text(&text, end);
    buffer_add_char(&text, '\0');
    sql_expand_types(&types, form->types, resource);
    buffer_add_char(&types, '\0');
    *made = (struct sql_text){text.data, types.data};
    return !text.failed && !types.failed;
}

static void make_texts(void)
{
    struct sql_text *made = calloc(sql_count(), sizeof *made);
    bool good = made;
    for (unsigned i = 0; good && i < SQL_SHARED_COUNT; i++)
        good = make_text(&made[i], &sql_shared[i], "", NULL);
    for (unsigned i = SQL_SHARED_COUNT; good && i < SQL_OWN_END; i++) {
        const struct own_form *own = &own_forms[i - SQL_SHARED_COUNT];
        const struct sql_form form = {own->text, own->types};
        good =
            make_text(&made[i], own->after ? own->after : &form, own->after ? own->text : "", NULL);
    }
    for (unsigned i = 0; good && i < resource_count * SQL_OWN_ITEM_END; i++) {
        const unsigned which = i % SQL_OWN_ITEM_END;
        const struct sql_form *form =
            which < SQL_ITEM_COUNT ? &sql_items[which] : &own_items[which - SQL_ITEM_COUNT];
        good = make_text(&made[SQL_OWN_END + i], form, "", resources[i / SQL_OWN_ITEM_END]);
    }
    if (good)
        texts = made;
    else
        free(made);
}

bool sql_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    return pthread_once(&once, make_texts) == 0 && texts;
}

const struct sql_text *sql_text(unsigned sql)
{
    assert(texts && sql < sql_count());
    return &texts[sql];
}

void sql_name(unsigned sql, char name[static SQL_NAME_LEN])
{
    (void)snprintf(name, SQL_NAME_LEN, "th%u", sql);
}

/* ---- lists ---- */

bool sql_list_counts(const struct store_item_list *op)
{
    return op->with_total && !usage_knows_total(op);
}

/* The keys of the orders as columns k0, k1 … */
static void add_keys(struct buffer *out, const struct store_item_list *op)
{
    for (unsigned i = 0; i < sql_list_keys(op); i++) {
        buffer_add_text(out, ", ");
        (void)sql_list_add_key(out, op, i, SQL_POSTGRES);
        buffer_add_format(out, " AS k%u", i);
    }
}

static void add_order(struct buffer *out, const struct store_item_list *op, const char *of)
{
    const unsigned keys = sql_list_keys(op);
    const char *direction = "";
    buffer_add_text(out, " ORDER BY ");
    for (unsigned i = 0; i < keys; i++) {
        direction = sql_list_descends(op, i) ? "DESC" : "ASC";
        buffer_add_format(out, "%sk%u %s NULLS LAST, ", of, i, direction);
    }
    buffer_add_format(out, "%sid %s", of, direction);
}

void sql_list(struct buffer *out, const struct store_item_list *op)
{
    const struct resource *resource = op->resource;
    sql_expand(
        out,
        "SELECT s.revision, s.tasks_pending, s.tasks_in_progress, s.tasks_completed, s.lists, ",
        NULL, SQL_POSTGRES);
    if (sql_list_counts(op)) {
        sql_expand(out, "(SELECT count(*) FROM {t}", resource, SQL_POSTGRES);
        sql_list_where(out, op, false, SQL_POSTGRES);
        buffer_add_text(out, ")");
    } else {
        buffer_add_text(out, "(-1)::bigint");
    }
    for (size_t i = 0; i < resource->count; i++) {
        buffer_add_text(out, ", t.");
        buffer_add(out, resource->fields[i].name);
    }
    buffer_add_text(out, sql_list_has_place(op) ? ", t." SQL_LIST_PLACE : "");
    sql_expand(out, " FROM spaces s LEFT JOIN (SELECT l.*, sum({bytes}) OVER (", resource,
               SQL_POSTGRES);
    add_order(out, op, "");
    sql_expand(out,
               " ROWS BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING) AS so_far "
               "FROM (SELECT {columns}",
               resource, SQL_POSTGRES);
    buffer_add_text(out, sql_list_has_place(op) ? ", " SQL_LIST_PLACE : "");
    add_keys(out, op);
    buffer_add_text(out, " FROM ");
    sql_list_from(out, op, SQL_POSTGRES);
    sql_list_where(out, op, op->after, SQL_POSTGRES);
    sql_list_order(out, op, SQL_POSTGRES);
    buffer_add_format(out, " LIMIT $2) l) t ON coalesce(t.so_far, 0) <= %d WHERE s.space_id = $1",
                      STORE_PAGE_BYTES);
    add_order(out, op, "t.");
}

/* An array of int4 in PostgreSQL's binary form: its dimensions, no nulls, the type; the length and
 * the lower bound; then the length of each and itself. */
#define ARRAY_HEAD 5
#define OID_INT4   23

static struct slice make_array(const struct store_item_list *op, bool offsets)
{
    const size_t count = op->run_count;
    const size_t len = (ARRAY_HEAD + 2 * count) * sizeof(uint32_t);
    uint32_t *words = arena_alloc(op->op.arena, len);
    const uint32_t head[ARRAY_HEAD] = {1, 0, OID_INT4, (uint32_t)count, 1};
    if (!words)
        return (struct slice){0};
    for (size_t i = 0; i < ARRAY_HEAD; i++)
        words[i] = htobe32(head[i]);
    for (size_t i = 0; i < count; i++) {
        const int32_t value = offsets ? op->runs[i].offset_ms : op->runs[i].day;
        words[ARRAY_HEAD + 2 * i] = htobe32(sizeof value);
        words[ARRAY_HEAD + 2 * i + 1] = htobe32((uint32_t)value);
    }
    return (struct slice){(const char *)words, len};
}

unsigned sql_list_params(const struct store_item_list *op,
                         struct sql_value values[static SQL_LIST_PARAMS_MOST])
{
    struct sql_value own[SQL_LIST_VALUES_MOST];
    const unsigned count = sql_list_values(op, own);
    unsigned made = 2;
    values[0] = SQL_UUID(&op->space);
    values[1] = SQL_I64((int64_t)op->limit + 1);
    for (unsigned i = 0; i < count; i++) {
        if (i > 0 || !op->runs || own[0].value.bytes.ptr != (const char *)op->runs) {
            values[made++] = own[i];
            continue;
        }
        for (unsigned offsets = 0; offsets < SQL_LIST_RUNS_POSTGRES; offsets++) {
            const struct slice array = make_array(op, offsets > 0);
            if (!array.ptr)
                return 0;
            values[made++] = (struct sql_value){'a', {.bytes = array}};
        }
    }
    return made;
}
