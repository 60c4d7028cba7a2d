// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_STORE_H
#define TASKHOLD_STORE_STORE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/thread.h"
#include "model/days.h"
#include "model/task.h"
#include "model/user.h"
#include "model/zone.h"

/* Where accounts and tasks are kept: the calls the api needs, as one const vtable an engine fills.
 *
 * A call takes an operation that the caller allocates (in the request's arena) and fills in; the
 * engine answers by calling `op.done` exactly once, on the loop that the store_session belongs to:
 * before the call returns or later, the caller cannot tell. Until then the operation and its arena
 * belong to the engine. What an answer points to lives in the operation's arena, or in what the
 * caller gave, unless said otherwise. `done` may make further calls; `each` and `begin` may not.
 *
 * `result` is ERROR_NONE for success, or a row of the one list of errors: what the call documents,
 * or one of UNAVAILABLE, OVERLOADED, STORAGE_FULL, INTERNAL_ERROR: nothing was changed. A write
 * that is answered with ERROR_NONE, or with an error that the write itself decided, is on stable
 * storage. ERROR_OUTCOME_UNKNOWN: the database was lost while the write was being committed; it was
 * made entirely or not at all. */

struct store;         /* one open database */
struct store_session; /* what one event loop holds of it: read connection(s), prepared statements */

struct store_op {
    struct store_session *session;
    struct arena *arena;
    void (*done)(struct store_op *op);
    void *caller; /* not touched by the engine */
    enum error result;

    /* The engine's own: */
    struct inbox_message message;
    struct store_op *next;
    const void *work;
    int64_t queued_us;
};

/* ---- preconditions ---- */

#define STORE_VERSIONS_MOST 16

/* The versions that If-Match or If-None-Match names: revisions of a task or of the list, or
 * user_version(). */
struct store_versions {
    bool present;
    bool any; /* `*`: every version there can be */
    unsigned count;
    int64_t list[STORE_VERSIONS_MOST];
};

/* Tested inside the write (RFC 9110 section 13.2.2). */
struct store_precondition {
    struct store_versions match;
    struct store_versions none_match;
};

enum store_verdict { STORE_HOLDS, STORE_MATCH_FAILED, STORE_NONE_MATCH_FAILED };

/* `exists`: there is something, whose version is `version`. */
enum store_verdict store_precondition_judge(const struct store_precondition *precondition,
                                            bool exists, int64_t version);

/* ---- reads ---- */

/* ERROR_NOT_FOUND: no such e-mail. Comparison ignores ASCII case. */
struct store_user_by_email {
    struct store_op op;
    struct slice email;
    struct slice client; /* who asks, as base/client_key.h writes it */
    struct user user;    /* out */
    bool known_address;  /* out: that user logged in from there before */
};

/* ERROR_NOT_FOUND. */
struct store_user_get {
    struct store_op op;
    struct uuid id;
    struct slice client; /* ptr NULL: known_address is not looked up */
    struct user user;    /* out */
    bool known_address;  /* out */
};

/* One page of all accounts, ordered by id, which is the order in which they were made. `each` runs
 * for each row, at most `limit` times, before `done`; the row's texts live only during that call.
 */
struct store_user_list {
    struct store_op op;
    struct uuid after; /* begin after this id; all zero: at the beginning */
    unsigned limit;    /* rows, 1 to 100 */
    void (*each)(struct store_user_list *op, const struct user *row);
    bool more; /* out: there are rows after the last */
};

/* Is the session alive: there, not expired at `now`, its user there and not disabled?
 * ERROR_NOT_FOUND if not. */
struct store_session_check {
    struct store_op op;
    struct uuid user;
    struct uuid id;
    int64_t now;
    int64_t expires_at; /* out */
};

/* The live sessions of a user, the newest first. `each` runs for each row before `done`; the row's
 * texts live only during that call. */
struct store_session_list {
    struct store_op op;
    struct uuid user;
    int64_t now;
    void (*each)(struct store_session_list *op, const struct session *row);
};

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
 * is known, and answers false to skip the rows; it may run a second time, with a later revision,
 * still before the first row. `total` may then still be -1: where it must be counted, it is known
 * when `done` runs. A space that is gone has the revision 0 and no rows. */
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
    STORE_MOVE,    /* to a place among siblings, as `place` says; an UPDATE to the journal */
    STORE_SKIP,    /* of a task in a series, to its next date; an UPDATE to the journal */
    STORE_RELABEL, /* of no item but all tasks that carry a label, as `label` says; UPDATEs too */
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
    const void *values; /* of resource->size bytes; NULL for a deletion */
    unsigned set;       /* which of its members (resource.h); of STORE_UPDATE as a merge patch has
                           them (resource_merge) */
    unsigned given; /* of CREATE and REPLACE, those of `set` that the client gave a value itself */
    struct store_place place;    /* of MOVE */
    struct store_relabel label;  /* of RELABEL; `body` out is what a new name is answered with, and
                                    the version of the precondition is the space's revision */
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

