// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_ITEM_OPERATIONS_H
#define TASKHOLD_STORE_ITEM_OPERATIONS_H

#include "model/days.h"
#include "model/task.h"
#include "model/user.h"
#include "store/operation.h"

/* Calls about what a space holds. */

/* ---- reads ---- */

/* ERROR_NOT_FOUND: the space has no such item (it may be another's, or deleted). */
struct store_item_get {
    struct store_op op;
    const struct resource *resource;
    struct uuid space;
    struct uuid id;
    const void *item; /* out: of resource->size bytes; it lives until `done` returns */
};

/* What a row must be to be listed. */
struct store_term {
    enum list_filter filter;
    const struct field *field; /* NULL: the filter names none */
    bool wanted;               /* whether it must be so, of filters that are true or false */
    bool or_null;              /* of LIST_IN: those that have none too */
    uint64_t choices;          /* of LIST_IS, CHOICE and BOOL: bits (1 << value), not 0 */
    struct field_value value;  /* of LIST_IS, others: what it is equal to; null: that it has none */
    struct slice list; /* of LIST_IN: ids, one after the other; of LIST_ANY_OF and LIST_ALL_OF: a
                          JSON array in the form of field_json.h; of LIST_SEARCH: folded terms
                          with FOLD_BREAK between them */
    struct days_packed limit; /* of LIST_BEFORE and LIST_FROM (of a TIME only `even`, that time);
                                 of LIST_OVERDUE: of `due`; of LIST_READY: of `start` */
};

/* How rows are ordered. */
#define STORE_ORDERS_MOST 3
struct store_order {
    const struct field *field; /* FIELD_SORTABLE, or of the resource's orders */
    enum list_order order;
    bool descending;
};

/* After which row a page begins: the members that it is ordered by, and its id. */
struct store_position {
    struct field_value keys[STORE_ORDERS_MOST];
    struct slice beside[STORE_ORDERS_MOST]; /* of LIST_BY_FOLDED: the text folded (fold_add); of
                                               LIST_BY_LIST: the list's position */
    struct uuid id;
};

/* One page of the items of a space, and the revision of the space in the same snapshot. Ordered by
 * the keys and then by id, in the direction of the last key; null comes last in both. `each`
 * runs for each row, at most `limit` times, before `done`; the row's texts live only during that
 * call. It answers false when the page has no room for another row: then that was the last, or the
 * one before it was, when `each` has set `more`. After texts of more than STORE_PAGE_BYTES an
 * engine may end a page by itself. `begin` (may be NULL) runs before the first row, when `revision`
 * is known, and answers false to skip the rows; it may run again, with that revision or a later
 * one, still before the first row. `total` may then still be -1: where it must be counted, it is
 * known when `done` runs. A space that is gone has the revision 0 and no rows. */
#define STORE_PAGE_BYTES 262144
#define STORE_TERMS_MOST 24
#define STORE_LIMIT_MOST 100
struct store_item_list {
    struct store_op op;
    const struct resource *resource;
    struct uuid space;
    struct store_term terms[STORE_TERMS_MOST]; /* all must hold */
    unsigned term_count;
    struct store_order orders[STORE_ORDERS_MOST];
    unsigned order_count;        /* at least 1 */
    const struct days_run *runs; /* of the zone in which dates are ordered; NULL: none are */
    size_t run_count;
    bool after;                     /* begin after `position` */
    struct store_position position; /* valid when `after` */
    unsigned limit;                 /* rows, 1 to STORE_LIMIT_MOST */
    bool with_total;
    bool (*begin)(struct store_item_list *op);
    bool (*each)(struct store_item_list *op, const void *item);
    struct slice place; /* out, for `each`: the position of the row's list, where LIST_BY_LIST is an
                           order; ptr NULL: it is in none */
    int64_t revision;   /* out */
    int64_t total;      /* out: items that fit the terms; -1: not asked for, and not known */
    bool more;          /* out: there are rows after the last */
};

