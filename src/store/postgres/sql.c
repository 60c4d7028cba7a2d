// SPDX-License-Identifier: MIT
#include "store/postgres/sql.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "store/postgres/list.h"
#include "store/usage.h"

/* The orders that row.h takes. */
#define USER_COLUMNS "user_id, email, name, password_hash, created_at, updated_at, disabled_at"
#define TASK_COLUMNS                                                                               \
    "id, title, description, status, created_at, updated_at, completed_at, revision"

/* Adds to the usage of a user. */
#define ADD_USAGE(pending, in_progress, completed, bytes)                                          \
    "tasks_pending = tasks_pending + " pending ", "                                                \
    "tasks_in_progress = tasks_in_progress + " in_progress ", "                                    \
    "tasks_completed = tasks_completed + " completed ", bytes = bytes + " bytes

/* Behind a change of one task `t`: its revision becomes the user's, and the usage follows. When no
 * task was changed the revision would become NULL, which the column forbids: then the transaction
 * fails as a whole. */
#define TAKE_REVISION(pending, in_progress, completed, bytes)                                      \
    " UPDATE users SET revision = (SELECT revision FROM t), " ADD_USAGE(                           \
        pending, in_progress, completed, bytes) " WHERE user_id = $1"

/* What has the address `$n` as a key of `emails`: ASCII in lower case, and nothing else changed. */
#define ADDRESS(n) "lower(" n " COLLATE \"C\")"

#define OCTETS(text) "octet_length(" text ")"

const char pg_sql_recount[] = USAGE_RECOUNT("user_id", OCTETS);
const char pg_sql_drift[] = USAGE_DRIFT("user_id", OCTETS);