/* ERROR_EMAIL_TAKEN. `user` is complete, hash included; its space is made with it.
 * ERROR_INVALID_INVITATION: there is none of that hash, or it has expired at user.created_at, or is
 * for another e-mail. It is used up when the user is made. */
struct store_user_create {
    struct store_op op;
    struct user user;
    const uint8_t *invitation; /* STORE_INVITATION_LEN bytes; NULL: none is needed */
};

#define STORE_INVITATION_LEN 32

/* Keeps an invitation to one registration. ERROR_QUOTA_EXCEEDED: there are RETENTION_INVITATIONS.
 */
struct store_invitation_create {
    struct store_op op;
    uint8_t hash[STORE_INVITATION_LEN];
    struct slice email; /* ptr NULL: for anyone */
    int64_t now;
    int64_t expires_at;
};

/* Sets what an owner says of themselves. ERROR_NOT_FOUND, ERROR_PRECONDITION_FAILED. `user` out:
 * the row as it is now, also when a precondition failed. */
struct store_user_set_profile {
    struct store_op op;
    struct uuid id;
    bool sets_name;
    bool sets_time_zone;
    struct slice name;                      /* ptr NULL clears */
    struct slice time_zone;                 /* ptr NULL: UTC */
    struct store_precondition precondition; /* of user_version() */
    enum store_verdict verdict;             /* out */
    int64_t now;
    struct user user; /* out */
};

/* Changes that need the password. `verified_hash` is the hash that the given password matched: when
 * it is no longer the user's, ERROR_WRONG_PASSWORD. ERROR_NOT_FOUND: no such user. */
struct store_user_set_password {
    struct store_op op;
    struct uuid id;
    struct slice verified_hash;
    struct slice hash;
    struct uuid keep; /* this session stays; every other ends */
    int64_t now;
};

/* ERROR_EMAIL_TAKEN too. */
struct store_user_set_email {
    struct store_op op;
    struct uuid id;
    struct slice verified_hash;
    struct slice email;
    int64_t now;
    struct user user; /* out */
};

/* The account and all that belongs to it. Sessions and the space end with the commit; the rows of
 * the space are removed later, in steps. Meanwhile no list shows them, but an item_get may find one
 * by its id: no session is left to ask. The e-mail is free at once. */
struct store_user_delete {
    struct store_op op;
    struct uuid id;
    struct slice verified_hash;
};

/* What an operator may do to an account without its password. */
enum store_user_verb {
    STORE_USER_DISABLE,      /* every session ends and none can begin; the tasks stay */
    STORE_USER_ENABLE,       /* back to what it was, but for the sessions */
    STORE_USER_SET_PASSWORD, /* `hash` becomes the user's, every session ends */
    STORE_USER_ERASE,        /* as store_user_delete */
};

/* Disabling once more keeps the first time. ERROR_NOT_FOUND. */
struct store_user_govern {
    struct store_op op;
    enum store_user_verb verb;
    struct uuid id;
    struct slice hash; /* for SET_PASSWORD */
    int64_t now;
    struct user user; /* out: the row as it is now; as it was, when erased */
};

/* A login. ERROR_INVALID_CREDENTIALS when `verified_hash` is no longer the user's or the user is
 * gone or disabled. Above USER_SESSIONS_MOST the oldest session ends. Remembers the client. */
struct store_session_create {
    struct store_op op;
    struct session session; /* complete, counter 1 */
    struct slice client;    /* to be known from now on; ptr NULL: none */
    struct slice verified_hash;
    struct slice rehash; /* ptr NULL: keep the hash; else it becomes the user's */
};

/* Rotation. `counter` is the presented token's. The current one, or one ahead of it, which is a
 * token that a restore made us forget: counter + 1, last_used_at and expires_at move. One that was
 * superseded less than `grace_ms` ago: answers with the current counter and changes nothing. Any
 * other: the session ends, that is committed, and the result is ERROR_INVALID_REFRESH_TOKEN; the
 * same for an expired or absent session or a disabled user. */
struct store_session_refresh {
    struct store_op op;
    struct uuid id;
    int64_t counter;
    int64_t now;
    int64_t ttl_ms;
    int64_t lifetime_ms; /* expires_at never passes created_at + this */
    int64_t grace_ms;
    struct session session; /* out; without user_agent and ip */
    bool reuse;             /* out: the session was ended by a replay */
};

/* ERROR_NOT_FOUND: the user has no such session. With `others` it stays, and every other one of the
 * user ends. */
struct store_session_end {
    struct store_op op;
    struct uuid user; /* all zero: whoever's session it is, for a token of it was shown; out */
    struct uuid id;
    bool others; /* `user` is known */
};

/* ---- the engine ---- */

struct store_options {
    const char *url;
    size_t queue_most; /* writes that may wait; more are ERROR_OVERLOADED. 0: 4,096 */

    /* What one space may hold (decision.h); beyond it a write that grows is ERROR_QUOTA_EXCEEDED.
     * 0: no bound. */
    int64_t user_tasks_most;
    int64_t user_bytes_most;

