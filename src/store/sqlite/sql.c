// SPDX-License-Identifier: MIT
#include "store/sqlite/sql.h"

#include "store/decision.h"

#define BYTES_MOST 65536

#define TO_TEXT(number) #number
#define TEXT(number)    TO_TEXT(number)

static const char *const own[SQL_OWN_END - SQL_SHARED_COUNT] = {
#define OWN(sql) [(sql)-SQL_SHARED_COUNT]
    OWN(SQL_BEGIN_READ) = "BEGIN",
    OWN(SQL_BEGIN_WRITE) = "BEGIN IMMEDIATE",
    OWN(SQL_COMMIT) = "COMMIT",
    OWN(SQL_ROLLBACK) = "ROLLBACK",
    OWN(SQL_SAVEPOINT) = "SAVEPOINT operation",
    OWN(SQL_RELEASE) = "RELEASE operation",
    OWN(SQL_ROLLBACK_TO) = "ROLLBACK TO operation",
    OWN(SQL_BATCH_SAVEPOINT) = "SAVEPOINT batch",
    OWN(SQL_BATCH_RELEASE) = "RELEASE batch",
    OWN(SQL_BATCH_ROLLBACK_TO) = "ROLLBACK TO batch",

    OWN(SQL_USER_BY_EMAIL) = "SELECT user_id, email, name, password_hash, created_at, updated_at, "
                             "disabled_at, time_zone FROM users WHERE email = ?1",
    OWN(SQL_EMAIL_OWNER) = "SELECT user_id FROM users WHERE email = ?1",
    OWN(SQL_INVITATION_COUNT) = "SELECT count(*) FROM invitations",
    OWN(SQL_INVITATION_INSERT) = "INSERT INTO invitations (hash, email, created_at, expires_at) "
                                 "VALUES (?1, ?2, ?3, ?4)",
    OWN(SQL_INVITATION_GOOD) = "SELECT 1 FROM invitations WHERE hash = ?1 AND expires_at > ?2 "
                               "AND (email IS NULL OR email = ?3)",
    OWN(SQL_SESSION_GET) = "SELECT s.user_id, s.counter, s.created_at, s.last_used_at, "
                           "s.expires_at, s.superseded, u.disabled_at IS NOT NULL "
                           "FROM sessions s JOIN users u ON u.user_id = s.user_id WHERE s.id = ?1",
    OWN(SQL_SPACE_SET) = "UPDATE spaces SET revision = ?2, (" SPACE_USAGE_COLUMNS
                         ") = (?3, ?4, ?5, ?6, ?7) WHERE space_id = ?1",

    OWN(SQL_PURGE_KEYS) = "DELETE FROM idempotency_keys WHERE sequence IN (SELECT sequence FROM "
                          "idempotency_keys WHERE used_at < ?1 ORDER BY used_at LIMIT ?2) "
                          "RETURNING space_id, " TEXT(SPACE_KEY_BYTES) " + {octets:key} + "
                                                                       "coalesce({octets:body}, 0)",
    OWN(SQL_PURGE_JOURNAL) =
        "DELETE FROM journal WHERE space_id = ?3 AND revision <= (SELECT "
        "max(revision) FROM (SELECT revision, at FROM journal WHERE "
        "space_id = ?3 ORDER BY revision LIMIT ?2) WHERE at < ?1) "
        "RETURNING revision, " TEXT(SPACE_CHANGE_BYTES) " + "
                                                        "coalesce({octets:before}, 0)",
    OWN(SQL_PURGE_SESSIONS) = "DELETE FROM sessions WHERE id IN "
                              "(SELECT id FROM sessions WHERE expires_at < ?1 "
                              "ORDER BY expires_at LIMIT ?2)",
    OWN(SQL_PURGE_SCRIPT_TOKENS) = "DELETE FROM script_tokens WHERE id IN "
                                   "(SELECT id FROM script_tokens WHERE expires_at < ?1 "
                                   "ORDER BY expires_at LIMIT ?2)",
    OWN(SQL_PURGE_INVITATIONS) = "DELETE FROM invitations WHERE hash IN "
                                 "(SELECT hash FROM invitations WHERE expires_at < ?1 "
                                 "ORDER BY expires_at LIMIT ?2)",
    OWN(SQL_PURGE_ACTORS) = "DELETE FROM actors WHERE (user_id, id) IN (SELECT user_id, id FROM "
                            "actors WHERE ended_at < ?1 ORDER BY ended_at LIMIT ?2)",
    OWN(SQL_JOURNAL_NEXT) = "SELECT space_id, (SELECT at FROM journal WHERE journal.space_id = "
                            "spaces.space_id ORDER BY revision LIMIT 1) FROM spaces "
                            "WHERE space_id > ?1 ORDER BY space_id LIMIT ?2",
    OWN(SQL_JOURNAL_AFTER) =
        "SELECT revision, at, kind, verb, id FROM journal "
        "WHERE space_id = ?1 AND revision > ?2 AND revision <= ?3 ORDER BY revision",
    OWN(SQL_JOURNAL_DELETED_LATER) = "SELECT 1 FROM journal WHERE space_id = ?1 AND id = ?2 "
                                     "AND kind = ?3 AND verb = 4 AND revision > ?4",
#undef OWN
};

static const char *const own_items[SQL_OWN_ITEM_END - SQL_ITEM_COUNT] = {
    [SQL_ITEM_WALK - SQL_ITEM_COUNT] =
        "SELECT {columns} FROM {t} WHERE space_id = ?1 AND (created_at, id) > (?2, ?3) "
        "ORDER BY created_at, id LIMIT ?4",
};
static_assert(STORE_DELETE == 4, "the verb of the texts is the journal's");

static_assert(SPACE_COUNTS == 4, "SQL_SPACE_SET has a parameter for each count");

/* `places` are offsets until all bytes are there. */
static void add(struct sql_texts *texts, size_t places[static SQL_TEXTS_MOST], const char *form,
                const struct resource *resource)
{
    assert(texts->count < SQL_TEXTS_MOST && form);
    places[texts->count++] = texts->bytes.len;
    sql_expand(&texts->bytes, form, resource, SQL_SQLITE);
    buffer_add_char(&texts->bytes, '\0');
}

bool sql_texts_init(struct sql_texts *texts)
{
    size_t places[SQL_TEXTS_MOST];
    assert(resource_count <= RESOURCES_MOST);
    *texts = (struct sql_texts){0};
    buffer_init(&texts->bytes, BYTES_MOST);
    for (unsigned i = 0; i < SQL_SHARED_COUNT; i++)
        add(texts, places, sql_shared[i].text, NULL);
    for (unsigned i = 0; i < SQL_OWN_END - SQL_SHARED_COUNT; i++)
        add(texts, places, own[i], NULL);
    for (unsigned i = 0; i < resource_count * SQL_OWN_ITEM_END; i++) {
        const unsigned which = i % SQL_OWN_ITEM_END;
        add(texts, places,
            which < SQL_ITEM_COUNT ? sql_items[which].text : own_items[which - SQL_ITEM_COUNT],
            resources[i / SQL_OWN_ITEM_END]);
    }
    for (unsigned i = 0; i < texts->count && !texts->bytes.failed; i++)
        texts->list[i] = texts->bytes.data + places[i];
    const bool made = !texts->bytes.failed;
    if (!made)
        sql_texts_finish(texts);
    return made;
}

void sql_texts_finish(struct sql_texts *texts)
{
    buffer_finish(&texts->bytes);
    *texts = (struct sql_texts){0};
}
