// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_SQL_H
#define TASKHOLD_STORE_POSTGRES_SQL_H

#include "store/postgres/params.h"

/* Every statement that a session runs, but for lists: those of store/sql.h, and what only this
 * engine has. All of what a user or a space owns is named by its id first; the few that cannot are
 * marked as directories or as work of the whole house, and a test reads the table.
 *
 * A statement is a number: of enum sql_shared, of the list here, or what sql_of_item gives. */
enum sql_own {
    /* transactions */
    SQL_BEGIN = SQL_SHARED_COUNT,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_BATCH_SAVEPOINT, /* of a transaction that is one operation's alone */
    SQL_BATCH_ROLLBACK,  /* to it */
    SQL_BE_PRIMARY,      /* fails where nobody may write, and locks no row */
    SQL_BE_DURABLE,      /* has the commit wait for the disks of this and all that was before it */

    /* directories: from what a stranger brings to the user */
    SQL_EMAIL_OWNER,
    SQL_SESSION_OWNER,
    SQL_INVITATION_LOCK, /* whether it is good; the row stays locked until the commit */
    SQL_INVITATION_PUT,  /* unless there are too many; answers the row */
    SQL_EMAIL_INSERT,
    SQL_EMAIL_DELETE,

    /* rows that stay locked until the commit */
    SQL_USER_LOCK,
    SQL_SESSION_LOCK,
    SQL_SPACE_LOCK,
    SQL_DELETED_LOCK, /* one that no other node is removing */
    SQL_EMPTIED_LOCK, /* likewise */

    SQL_EMPTIED_GIVE_BACK, /* the bytes, in place of SQL_EMPTIED_BYTES */

    SQL_DELETION_GET,   /* whether an item of that id was deleted */
    SQL_SPACE_CHANGE,   /* after changes of several items, of which none is the operation's own */
    SQL_KEY_TOUCH,      /* has the commit wait for what was kept before */
    SQL_SESSIONS_ENDED, /* tells the other nodes, at the commit */

    /* What changed after the revision ?2 and up to ?4, of at most ?3 items. A row has the space's
     * revision and what it has forgotten; then of a change its revision, time, kind and id, and the
     * columns of all resources, null but for those of its own; without changes there is one row in
     * which they are null. Rows end as those of a list do. */
    SQL_CHANGES,
    SQL_OWN_END,
};

/* Of each resource, after those of enum sql_item. Each writes the row of the item, that of the
 * space and that of the journal. */
enum sql_own_item {
    SQL_ITEM_CREATE = SQL_ITEM_COUNT, /* without a lock before: answers the revision that it took */
    SQL_ITEM_ADD, /* these three set the space's revision to the one that is given */
    SQL_ITEM_CHANGE,
    SQL_ITEM_REMOVE,
    SQL_ITEM_FOLLOW_ADD, /* these leave the space as it is, and answer whether there was such a row
                          */
    SQL_ITEM_FOLLOW_CHANGE,
    SQL_ITEM_FOLLOW_REMOVE,
    SQL_ITEM_WALK, /* a page of at most ?4 items after a created_at and an id: a row has the space's
                      revision, what it has forgotten, and the columns; as of a list */
    SQL_OWN_ITEM_END,
};

unsigned SQL_OF_ITEM(const struct resource *resource, unsigned which);

/* How many statements there are; they count from 0. */
unsigned sql_count(void);

/* Makes their texts, the first time; false without memory. Before anything that follows. */
bool sql_init(void) __attribute__((warn_unused_result));

struct sql_text {
    const char *text;
    const char *types; /* a letter a parameter, as in store/sql.h */
};
const struct sql_text *sql_text(unsigned sql);

/* The name under which it is prepared: the same on every connection. */
#define SQL_NAME_LEN 16
void sql_name(unsigned sql, char name[static SQL_NAME_LEN]);

/* Appends the text of a list, and answers whether it counts the rows itself: if not, the total is
 * that of the space's counts, or not asked for.
 *
 * A row is the space's revision, its counts, the total, and the columns of an item; without items
 * there is one row in which those are null. Rows end after STORE_PAGE_BYTES, with one more to tell
 * that there are more, because libpq holds all that it is sent. It is one statement, so that all
 * are of one snapshot. */
void sql_list(struct buffer *out, const struct store_item_list *op);
bool sql_list_counts(const struct store_item_list *op);

/* The parameters of a list; returns how many, or 0 without memory in the operation's arena. `space`
 * and the operation stay where they are. */
#define SQL_LIST_PARAMS_MOST (SQL_LIST_VALUES_MOST + 3)
unsigned sql_list_params(const struct store_item_list *op,
                         struct sql_value values[static SQL_LIST_PARAMS_MOST]);

#endif
