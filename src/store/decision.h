// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_DECISION_H
#define TASKHOLD_STORE_DECISION_H

#include "model/task.h"
#include "store/store.h"

/* What calls come to, given what the database holds: the same on every engine. No I/O. */

/* ---- spaces ---- */

/* The row of a space: its revision, and what it holds, counted in the transaction of each write; so
 * a bound is tested without counting, and the total of a list is read. */

/* Bytes of a row but for its texts, what its indexes keep included. */
#define SPACE_ITEM_BYTES   160
#define SPACE_CHANGE_BYTES 96
#define SPACE_KEY_BYTES    192

#define SPACE_COUNTS RESOURCE_COUNTS

/* What a space holds; also what a change adds: then it may be negative. */
struct usage {
    int64_t counts[SPACE_COUNTS]; /* items, where their resource says (model/resource.h) */
    int64_t bytes;                /* of items, journal and kept answers */
};

struct space {
    int64_t revision;  /* of the last change; 0: none yet */
    int64_t forgotten; /* the highest that the journal no longer has */
    struct usage usage;
};

/* What one space may hold; INT64_MAX: no bound. */
struct usage_limits {
    int64_t items; /* of a resource that counts choices of a member, and has no `most` */
    int64_t bytes;
};

/* Of numbers of which 0 says that there is no bound. */
struct usage_limits usage_limits_of(int64_t items, int64_t bytes);

int64_t usage_item_bytes(const struct resource *resource, const void *item);

int64_t usage_key_bytes(struct slice key, struct slice body);

/* How many items of a resource that is counted; `choices`: bits (1 << choice); 0: all. */
int64_t usage_total(const struct usage *usage, const struct resource *resource, uint64_t choices);

/* Does the row of the space say how many items fit the terms? Then usage_total does. */
bool usage_knows_total(const struct store_item_list *op);

void usage_add(struct usage *usage, const struct usage *change);

/* The columns of `spaces` that hold it, in this order. */
#define SPACE_USAGE_COLUMNS "tasks_pending, tasks_in_progress, tasks_completed, lists, bytes"

/* ---- items ---- */

/* What a write of an item comes to, given what the database holds: the same on every engine, for
 * every resource. No I/O; what is made lives in the operation's arena. */

/* What a write knows before it writes. */
struct item_before {
    struct space space;
    const void *item;   /* under op->id; NULL: none; not looked for by STORE_CREATE */
    int64_t kept_bytes; /* of an older answer under the key, which the new one replaces */
    bool holds_tasks;   /* the list that is to be deleted (item_asks_for_tasks) */
};

/* What the engine has to write. */
enum item_step {
    ITEM_NOTHING, /* but `keep`, where that is set */
    ITEM_INSERT,  /* op->item */
    ITEM_UPDATE,  /* to op->item, of which `changed` differ */
    ITEM_REMOVE,
    ITEM_REFUSE, /* op->op.result says why; nothing at all is written */
};

/* Of the journal: its space, kind, id, actor and time (`steady`) are the operation's. */
struct item_change {
    enum store_verb verb;
    struct slice before; /* JSON; ptr NULL: the item was new */
};

struct item_decision {
    enum item_step step;
    struct item_change change; /* of INSERT, UPDATE and REMOVE; its revision is op->revision */
    struct usage usage;        /* what the write adds to the space's, kept answer included */
    bool keep; /* op->body under the key, with op->outcome, op->id and op->revision */
};

/* Must it be known whether there are tasks in the list (SQL_LIST_HOLDS)? */
bool item_asks_for_tasks(const struct store_item_write *op);

/* Decides and sets the operation's outputs. INSERT, UPDATE and REMOVE take the space's next
 * revision, which is op->revision. */
struct item_decision item_decide(struct store_item_write *op, const struct item_before *before,
                                 const struct usage_limits *limits);

/* An answer that was kept under an idempotency key. */
struct item_kept {
    struct slice fingerprint;
    int64_t used_at;
    enum store_outcome outcome;
    struct uuid id;
    int64_t revision;
    struct slice body; /* ptr NULL: none */
};

/* Does the kept answer decide the write, by being its answer or that of another request? Then the
 * operation's outputs are set. One that is too old decides nothing. The slices live in the
 * operation's arena, or until it is done. */
bool item_decide_kept(struct store_item_write *op, const struct item_kept *kept);

/* ---- accounts ---- */

/* What changes of accounts come to, given the account as it stands: the same on every engine. Pure
 * functions. */

/* May a change that was asked for with a password go on? `user` NULL: there is none. ERROR_NONE,
 * ERROR_WRONG_PASSWORD when `verified` is no longer the hash, or ERROR_NOT_FOUND. */
enum error user_decide_change(const struct user *user, struct slice verified);

/* May a login go on? ERROR_NONE or ERROR_INVALID_CREDENTIALS. */
enum error user_decide_login(const struct user *user, struct slice verified);

/* The user was changed: a clock that is behind puts no time before an earlier one. */
void user_touch(struct user *user, int64_t now);

/* Makes op->user what the new profile makes of `user` and answers true; or says in op->op.result
 * and op->verdict why not. */
bool user_decide_profile(struct store_user_set_profile *op, const struct user *user);

/* What an operator's verb makes of op->user, which is there. Answers whether all sessions end. */
bool user_decide_govern(struct store_user_govern *op);

/* ---- sessions ---- */

/* What the rotation of a refresh token comes to, given the session as it stands: the same on every
 * engine. Pure functions. */

#define SESSION_SUPERSEDED_MOST  64 /* entries kept of one session */
#define SESSION_SUPERSEDED_BYTES (SESSION_SUPERSEDED_MOST * 8)

/* A session, with when its last tokens were superseded: entries of 8 bytes, big-endian, the newest
 * first; 48 bits of milliseconds since 1970 and 16 bits that say how many tokens, one after the
 * other, it is about. All that a grace covers is there, however many they are; with tokens that
 * followed each other within a 48th of the grace, the time of the last stands for all. */
struct session_standing {
    struct session session;
    bool disabled; /* its user is */
    uint8_t superseded[SESSION_SUPERSEDED_BYTES];
    size_t superseded_size;
};

/* Sets `superseded` from what is stored; bytes that no version wrote count as none. */
void session_set_superseded(struct session_standing *standing, struct slice bytes);

enum session_decision {
    SESSION_DECISION_NOTHING,
    SESSION_DECISION_ROTATE, /* from op->counter to `standing` */
    SESSION_DECISION_END,
};

/* `standing` NULL: there is none. Sets op->op.result, op->reuse and op->session, and moves
 * `standing` on when the session is rotated. */
enum session_decision session_decide_refresh(struct store_session_refresh *op,
                                             struct session_standing *standing);

#endif
