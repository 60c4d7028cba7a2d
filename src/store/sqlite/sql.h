// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_SQL_H
#define TASKHOLD_STORE_SQLITE_SQL_H

/* Every statement but those of the task list, in one place. The owner stands in the WHERE of each
 * that touches what a user owns. Parameters are numbered in the order in which they are bound. */
enum sql {
    /* transactions */
    SQL_BEGIN_READ,
    SQL_BEGIN_WRITE,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_SAVEPOINT,
    SQL_RELEASE,
    SQL_ROLLBACK_TO,

    /* reads of a loop */
    SQL_USER_BY_EMAIL,
    SQL_USER_GET,
    SQL_USER_LIST,
    SQL_ADDRESS_KNOWN,
    SQL_SESSION_CHECK,
    SQL_SESSION_LIST,
    SQL_TASK_GET,
    SQL_USER_REVISION,

    /* writes of tasks */
    SQL_USER_SET_REVISION,
    SQL_USER_GIVE_BACK, /* ?2 bytes of the usage */
    SQL_TASK_INSERT,
    SQL_TASK_UPDATE,
    SQL_TASK_DELETE,
    SQL_TOMBSTONE_GET,
    SQL_TOMBSTONE_PUT,
    SQL_TOMBSTONE_DROP,
    SQL_KEY_GET,
    SQL_KEY_PUT,

    /* writes of accounts and sessions */
    SQL_EMAIL_OWNER,
    SQL_USER_INSERT,
    SQL_INVITATION_COUNT,
    SQL_INVITATION_INSERT,
    SQL_INVITATION_GOOD,
    SQL_INVITATION_DELETE,
    SQL_USER_RENAME,
    SQL_USER_SET_HASH,
    SQL_USER_SET_EMAIL,
    SQL_USER_SET_DISABLED,
    SQL_USER_DELETE,
    SQL_SESSION_INSERT,
    SQL_SESSION_PRUNE,
    SQL_SESSION_GET,
    SQL_SESSION_ROTATE,
    SQL_SESSION_DELETE,
    SQL_SESSION_DELETE_OTHERS,
    SQL_ADDRESS_PUT,
    SQL_ADDRESS_PRUNE,

    /* purging: expired before ?1, at most ?2 rows */
    SQL_PURGE_KEYS,
    SQL_PURGE_TOMBSTONES,
    SQL_PURGE_SESSIONS,
    SQL_PURGE_INVITATIONS,

    SQL_COUNT,
};

extern const char *const sql_texts[SQL_COUNT];

/* See usage.h. */
extern const char sql_recount[]; /* two statements */
extern const char sql_drift[];

#endif
