// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_ITEM_ROWS_H
#define TASKHOLD_STORE_SQLITE_ITEM_ROWS_H

#include "store/decision.h"
#include "store/sql.h"
#include "store/sqlite/statement.h"
#include "store/store.h"

/* The items of spaces, whatever their resource: what a member is called, and how it is bound and
 * taken, stands in the resource's fields. */
void item_rows_get(struct store_item_get *op);
void item_rows_list(struct store_item_list *op);
void item_rows_write(struct store_item_write *op);

/* batch_rows.c */
void item_rows_write_batch(struct store_batch *op);

/* For a reader thread: reads revision, total and rows on the connection of op->op.session and gives
 * the rows, without `begin` and `done`. Returns SQLITE_OK or an error. */
int item_rows_read_page(struct store_item_list *op);

/* Takes the columns of {columns}, as the row has them; texts live until the next row. */
void item_rows_take(struct query *q, const struct resource *resource, void *item);

/* Makes the texts of an item that were borrowed its own. False without memory. */
bool item_rows_keep_texts(const struct resource *resource, void *item, struct arena *arena)
    __attribute__((warn_unused_result));

/* The item of that id, with texts of its own in `arena`; `*found` NULL: there is none. Returns
 * SQLITE_OK or an error. */
int item_rows_read(struct statements *statements, const struct resource *resource,
                   const struct uuid *space, const struct uuid *id, struct arena *arena,
                   const void **found);

/* ---- the rows of spaces ---- */

/* The row as it is in the database. Returns SQLITE_OK or an error. */
int item_rows_look_at_space(struct statements *statements, const struct uuid *id,
                            struct space *space, bool *found);

/* Are there too many tasks in the space for a loop to look at them all? */
bool item_rows_are_many(const struct usage *usage);

/* ---- the same, for writes ---- */

#define CHANGED_SPACES_PLACES 128 /* a power of two; twice as many as are kept */

/* The rows of the spaces whose items are being changed: each is read once and written once for all
 * writes of a transaction, or of a part of it that changes no more spaces than are kept. Until then
 * the row in the database is older. */
struct changed_spaces {
    unsigned count; /* that are known */
    struct changed_space {
        struct uuid id;
        struct space space;
        bool known; /* else the place is free */
        bool changed;
    } places[CHANGED_SPACES_PLACES];
};

struct transaction;

/* Writes what was changed and forgets all spaces: before anything else touches their rows, and
 * before the commit. Returns SQLITE_OK or an error. */
int item_rows_settle_spaces(struct transaction *t);

/* Forgets them, of what was rolled back. */
void item_rows_forget_spaces(struct transaction *t);

/* `*space` stays good while no other space is held; NULL: there is none of that id. */
int item_rows_hold_space(struct transaction *t, const struct uuid *id,
                         struct changed_space **space);

/* ---- writes, for batches ---- */

/* Was the key used in the last 24 hours? Then `*decided`: the old answer, or that it is another
 * request. */
int item_rows_find_kept(struct transaction *t, struct store_item_write *op,
                        struct item_before *before, bool *decided);
int item_rows_keep_answer(struct transaction *t, const struct store_item_write *op);

/* Decides a write and carries it out, without a look at its key. `before` has what is known
 * already: kept_bytes and answers. */
int item_rows_run(struct transaction *t, struct store_item_write *op, struct changed_space *space,
                  struct item_before *before, struct item_decision *decision);

/* ---- lists ---- */

/* The statements of lists that a connection has prepared: one a shape (store/sql.h), the one that
 * was not used for the longest time goes when there is no place. */
#define LIST_STATEMENTS_MOST 64
struct list_statements {
    unsigned count;
    uint64_t uses;
    struct list_statement {
        uint8_t shape[SQL_SHAPE_LEN];
        uint64_t used; /* the count of uses then */
        sqlite3_stmt *statement;
    } list[LIST_STATEMENTS_MOST];
};

void list_statements_finish(struct list_statements *lists);

#endif
