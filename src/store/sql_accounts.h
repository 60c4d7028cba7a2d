// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQL_ACCOUNTS_H
#define TASKHOLD_STORE_SQL_ACCOUNTS_H

/* The rows of sql_shared (sql.h) about accounts, sessions and tokens of scripts. */

#define USER_COLUMNS                                                                               \
    "user_id, email, name, password_hash, created_at, updated_at, disabled_at, time_zone"

/* A token of a script that has not expired at `now`. */
#define LIVE_TOKEN(t, now) "(" t "expires_at IS NULL OR " t "expires_at > " now ")"

#define ACCOUNT_FORMS                                                                              \
    [SQL_USER_GET] = {"SELECT " USER_COLUMNS                                                       \
                      " FROM users WHERE user_id = ?1 AND deleted_at IS NULL",                     \
                      "u"},                                                                        \
    [SQL_USER_LIST] = {"SELECT " USER_COLUMNS " FROM users "                                       \
                       "WHERE user_id > ?1 AND deleted_at IS NULL ORDER BY user_id LIMIT ?2",      \
                       "ui"},                                                                      \
    [SQL_USER_INSERT] = {"INSERT INTO users (user_id, email, name, password_hash, created_at, "    \
                         "updated_at, disabled_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",           \
                         "utttiii"},                                                               \
    [SQL_USER_SET_PROFILE] = {"UPDATE users SET name = ?2, time_zone = ?3, updated_at = "          \
                              "{max}(updated_at, ?4) WHERE user_id = ?1",                          \
                              "utti"},                                                             \
    [SQL_USER_SET_HASH] = {"UPDATE users SET password_hash = ?2, updated_at = "                    \
                           "{max}(updated_at, coalesce(?3, updated_at)) WHERE user_id = ?1",       \
                           "uti"},                                                                 \
    [SQL_USER_SET_EMAIL] = {"UPDATE users SET email = ?2, updated_at = {max}(updated_at, ?3) "     \
                            "WHERE user_id = ?1",                                                  \
                            "uti"},                                                                \
    [SQL_USER_SET_DISABLED] = {"UPDATE users SET disabled_at = ?2 WHERE user_id = ?1", "ui"},      \
    [SQL_USER_MARK_DELETED] = {"UPDATE users SET deleted_at = ?2, email = NULL, name = NULL, "     \
                               "time_zone = NULL, password_hash = '' WHERE user_id = ?1",          \
                               "ui"},                                                              \
    [SQL_ADDRESS_KNOWN] = {"SELECT 1 FROM known_addresses WHERE user_id = ?1 AND ip = ?2", "ut"},  \
    [SQL_ADDRESS_PUT] = {"INSERT INTO known_addresses (user_id, ip, seen_at) VALUES (?1, ?2, ?3) " \
                         "ON CONFLICT (user_id, ip) DO UPDATE SET seen_at = excluded.seen_at",     \
                         "uti"},                                                                   \
    [SQL_ADDRESS_PRUNE] = {"DELETE FROM known_addresses WHERE user_id = ?1 AND ip IN (SELECT ip "  \
                           "FROM known_addresses WHERE user_id = ?1 ORDER BY seen_at DESC, ip "    \
                           "LIMIT 1000 OFFSET ?2)",                                                \
                           "ui"},                                                                  \
    [SQL_ADDRESS_DELETE_ALL] = {"DELETE FROM known_addresses WHERE user_id = ?1", "u"},            \
    [SQL_ACTOR_DELETE_ALL] = {"DELETE FROM actors WHERE user_id = ?1", "u"},                       \
    [SQL_SESSION_CHECK] = {"SELECT s.expires_at FROM sessions s "                                  \
                           "JOIN users u ON u.user_id = s.user_id "                                \
                           "WHERE s.user_id = ?1 AND s.id = ?2 AND s.expires_at > ?3 "             \
                           "AND u.disabled_at IS NULL AND u.deleted_at IS NULL",                   \
                           "uui"},                                                                 \
    [SQL_SESSION_LIST] = {"SELECT id, user_id, counter, created_at, last_used_at, expires_at, "    \
                          "user_agent, ip FROM sessions WHERE user_id = ?1 AND expires_at > ?2 "   \
                          "ORDER BY created_at DESC, id DESC",                                     \
                          "ui"},                                                                   \
    [SQL_SESSION_INSERT] = {"INSERT INTO sessions (user_id, id, counter, created_at, "             \
                            "last_used_at, expires_at, user_agent, ip, superseded) "               \
                            "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, {empty}) "                    \
                            "ON CONFLICT DO NOTHING",                                              \
                            "uuiiiitt"},                                                           \
    [SQL_SESSION_PRUNE] = {"DELETE FROM sessions WHERE user_id = ?1 AND id IN (SELECT id FROM "    \
                           "sessions WHERE user_id = ?1 ORDER BY created_at DESC, id DESC "        \
                           "LIMIT 1000 OFFSET ?2) RETURNING id",                                   \
                           "ui"},                                                                  \
    [SQL_SESSION_ROTATE] = {"UPDATE sessions SET counter = ?3, last_used_at = ?4, "                \
                            "expires_at = ?5, superseded = ?6 WHERE user_id = ?1 AND id = ?2",     \
                            "uuiiib"},                                                             \
    [SQL_SESSION_DELETE] = {"DELETE FROM sessions WHERE user_id = ?1 AND id = ?2 RETURNING id",    \
                            "uu"},                                                                 \
    [SQL_SESSION_DELETE_OTHERS] = {"DELETE FROM sessions WHERE user_id = ?1 AND id <> ?2", "uu"},  \
    [SQL_SCRIPT_TOKEN_OWNER] = {"SELECT user_id FROM script_tokens WHERE hash = ?1", "b"},         \
    [SQL_SCRIPT_TOKEN_CHECK] = {"SELECT t.id, t.user_id, t.scopes, t.created_at, t.last_used_at, " \
                                "t.expires_at FROM script_tokens t "                               \
                                "JOIN users u ON u.user_id = t.user_id "                           \
                                "WHERE t.user_id = ?1 AND t.hash = ?2 AND " LIVE_TOKEN(            \
                                    "t.",                                                          \
                                    "?3") " AND u.disabled_at IS NULL AND u.deleted_at IS NULL",   \
                                "ubi"},                                                            \
    [SQL_SCRIPT_TOKEN_ALIVE] = {"SELECT t.expires_at FROM script_tokens t "                        \
                                "JOIN users u ON u.user_id = t.user_id "                           \
                                "WHERE t.user_id = ?1 AND t.id = ?2 AND " LIVE_TOKEN(              \
                                    "t.",                                                          \
                                    "?3") " AND u.disabled_at IS NULL AND u.deleted_at IS NULL",   \
                                "uui"},                                                            \
    [SQL_SCRIPT_TOKEN_LIST] =                                                                      \
        {"SELECT id, user_id, scopes, created_at, last_used_at, expires_at, "                      \
         "name, ip FROM script_tokens WHERE user_id = ?1 AND " LIVE_TOKEN(                         \
             "", "?2") " ORDER BY created_at DESC, id DESC",                                       \
         "ui"},                                                                                    \
    [SQL_SCRIPT_TOKEN_COUNT] = {"SELECT count(*), count(CASE id WHEN ?2 THEN 1 END) "              \
                                "FROM script_tokens WHERE user_id = ?1 AND " LIVE_TOKEN("", "?3"), \
                                "uui"},                                                            \
    [SQL_SCRIPT_TOKEN_INSERT] = {"INSERT INTO script_tokens (user_id, id, hash, name, scopes, "    \
                                 "created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",    \
                                 "uubtiii"},                                                       \
    [SQL_SCRIPT_TOKEN_USE] = {"UPDATE script_tokens SET last_used_at = ?3, ip = ?4 "               \
                              "WHERE user_id = ?1 AND id = ?2 "                                    \
                              "AND coalesce(last_used_at, 0) <= ?5",                               \
                              "uuiti"},                                                            \
    [SQL_SCRIPT_TOKEN_DELETE] = {"DELETE FROM script_tokens WHERE user_id = ?1 AND id = ?2 "       \
                                 "RETURNING id",                                                   \
                                 "uu"},                                                            \
    [SQL_SCRIPT_TOKEN_DELETE_ALL] = {"DELETE FROM script_tokens WHERE user_id = ?1", "u"},         \
    [SQL_INVITATION_DELETE] = {"DELETE FROM invitations WHERE hash = ?1", "b"}

#endif
