// SPDX-License-Identifier: MIT
#include "store/sqlite/sql.h"

#include "store/usage.h"

#define USER_COLUMNS "id, email, name, password_hash, created_at, updated_at, disabled_at"
#define TASK_COLUMNS                                                                               \
    "id, title, description, status, created_at, updated_at, completed_at, revision"

/* octet_length() is newer than the oldest SQLite that we take. */
#define OCTETS(text) "length(CAST(" text " AS BLOB))"

const char sql_recount[] = USAGE_RECOUNT("id", OCTETS);
const char sql_drift[] = USAGE_DRIFT("id", OCTETS);

const char *const sql_texts[SQL_COUNT] = {
    [SQL_BEGIN_READ] = "BEGIN",
    [SQL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_SAVEPOINT] = "SAVEPOINT operation",
    [SQL_RELEASE] = "RELEASE operation",
    [SQL_ROLLBACK_TO] = "ROLLBACK TO operation",

    [SQL_USER_BY_EMAIL] = "SELECT " USER_COLUMNS " FROM users WHERE email = ?1",
    [SQL_USER_GET] = "SELECT " USER_COLUMNS " FROM users WHERE id = ?1",
    [SQL_USER_LIST] = "SELECT " USER_COLUMNS " FROM users WHERE id > ?1 ORDER BY id LIMIT ?2",
    [SQL_ADDRESS_KNOWN] = "SELECT 1 FROM known_addresses WHERE user_id = ?1 AND ip = ?2",
    [SQL_SESSION_CHECK] = "SELECT s.expires_at FROM sessions s JOIN users u ON u.id = s.user_id "
                          "WHERE s.id = ?1 AND s.user_id = ?2 AND s.expires_at > ?3 "
                          "AND u.disabled_at IS NULL",
    [SQL_SESSION_LIST] = "SELECT id, user_id, counter, created_at, last_used_at, expires_at, "
                         "user_agent, ip FROM sessions WHERE user_id = ?1 AND expires_at > ?2 "
                         "ORDER BY created_at DESC, id DESC",
    [SQL_TASK_GET] = "SELECT " TASK_COLUMNS " FROM tasks WHERE user_id = ?1 AND id = ?2",
    [SQL_USER_REVISION] = "SELECT revision, " USAGE_COLUMNS " FROM users WHERE id = ?1",

    [SQL_USER_SET_REVISION] = "UPDATE users SET revision = ?2, tasks_pending = ?3, "
                              "tasks_in_progress = ?4, tasks_completed = ?5, bytes = ?6 "
                              "WHERE id = ?1",
    [SQL_USER_GIVE_BACK] = "UPDATE users SET bytes = bytes - ?2 WHERE id = ?1",
    [SQL_TASK_INSERT] = "INSERT INTO tasks (user_id, " TASK_COLUMNS ") "
                        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [SQL_TASK_UPDATE] = "UPDATE tasks SET title = ?5, description = ?6, status = ?7, "
                        "updated_at = ?8, completed_at = ?9, revision = ?10 "
                        "WHERE user_id = ?1 AND created_at = ?2 AND id = ?3 AND revision = ?4",
    [SQL_TASK_DELETE] = "DELETE FROM tasks "
                        "WHERE user_id = ?1 AND created_at = ?2 AND id = ?3 AND revision = ?4",
    [SQL_TOMBSTONE_GET] = "SELECT 1 FROM tombstones WHERE user_id = ?1 AND id = ?2",
    [SQL_TOMBSTONE_PUT] = "INSERT OR REPLACE INTO tombstones (user_id, id, revision, deleted_at) "
                          "VALUES (?1, ?2, ?3, ?4)",
    [SQL_TOMBSTONE_DROP] = "DELETE FROM tombstones WHERE user_id = ?1 AND id = ?2",
    [SQL_KEY_GET] = "SELECT fingerprint, used_at, outcome, task_id, title, description, status, "
                    "created_at, updated_at, completed_at, revision "
                    "FROM idempotency_keys WHERE user_id = ?1 AND key = ?2",
    [SQL_KEY_PUT] = "INSERT OR REPLACE INTO idempotency_keys (user_id, key, fingerprint, used_at, "
                    "outcome, task_id, title, description, status, created_at, updated_at, "
                    "completed_at, revision) "
                    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",

    [SQL_EMAIL_OWNER] = "SELECT id FROM users WHERE email = ?1",
    [SQL_USER_INSERT] = "INSERT INTO users (" USER_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [SQL_INVITATION_COUNT] = "SELECT count(*) FROM invitations",
    [SQL_INVITATION_INSERT] = "INSERT INTO invitations (hash, email, created_at, expires_at) "
                              "VALUES (?1, ?2, ?3, ?4)",
    [SQL_INVITATION_GOOD] = "SELECT 1 FROM invitations WHERE hash = ?1 AND expires_at > ?2 "
                            "AND (email IS NULL OR email = ?3)",
    [SQL_INVITATION_DELETE] = "DELETE FROM invitations WHERE hash = ?1",
    [SQL_USER_RENAME] =
        "UPDATE users SET name = ?2, updated_at = max(updated_at, ?3) WHERE id = ?1",
    [SQL_USER_SET_HASH] = "UPDATE users SET password_hash = ?2, updated_at = "
                          "max(updated_at, coalesce(?3, updated_at)) WHERE id = ?1",
    [SQL_USER_SET_EMAIL] =
        "UPDATE users SET email = ?2, updated_at = max(updated_at, ?3) WHERE id = ?1",
    [SQL_USER_SET_DISABLED] = "UPDATE users SET disabled_at = ?2 WHERE id = ?1",
    [SQL_USER_DELETE] = "DELETE FROM users WHERE id = ?1",
    [SQL_SESSION_INSERT] = "INSERT INTO sessions (id, user_id, counter, created_at, last_used_at, "
                           "expires_at, user_agent, ip, superseded) "
                           "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, x'')",
    [SQL_SESSION_PRUNE] = "DELETE FROM sessions WHERE user_id = ?1 AND id IN (SELECT id FROM "
                          "sessions WHERE user_id = ?1 ORDER BY created_at DESC, id DESC "
                          "LIMIT -1 OFFSET ?2)",
    [SQL_SESSION_GET] = "SELECT s.user_id, s.counter, s.created_at, s.last_used_at, s.expires_at, "
                        "s.superseded, u.disabled_at IS NOT NULL "
                        "FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = ?1",
    [SQL_SESSION_ROTATE] = "UPDATE sessions SET counter = ?2, last_used_at = ?3, expires_at = ?4, "
                           "superseded = ?5 WHERE id = ?1",
    [SQL_SESSION_DELETE] = "DELETE FROM sessions WHERE id = ?1 AND user_id = ?2",
    [SQL_SESSION_DELETE_OTHERS] = "DELETE FROM sessions WHERE user_id = ?1 AND id <> ?2",
    [SQL_ADDRESS_PUT] = "INSERT OR REPLACE INTO known_addresses (user_id, ip, seen_at) "
                        "VALUES (?1, ?2, ?3)",
    [SQL_ADDRESS_PRUNE] = "DELETE FROM known_addresses WHERE user_id = ?1 AND ip IN (SELECT ip "
                          "FROM known_addresses WHERE user_id = ?1 ORDER BY seen_at DESC, ip "
                          "LIMIT -1 OFFSET ?2)",

    [SQL_PURGE_KEYS] = "DELETE FROM idempotency_keys WHERE sequence IN (SELECT sequence FROM "
                       "idempotency_keys WHERE used_at < ?1 ORDER BY used_at LIMIT ?2) "
                       "RETURNING user_id, " USAGE_SQL_KEY(OCTETS),
    [SQL_PURGE_TOMBSTONES] = "DELETE FROM tombstones WHERE sequence IN (SELECT sequence FROM "
                             "tombstones WHERE deleted_at < ?1 ORDER BY deleted_at LIMIT ?2) "
                             "RETURNING user_id, " USAGE_SQL_TOMBSTONE,
    [SQL_PURGE_SESSIONS] = "DELETE FROM sessions WHERE id IN "
                           "(SELECT id FROM sessions WHERE expires_at < ?1 "
                           "ORDER BY expires_at LIMIT ?2)",
    [SQL_PURGE_INVITATIONS] = "DELETE FROM invitations WHERE hash IN "
                              "(SELECT hash FROM invitations WHERE expires_at < ?1 "
                              "ORDER BY expires_at LIMIT ?2)",
};