/* One page of the labels that the tasks of a space carry, in the order of their code points, and
 * the revision of the space in the same snapshot. `begin` (may be NULL) runs when a revision is
 * known, and answers false to skip the labels; what is read after it may be of a later one. A space
 * that is gone has the revision 0 and no labels. */
struct store_label {
    struct slice name;
    int64_t tasks;
    int64_t open; /* of these, not completed */
};

struct store_label_list {
    struct store_op op;
    struct uuid space;
    struct slice after; /* begin after this one; empty: at the beginning */
    unsigned limit;     /* labels, 1 to STORE_LIMIT_MOST */
    bool (*begin)(struct store_label_list *op);
    int64_t revision;          /* out */
    struct store_label *items; /* out */
    unsigned count;            /* out */
    bool more;                 /* out: there are labels after the last */
};

/* What the tasks of a space come to, in one snapshot. Only the status counts of `tasks` look at
 * what is completed. */
struct store_summary_list {
    struct uuid id; /* all zero: the inbox */
    int64_t open;
    int64_t overdue;
};

struct store_summary {
    struct store_op op;
    struct uuid space;
    struct days_packed overdue;       /* what is due before this has passed */
    struct days_packed today;         /* what is due today is not before this, */
    struct days_packed tomorrow;      /* but before this */
    int64_t tasks[TASK_STATUS_COUNT]; /* out */
    int64_t overdue_count;            /* out */
    int64_t today_count;              /* out */
    int64_t blocked_count;            /* out */
    struct store_summary_list *lists; /* out: all of them in their order, the inbox first */
    unsigned list_count;              /* out */
};

#define STORE_SUMMARY_LISTS_MOST 1024

/* For engines: an answer is the sum of rows, one a list in their order, the inbox first. `lists` is
 * there. */
struct store_summary_row {
    struct uuid list;
    int64_t tasks[TASK_STATUS_COUNT];
    int64_t overdue;
    int64_t today;
    int64_t blocked; /* of all lists, in every row */
};
void store_summary_clear(struct store_summary *op);
void store_summary_add(struct store_summary *op, const struct store_summary_row *row);

/* ---- writes ---- */

/* Repeating safely (Idempotency-Key). Kept 24 h, per space, in the transaction of the effect. */
struct store_idempotency {
    struct slice key;        /* ptr NULL: none */
    uint8_t fingerprint[32]; /* of method, path and body */
};

/* What a write is asked to do; the numbers are those of the journal and never change. */
enum store_verb {
    STORE_CREATE = 1, /* a new item under `id`; `values` sets all */
    STORE_REPLACE,    /* PUT: replaces, or creates when the space has none under `id` */
    STORE_UPDATE,     /* PATCH */
    STORE_DELETE,
    STORE_MOVE,    /* to a place among siblings, as `place` says */
    STORE_SKIP,    /* of a task in a series, to its next date; an UPDATE to the journal */
    STORE_RELABEL, /* of no item but all tasks that carry a label, as `label` says; UPDATEs too */
    STORE_RESTORE, /* of a task in the trash, with what went along with it */
    STORE_PURGE,   /* the same, but out of the trash for good; no change of the journal */
    STORE_EMPTY,   /* of no item but all that is in the trash; no change either */
    STORE_UNDO,    /* of the last change of a task; the rows of the journal say what they undo */
};

/* A place among the siblings that `values` name. */
enum store_place_kind {
    STORE_PLACE_LAST,
    STORE_PLACE_FIRST,
    STORE_PLACE_AFTER,
    STORE_PLACE_BEFORE
};

struct store_place {
    enum store_place_kind kind;
    struct uuid neighbour; /* of AFTER and BEFORE */
};

/* One label in place of another. The JSON of both is the decision's own. */
struct store_relabel {
    struct slice from;
    struct slice to; /* ptr NULL: none */
    struct slice from_json;
    struct slice to_json;
};

