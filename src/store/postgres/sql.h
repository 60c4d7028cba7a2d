// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_SQL_H
#define TASKHOLD_STORE_POSTGRES_SQL_H

#include <libpq-fe.h>

#include "store/postgres/params.h"

/* Every statement that a session runs, in one place. All of what a user owns is named by user_id
 * first; the few that cannot are marked as directories or as work of the whole house, and a test
 * reads the table. */
enum sql {
    /* transactions */
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_BE_DURABLE, /* has the commit wait for the disks of this and all that was before it */

    /* directories: from what a stranger brings to the user */
    SQL_EMAIL_OWNER,
    SQL_SESSION_OWNER,
    SQL_INVITATION_LOCK, /* whether it is good; the row stays locked until the commit */
    SQL_INVITATION_DELETE,
    SQL_INVITATION_PUT, /* unless there are too many; answers the row */

    /* reads */
    SQL_USER_GET,
    SQL_USER_LIST,
    SQL_ADDRESS_KNOWN,
    SQL_SESSION_CHECK,
    SQL_SESSION_LIST,
    SQL_TASK_GET,

    /* writes of tasks */
    SQL_USER_LOCK,   /* the user's revision and usage; the row stays locked until the commit */
    SQL_TASK_CREATE, /* without a lock before: takes the next revision and answers it */
    SQL_TASK_INSERT, /* this and the next two set the user's revision to the task's, and add to
                        the usage */
    SQL_TASK_UPDATE,
    SQL_TASK_DELETE,
    SQL_USER_ADD_BYTES,
    SQL_TOMBSTONE_GET,
    SQL_TOMBSTONE_PUT,
    SQL_TOMBSTONE_DROP,
    SQL_KEY_GET,
    SQL_KEY_PUT,
    SQL_KEY_TOUCH, /* has the commit wait for what was kept before */

    /* writes of accounts and sessions */
    SQL_EMAIL_INSERT,
    SQL_EMAIL_DELETE,
    SQL_USER_INSERT,
    SQL_USER_GET_LOCKED,
    SQL_USER_RENAME,
    SQL_USER_SET_HASH,
    SQL_USER_SET_EMAIL,
    SQL_USER_SET_DISABLED,
    SQL_USER_DELETE,
    SQL_SESSION_INSERT,
    SQL_SESSION_PRUNE,
    SQL_SESSION_GET_LOCKED,
    SQL_SESSION_ROTATE,
    SQL_SESSION_DELETE,
    SQL_SESSION_DELETE_OTHERS,
    SQL_SESSIONS_ENDED, /* tells the other nodes, at the commit */
    SQL_ADDRESS_PUT,
    SQL_ADDRESS_PRUNE,

    /* lists of tasks: one for each sort, order, filter and position; see list.c */
    SQL_TASK_LIST,
    SQL_COUNT = SQL_TASK_LIST + 32,
};

struct sql_text {
    const char *text;
    const char *types; /* a letter a parameter: u uuid, i bigint, t text, b bytea */
};

/* Row `sql` of the table. */
const struct sql_text *sql_text(enum sql sql);

/* See usage.h. */
extern const char pg_sql_recount[]; /* two statements */
extern const char pg_sql_drift[];

/* The types of its parameters for libpq; returns how many. */
int sql_types(enum sql sql, Oid types[static PARAMS_MOST]);

/* The name under which it is prepared: the same on every connection. */
#define SQL_NAME_LEN 16
void sql_name(enum sql sql, char name[static SQL_NAME_LEN]);

#endif
