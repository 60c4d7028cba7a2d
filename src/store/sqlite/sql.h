// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_SQL_H
#define TASKHOLD_STORE_SQLITE_SQL_H

#include "store/sql.h"

/* Every statement but those of lists, by number: first what both engines share (store/sql.h), then
 * this engine's own, then SQL_OWN_ITEM_END of each resource. Parameters are numbered in the order
 * in which they are bound. */
enum sql {
    /* transactions */
    SQL_BEGIN_READ = SQL_SHARED_COUNT,
    SQL_BEGIN_WRITE,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_SAVEPOINT,
    SQL_RELEASE,
    SQL_ROLLBACK_TO,
    SQL_BATCH_SAVEPOINT, /* these are within one operation */
    SQL_BATCH_RELEASE,
    SQL_BATCH_ROLLBACK_TO,

    /* accounts */
    SQL_USER_BY_EMAIL,
    SQL_EMAIL_OWNER,
    SQL_INVITATION_COUNT,
    SQL_INVITATION_INSERT,
    SQL_INVITATION_GOOD,
    SQL_SESSION_GET, /* by its id: a refresh token names no user */
    SQL_SPACE_SET,

    /* purging: expired before ?1, at most ?2 rows; the first two tell their space and its bytes */
    SQL_PURGE_KEYS,
    SQL_PURGE_JOURNAL, /* of the space ?3: its first ?2 rows up to the last that is so old */
    SQL_PURGE_SESSIONS,
    SQL_PURGE_SCRIPT_TOKENS,
    SQL_PURGE_INVITATIONS,
    SQL_PURGE_ACTORS,
    SQL_JOURNAL_NEXT, /* the ?2 spaces after ?1, with the time of their oldest change */

    /* what changed */
    SQL_JOURNAL_AFTER,         /* the changes of the space after ?2, up to ?3 */
    SQL_JOURNAL_DELETED_LATER, /* whether the item was deleted once more, after the revision ?4 */

    SQL_OWN_END,
};

/* Of each resource, after those of enum sql_item. */
enum sql_own_item {
    SQL_ITEM_WALK = SQL_ITEM_COUNT, /* the ?4 items after a created_at and an id, in that order */
    SQL_OWN_ITEM_END,
};

#define SQL_TEXTS_MOST (SQL_OWN_END + SQL_OWN_ITEM_END * RESOURCES_MOST)

/* The number of a statement about the items of a resource. */
#define SQL_OF_ITEM(resource, item)                                                                \
    (SQL_OWN_END + resource_index(resource) * SQL_OWN_ITEM_END + (unsigned)(item))

/* The texts, in SQLite's words. */
struct sql_texts {
    struct buffer bytes;
    unsigned count;
    const char *list[SQL_TEXTS_MOST];
};

/* False without memory; then there is nothing to finish. */
bool sql_texts_init(struct sql_texts *texts) __attribute__((warn_unused_result));
void sql_texts_finish(struct sql_texts *texts);

#endif