    struct zones *zones; /* outlives the store; NULL: UTC is the only one */

    /* What only an engine behind a network needs; 0 takes the default. */
    unsigned pool;       /* connections a session may have, 2 to 64; 4 */
    unsigned timeout_ms; /* how long an operation may take before it is ERROR_UNAVAILABLE; 5,000 */
    bool unprepared;     /* no statement is prepared, for a pooler between us and the server */
    bool impatient;      /* `open` does not wait for a server that may yet come */

    /* Called by the engine, on any thread, after a commit that ended sessions of `user` (logout,
     * password, deletion, replay, too many sessions) and before anyone is told. */
    void (*sessions_ended)(void *context, struct uuid user);
    void *context;
};

struct store_health {
    bool reachable;
    bool migrated;
    bool writable;
    bool moved;   /* the database file is not where it was: see writer.h */
    bool damaged; /* the database file is not whole: see writer.h */
    bool on_time; /* this machine's clock and the database's agree */

    /* Of an engine behind a network: the connections that the sessions have and still wait for.
     * `full`: there are no more to be had, and the loops share these. */
    unsigned connections;
    unsigned connections_awaited;
    bool connections_full;
};

struct store_engine {
    const char *name;

    /* Whether other processes may write the same database, so that what is remembered of it grows
     * old: see token_cache.h. Where none do, the writes of a session are made in the order of the
     * calls. */
    bool shared;

    /* Opens or makes the database, migrates it to head, starts what the engine runs. NULL: `why`
     * (of `why_size` bytes) holds one line to show. */
    struct store *(*open)(const struct store_options *options, char *why, size_t why_size);

    /* Finishes queued writes, checkpoints, closes. Every session must be closed before. */
    void (*close)(struct store **store);

    /* A random number of the database that never changes while it is open: other in every database,
     * and after a restore or an import other than before. */
    struct uuid (*epoch)(const struct store *store);

    /* The file that the database is, absolute; NULL when it is a server. Lives as long as the
     * store. */
    const char *(*file)(const struct store *store);

    /* The same before the database is opened, as `url` writes it: a part of `url`, perhaps not yet
     * there. NULL: there is no file, or no sense in the URL. */
    const char *(*url_file)(const char *url);

    /* Whether a DATABASE_URL of this engine's can be right at all; asks no disk and no server.
     * False: `why` holds one line without a password. */
    bool (*url_judge)(const char *url, char *why, size_t why_size);

    /* For one event loop, on its thread; answers of later calls come through `inbox`. NULL without
     * memory or when the database cannot be read. */
    struct store_session *(*session_open)(struct store *store, struct inbox *inbox);

    /* Waits for writes that are on their way. They are made, and their answers stay in the inbox,
     * which must not be run again: whoever needs them runs it before. */
    void (*session_close)(struct store_session **session);

    /* Once after each turn of the loop: ends read snapshots, flushes what was sent. */
    void (*turn_end)(struct store_session *session);

    /* For the loop's epoll: while the descriptor, which stays the session's, is readable, `ready`
     * must be called on the loop's thread. NULL: the engine has none. */
    int (*descriptor)(const struct store_session *session);
    void (*ready)(struct store_session *session);

    /* Cheap and from any thread: what the engine knows without asking. */
    void (*health)(const struct store *store, struct store_health *health);

    /* When the file was last backed up, in seconds of Unix time; 0: not known. From any thread, and
     * it may wait for the disk. NULL: the database is a server. */
    int64_t (*last_backup)(const struct store *store);

    void (*user_by_email)(struct store_user_by_email *op);
    void (*user_get)(struct store_user_get *op);
    void (*user_list)(struct store_user_list *op);
    void (*session_check)(struct store_session_check *op);
    void (*session_list)(struct store_session_list *op);
    void (*item_get)(struct store_item_get *op);
    void (*item_list)(struct store_item_list *op);
    void (*label_list)(struct store_label_list *op);
    void (*summary)(struct store_summary *op);

    void (*item_write)(struct store_item_write *op);
    void (*user_create)(struct store_user_create *op);
    void (*invitation_create)(struct store_invitation_create *op);
    void (*user_set_profile)(struct store_user_set_profile *op);
    void (*user_set_password)(struct store_user_set_password *op);
    void (*user_set_email)(struct store_user_set_email *op);
    void (*user_delete)(struct store_user_delete *op);
    void (*user_govern)(struct store_user_govern *op);
    void (*session_create)(struct store_session_create *op);
    void (*session_refresh)(struct store_session_refresh *op);
    void (*session_end)(struct store_session_end *op);
};

/* The engine for a DATABASE_URL: `sqlite:PATH`, `postgres://…` or `postgresql://…`. NULL: unknown
 * scheme. */
const struct store_engine *store_engine_for(const char *url);

/* url_judge of the engine; an unknown scheme is wrong. */
bool store_url_judge(const char *url, char *why, size_t why_size);

#endif