/* What becomes of the tasks of a list that is deleted. */
enum store_list_tasks { STORE_TASKS_KEEP_LIST, STORE_TASKS_DELETE, STORE_TASKS_TO_INBOX };

/* What a write decided; the first three numbers are those of idempotency_keys and never change:
 * they are kept with the key and replayed. What was refused is judged afresh. */
enum store_outcome {
    STORE_CREATED = 1,
    STORE_UPDATED, /* or nothing differed: then revision and updated_at are the old ones */
    STORE_DELETED,
    STORE_NOT_FOUND,           /* no such item in this space */
    STORE_PRECONDITION_FAILED, /* `verdict` says which; `revision` is the current one, for a create
                                  the space's; 0: there is no item */
    STORE_KEY_REUSED,          /* same key, other fingerprint; nothing was done */
    STORE_KEY_IN_USE,          /* same key, still running */
    STORE_NOT_EMPTY,           /* a list that has tasks in it is not deleted */
    STORE_INVALID,             /* with what is stored the values go against a rule; see `errors` */
    STORE_CHANGED_SINCE, /* what is to be undone is not the last change: that is `revision`, and
                            `item` what is there; NULL: it is in the trash */
};

/* A change of one item, and of those that must change with it: what is below a task that is deleted
 * or goes to another list, say. Each takes the next revision of the space and writes one row of its
 * journal. ERROR_NOT_FOUND as the result: the space is gone. ERROR_QUOTA_EXCEEDED: it would hold
 * more than may be; a deletion and what makes it smaller never are. ERROR_TOO_MANY: it has as many
 * as the resource's `most`, or the deletion of a list would change more tasks than may be.
 * ERROR_NOT_SIBLING of a move. ERROR_NOT_RECURRING, ERROR_COMPLETED and ERROR_SERIES_ENDED of a
 * skip: there is no date to go to. Else `outcome` says what happened. */
struct store_item_write {
    struct store_op op;
    const struct resource *resource;
    enum store_verb verb;
    struct uuid space;
    struct uuid actor; /* the session that asks; all zero: nobody's */
    struct uuid id;
    bool chosen; /* of CREATE: a client made the id, so there may be an item that has it: then
                    ERROR_ID_TAKEN */
    const void *values; /* of resource->size bytes; NULL for a deletion */
    unsigned set;       /* which of its members (resource.h); of STORE_UPDATE as a merge patch has
                           them (resource_merge) */
    unsigned given; /* of CREATE and REPLACE, those of `set` that the client gave a value itself */
    struct store_place place;    /* of MOVE */
    struct store_relabel label;  /* of RELABEL; `body` out is what a new name is answered with, and
                                    the version of the precondition is the space's revision */
    int64_t undo;                /* of UNDO, which change: its revision */
    enum store_list_tasks tasks; /* of the DELETE of a list; KEEP_LIST: refused, unless empty */
    struct store_precondition precondition;
    struct store_idempotency idempotency;
    int64_t now;    /* for times of the item */
    int64_t steady; /* clock_steady_ms: the age of changes and kept answers is counted by it */
    enum store_outcome outcome; /* out */
    enum store_verdict verdict; /* out: of the precondition */
    int64_t revision;           /* out: of the item, the deletion, or see PRECONDITION_FAILED */
    const void *item;           /* out: created or updated; NULL: deleted, replayed, or refused */
    struct uuid item_id;        /* out: of the item that was written, now or under the key before */
    struct slice body;          /* out: the JSON of the answer, where a key keeps it or kept it; ptr
                                   NULL: none */
    bool replayed;              /* out: the answer of an earlier request */
    const struct field_errors *errors; /* out: of STORE_INVALID, in the operation's arena */
    int64_t task_count;                /* out: of NOT_EMPTY, that the list holds */
};

#endif
