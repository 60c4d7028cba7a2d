// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_HISTORY_H
#define TASKHOLD_STORE_HISTORY_H

#include "store/history_operations.h"

/* A page of a history out of rows of the journal: the same on every engine. No I/O.
 *
 * A row has what a change replaced, and not what it put there: that is what the next later change
 * of the same member replaced, or what the thing has now. So the rows are walked from the newest,
 * back along their chain, with the thing as it was after the row that comes next. */

/* Rows, and bytes of them, that an engine reads at once. */
#define HISTORY_PART_ROWS  256
#define HISTORY_PART_BYTES STORE_PAGE_BYTES

/* Memory that a page may take, and a row on its way. */
#define HISTORY_PAGE_MEMORY ((size_t)4 * 1024 * 1024)
#define HISTORY_ROW_MEMORY  ((size_t)4 * 1024 * 1024)

struct history_row {
    int64_t revision;
    int64_t at;
    enum store_verb verb;
    struct store_actor by;
    struct slice before; /* JSON; ptr NULL: none */
    int64_t previous;    /* 0: none */
    int64_t undoes;      /* 0: nothing */
};

struct history_walk {
    struct store_history *op;
    int64_t next; /* the revision of the row that is to be given; 0: it is done */
    void *state;  /* the thing as it was after that row */
    char *texts[RESOURCE_FIELDS_MOST]; /* where its texts stand */
    unsigned rows;                     /* that were given */
    size_t bytes;                      /* of the page */
};

/* Begins a page, or begins it anew. `item`: the thing as it is; NULL: it is in the trash, and
 * `revision` is that of its deletion. False without memory. */
bool history_begin(struct history_walk *walk, struct store_history *op, const void *item,
                   int64_t revision) __attribute__((warn_unused_result));

/* How many rows are to be read from walk->next on. */
unsigned history_part(const struct history_walk *walk);

/* Takes the next row, whose bytes need not stay. `scratch` is for this row. Answers ERROR_NONE, or
 * why the history cannot be told. */
enum error history_take(struct history_walk *walk, const struct history_row *row,
                        struct arena *scratch) __attribute__((warn_unused_result));

#endif