static const struct sql_text texts[SQL_TASK_LIST] = {
    [SQL_BEGIN] = {"BEGIN ISOLATION LEVEL READ COMMITTED", ""},
    [SQL_COMMIT] = {"COMMIT", ""},
    [SQL_ROLLBACK] = {"ROLLBACK", ""},
    /* An empty record in the log: after it the commit waits as if it had changed something. */
    [SQL_BE_DURABLE] = {"SELECT pg_logical_emit_message(true, 'taskhold', '')", ""},

    [SQL_EMAIL_OWNER] = {"SELECT user_id FROM emails WHERE email = " ADDRESS("$1"), "t"},
    [SQL_SESSION_OWNER] = {"SELECT user_id FROM sessions WHERE id = $1", "u"},

    [SQL_INVITATION_LOCK] = {"SELECT 1 FROM invitations WHERE hash = $1 AND expires_at > $2 "
                             "AND (email IS NULL OR " ADDRESS("email") " = " ADDRESS(
                                 "$3") ") "
                                       "FOR UPDATE",
                             "bit"},
    [SQL_INVITATION_DELETE] = {"DELETE FROM invitations WHERE hash = $1", "b"},
    /* One that is there already, an earlier run of the job put there. */
    [SQL_INVITATION_PUT] = {"INSERT INTO invitations (hash, email, created_at, expires_at) "
                            "SELECT $1, $2, $3, $4 WHERE (SELECT count(*) FROM invitations) < $5 "
                            "ON CONFLICT (hash) DO UPDATE SET email = excluded.email "
                            "RETURNING 1",
                            "btiii"},

    [SQL_USER_GET] = {"SELECT " USER_COLUMNS " FROM users WHERE user_id = $1", "u"},
    [SQL_USER_LIST] = {"SELECT " USER_COLUMNS " FROM users WHERE user_id > $1 "
                       "ORDER BY user_id LIMIT $2",
                       "ui"},
    [SQL_ADDRESS_KNOWN] = {"SELECT 1 FROM known_addresses WHERE user_id = $1 AND ip = $2", "ut"},
    [SQL_SESSION_CHECK] = {"SELECT s.expires_at FROM sessions s "
                           "JOIN users u ON u.user_id = s.user_id "
                           "WHERE s.user_id = $1 AND s.id = $2 AND s.expires_at > $3 "
                           "AND u.disabled_at IS NULL",
                           "uui"},
    [SQL_SESSION_LIST] = {"SELECT id, user_id, counter, created_at, last_used_at, expires_at, "
                          "user_agent, ip FROM sessions WHERE user_id = $1 AND expires_at > $2 "
                          "ORDER BY created_at DESC, id DESC",
                          "ui"},
    [SQL_TASK_GET] = {"SELECT " TASK_COLUMNS " FROM tasks WHERE user_id = $1 AND id = $2", "uu"},

    [SQL_USER_LOCK] = {"SELECT revision, " USAGE_COLUMNS
                       " FROM users WHERE user_id = $1 FOR NO KEY UPDATE",
                       "u"},
    /* A broken network may deliver it when it was run again on another connection long since; where
     * its task has been deleted meanwhile, it must not bring that back. Revision 0: the user is
     * there and holds too much; locked, because a snapshot still has a user whose deletion the
     * UPDATE has waited for. */
    [SQL_TASK_CREATE] = {"WITH u AS (UPDATE users SET revision = revision + 1, " ADD_USAGE(
                             "($5 = 0)::int", "($5 = 1)::int", "($5 = 2)::int",
                             "$9") " WHERE user_id = $1 "
                                   "AND tasks_pending + tasks_in_progress + tasks_completed < $10 "
                                   "AND bytes <= $11 - $9 "
                                   "AND NOT EXISTS (SELECT FROM tombstones "
                                   "WHERE user_id = $1 AND id = $2) RETURNING revision), "
                                   "t AS (INSERT INTO tasks (user_id, " TASK_COLUMNS ") "
                                   "SELECT $1, $2, $3, $4, $5, $6, $7, $8, u.revision FROM u "
                                   "RETURNING revision) "
                                   "SELECT revision FROM t UNION ALL SELECT 0 FROM "
                                   "(SELECT FROM users WHERE user_id = $1 "
                                   "AND NOT EXISTS (SELECT FROM t) FOR NO KEY UPDATE) l",
                         "uuttiiiiiii"},
    [SQL_TASK_INSERT] = {"WITH t AS (INSERT INTO tasks (user_id, " TASK_COLUMNS ") "
                         "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
                         "RETURNING revision)" TAKE_REVISION("$10", "$11", "$12", "$13"),
                         "uuttiiiiiiiii"},
    [SQL_TASK_UPDATE] = {"WITH t AS (UPDATE tasks SET title = $4, description = $5, status = $6, "
                         "updated_at = $7, completed_at = $8, revision = $9 "
                         "WHERE user_id = $1 AND id = $2 AND revision = $3 "
                         "RETURNING revision)" TAKE_REVISION("$10", "$11", "$12", "$13"),
                         "uuittiiiiiiii"},
    [SQL_TASK_DELETE] = {"WITH t AS (DELETE FROM tasks "
                         "WHERE user_id = $1 AND id = $2 AND revision = $3 "
                         "RETURNING $4 AS revision)" TAKE_REVISION("$5", "$6", "$7", "$8"),
                         "uuiiiiii"},
    [SQL_USER_ADD_BYTES] = {"UPDATE users SET bytes = bytes + $2 WHERE user_id = $1", "ui"},
    [SQL_TOMBSTONE_GET] = {"SELECT 1 FROM tombstones WHERE user_id = $1 AND id = $2", "uu"},
    [SQL_TOMBSTONE_PUT] = {"INSERT INTO tombstones (user_id, id, revision, deleted_at) "
                           "VALUES ($1, $2, $3, $4) ON CONFLICT (user_id, id) DO UPDATE SET "
                           "revision = excluded.revision, deleted_at = excluded.deleted_at",
                           "uuii"},
    [SQL_TOMBSTONE_DROP] = {"DELETE FROM tombstones WHERE user_id = $1 AND id = $2", "uu"},
    [SQL_KEY_GET] = {"SELECT fingerprint, used_at, outcome, task_id, title, description, status, "
                     "created_at, updated_at, completed_at, revision "
                     "FROM idempotency_keys WHERE user_id = $1 AND key = $2",
                     "ut"},
    [SQL_KEY_PUT] = {"INSERT INTO idempotency_keys (user_id, key, fingerprint, used_at, outcome, "
                     "task_id, title, description, status, created_at, updated_at, completed_at, "
                     "revision) "
                     "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) "
                     "ON CONFLICT (user_id, key) DO UPDATE SET "
                     "fingerprint = excluded.fingerprint, used_at = excluded.used_at, "
                     "outcome = excluded.outcome, task_id = excluded.task_id, "
                     "title = excluded.title, description = excluded.description, "
                     "status = excluded.status, created_at = excluded.created_at, "
                     "updated_at = excluded.updated_at, completed_at = excluded.completed_at, "
                     "revision = excluded.revision",
                     "utbiiuttiiiii"},
    [SQL_KEY_TOUCH] = {"UPDATE idempotency_keys SET used_at = used_at "
                       "WHERE user_id = $1 AND key = $2",
                       "ut"},

    [SQL_EMAIL_INSERT] = {"INSERT INTO emails (user_id, email) VALUES ($1, " ADDRESS("$2") ")",
                          "ut"},
    [SQL_EMAIL_DELETE] = {"DELETE FROM emails WHERE user_id = $1 AND email = " ADDRESS("$2"), "ut"},
    [SQL_USER_INSERT] = {"INSERT INTO users (" USER_COLUMNS ") "
                         "VALUES ($1, $2, $3, $4, $5, $6, $7)",
                         "utttiii"},
    [SQL_USER_GET_LOCKED] = {"SELECT " USER_COLUMNS " FROM users WHERE user_id = $1 "
                             "FOR NO KEY UPDATE",
                             "u"},
    [SQL_USER_RENAME] =
        {"UPDATE users SET name = $2, updated_at = greatest(updated_at, $3) WHERE user_id = $1",
         "uti"},
    [SQL_USER_SET_HASH] = {"UPDATE users SET password_hash = $2, "
                           "updated_at = greatest(updated_at, $3) WHERE user_id = $1",
                           "uti"},
    [SQL_USER_SET_EMAIL] =
        {"UPDATE users SET email = $2, updated_at = greatest(updated_at, $3) WHERE user_id = $1",
         "uti"},
    [SQL_USER_SET_DISABLED] = {"UPDATE users SET disabled_at = $2 WHERE user_id = $1", "ui"},
    [SQL_USER_DELETE] = {"DELETE FROM users WHERE user_id = $1", "u"},
    [SQL_SESSION_INSERT] = {"INSERT INTO sessions (user_id, id, counter, created_at, "
                            "last_used_at, expires_at, user_agent, ip, superseded) "
                            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '') "
                            "ON CONFLICT (user_id, id) DO NOTHING",
                            "uuiiiitt"},
    [SQL_SESSION_PRUNE] = {"DELETE FROM sessions WHERE user_id = $1 AND id IN "
                           "(SELECT id FROM sessions WHERE user_id = $1 "
                           "ORDER BY created_at DESC, id DESC OFFSET $2) RETURNING id",
                           "ui"},
    [SQL_SESSION_GET_LOCKED] = {"SELECT s.counter, s.created_at, s.last_used_at, s.expires_at, "
                                "s.superseded, u.disabled_at IS NOT NULL "
                                "FROM sessions s JOIN users u ON u.user_id = s.user_id "
                                "WHERE s.user_id = $1 AND s.id = $2 FOR UPDATE OF s",
                                "uu"},
    [SQL_SESSION_ROTATE] = {"UPDATE sessions SET counter = $3, last_used_at = $4, "
                            "expires_at = $5, superseded = $6 WHERE user_id = $1 AND id = $2",
                            "uuiiib"},
    [SQL_SESSION_DELETE] = {"DELETE FROM sessions WHERE user_id = $1 AND id = $2 RETURNING id",
                            "uu"},
    [SQL_SESSION_DELETE_OTHERS] = {"DELETE FROM sessions WHERE user_id = $1 AND id <> $2", "uu"},
    [SQL_SESSIONS_ENDED] = {"SELECT pg_notify('taskhold_sessions_ended', $1::text)", "u"},
    [SQL_ADDRESS_PUT] = {"INSERT INTO known_addresses (user_id, ip, seen_at) VALUES ($1, $2, $3) "
                         "ON CONFLICT (user_id, ip) DO UPDATE SET seen_at = excluded.seen_at",
                         "uti"},
    [SQL_ADDRESS_PRUNE] = {"DELETE FROM known_addresses WHERE user_id = $1 AND ip IN "
                           "(SELECT ip FROM known_addresses WHERE user_id = $1 "
                           "ORDER BY seen_at DESC, ip OFFSET $2)",
                           "ui"},
};

const struct sql_text *sql_text(enum sql sql)
{
    return sql < SQL_TASK_LIST ? &texts[sql] : &pg_list_texts[sql - SQL_TASK_LIST];
}

/* As pg_type.dat names them; they never change. */
static Oid type_of(char letter)
{
    switch (letter) {
    case 'u': return 2950;
    case 'i': return 20;
    case 't': return 25;
    default: assert(letter == 'b'); return 17;
    }
}

int sql_types(enum sql sql, Oid types[static PARAMS_MOST])
{
    int count = 0;
    for (const char *letter = sql_text(sql)->types; *letter; letter++)
        types[count++] = type_of(*letter);
    return count;
}

void sql_name(enum sql sql, char name[static SQL_NAME_LEN])
{
    (void)snprintf(name, SQL_NAME_LEN, "th%d", (int)sql);
}
