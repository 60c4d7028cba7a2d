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

/* Counts an item in (`sign` 1) or out (-1). */
void usage_count(struct usage *usage, const struct resource *resource, const void *item, int sign);

void usage_add(struct usage *usage, const struct usage *change);

/* The columns of `spaces` that hold it, in this order. */
#define SPACE_USAGE_COLUMNS "tasks_pending, tasks_in_progress, tasks_completed, lists, bytes"

/* ---- items ---- */

/* What a write of an item comes to, given what the database holds: the same on every engine, for
 * every resource. No I/O; what is made lives in the operation's arena.
 *
 * Most writes need no more than the item itself. What others must know, of a task's parents, say,
 * they ask for: item_decide answers ITEM_ASK, the engine gets the rows in the same transaction,
 * adds them to `item_before.answers` and calls again. Rows of tasks and lists change only under the
 * lock of their space, so what was asked for still holds when it is decided. */

enum item_question {
    ITEM_ASK_ITEM,      /* the item `id` of `resource`, as it stands */
    ITEM_ASK_ZONE,      /* one row: `position` is the name of the user's time zone, or NULL */
    ITEM_ASK_ANCESTORS, /* the task `id` and those above it, upwards; `number`: from 1 */
    ITEM_ASK_TREE,      /* `number`: how many tasks the tree of `id` has, itself among them */
    ITEM_ASK_SUBTREE,   /* those below the task `id`, level by level; `number`: from 1 */
    ITEM_ASK_COPIES,    /* of SUBTREE what comes along when the series of `id` goes on: not what has
                           a next one of its own, nor what is below that */
    ITEM_ASK_WHICH,     /* those of the ids in `text`, a JSON array, that are there */
    ITEM_ASK_BLOCKERS,  /* one row about all that the tasks of `text` wait for, themselves among
                           them: `number`: whether `id` is one; `revision`: how many they are */
    ITEM_ASK_NEXT,      /* the first sibling after the position `text`; not `other` */
    ITEM_ASK_PREVIOUS,  /* the last one before it; not `other` */
    ITEM_ASK_SIBLINGS,  /* all, in their order */
    ITEM_ASK_LABELLED,  /* those that carry the label `text`, up to one more than may change */
    ITEM_ASK_LABEL_COUNT,    /* one row about those that carry `text` or `other_text`: `number`: how
                                many they are; `revision`: how many of them are not completed */
    ITEM_ASK_TRASH_LABELLED, /* those in the trash that carry the label `text`, likewise;
                                `revision`: of the deletion; `created_at`: bytes of its JSON */
    ITEM_ASK_LIST_COUNT,     /* `number`: how many tasks the list `id` has, completed ones too */
    ITEM_ASK_LIST_TASKS,     /* those of the list `id`, level by level, in the order of positions */
    ITEM_ASK_TRASHED, /* the task `id` in the trash and what went along with it, level by level;
                         `number`: from 1; `revision`: of its deletion; `position`: what it waits
                         for, in JSON; `created_at`: bytes of the JSON of all of it */
    ITEM_ASK_TRASHED_JSON, /* that task alone; `position`: the JSON of all of it */
    ITEM_ASK_WAITING,      /* those of the ids in `text` that are there, and all that they wait for;
                              `position`: what for, in JSON */
    ITEM_ASK_PURGED,       /* one row about what goes with the task `id` in the trash: `revision`:
                              how many; `number`: bytes that it gives back */
    ITEM_ASK_CHANGE,   /* the change `number` of the task `id`: `number`: its verb; `position`: what
                          it replaced, in JSON; `created_at`: the last change of the task, or 0 */
    ITEM_ASK_FOLLOWED, /* those that were made along with the change `number`; likewise */
    ITEM_QUESTION_COUNT,
};

/* Whose siblings: the tasks of the inbox, those of the list or the parent `id`, or all lists. */
enum item_place { ITEM_INBOX, ITEM_LIST, ITEM_PARENT, ITEM_LISTS, ITEM_PLACE_COUNT };

#define TREE_TASKS_MOST   1000 /* of one root, itself among them */
#define TREE_LEVELS_MOST  8
#define BLOCKERS_MOST     10000 /* that a task waits for, and those in their turn */
#define LIST_TASKS_MOST   10000 /* of a list that is deleted */
#define LABEL_TASKS_MOST  10000 /* that carry a label which is replaced */
#define SIBLINGS_MOST     200000
#define ITEM_ANSWER_BYTES ((size_t)64 * 1024 * 1024) /* of memory that answers may take */

struct item_ask {
    enum item_question question;
    const struct resource *resource;
    enum item_place place; /* of NEXT, PREVIOUS and SIBLINGS */
    struct uuid id;
    struct uuid other;
    struct slice text; /* ptr NULL: none */
    struct slice other_text;
    int64_t number; /* a revision */
};

/* A row of an answer; what a question does not tell is zero. */
struct item_row {
    const struct item_row *next;
    struct uuid id;
    struct uuid parent_id;
    struct uuid list_id;
    int64_t created_at;
    int64_t revision;
    int64_t number;
    struct slice position;
};

struct item_answer {
    const struct item_answer *next;
    struct item_ask ask;
    const struct item_row *rows; /* NULL: none */
    unsigned count;
    const void *item; /* of ITEM; NULL: there is none */
};

struct zones;

/* What a write knows before it writes. */
struct item_before {
    struct space space;
    const void *item;    /* under op->id; NULL: none; see item_looks_for_itself */
    int64_t kept_bytes;  /* of an older answer under the key, which the new one replaces */
    struct zones *zones; /* NULL: only UTC is known */
    const struct item_answer *answers;
};

/* What the engine has to write. */
enum item_step {
    ITEM_NOTHING, /* but `keep`, where that is set */
    ITEM_INSERT,  /* op->item */
    ITEM_UPDATE,  /* to op->item, of which `changed` differ */
    ITEM_REMOVE,
    ITEM_FOLLOWERS, /* there is no item but the followers */
    ITEM_RESTORE,   /* of a follower: an INSERT of what the change `revision` has as `before` */
    ITEM_REWRITE, /* of a follower: what the change `revision` has as `before` becomes what is made
                     of it; `number`: the bytes of it; no change of its own */
    ITEM_PURGE,   /* op->id leaves the trash for good, with what went along; no change */
    ITEM_EMPTY,   /* all that was deleted up to the space's revision does; no change */
    ITEM_REFUSE,  /* op->op.result says why; nothing at all is written */
    ITEM_ASK,     /* nothing is decided: `ask` must be answered first */
};

/* Of the journal: its space, kind, id, actor and time (`steady`) are the operation's. */
struct item_change {
    enum store_verb verb;
    struct slice before; /* JSON; ptr NULL: the item was new */
    int64_t previous;    /* revision of the change of the same thing before; 0: none */
    int64_t undoes;      /* that of the change that this one takes back; 0: none */
    int64_t follows;     /* of a follower whose row stands after that of the write's own item: the
                            revision of that; 0 */
};

/* Another row that changes with the item, in the order of the list: each with the next revision,
 * unless nothing of it differs. Those that hang on others come after them. */
struct item_follower {
    const struct item_follower *next;
    const struct resource *resource;
    enum item_step step; /* INSERT: of a copy of the row that is read; or RESTORE, REWRITE */
    struct uuid id;      /* of the row that is read */
    int64_t created_at;
    int64_t revision; /* that it has */
    int64_t undoes;   /* the change that this takes back; 0: none */
    int64_t number;   /* for `make`, as `context`, which is in the operation's arena */
    const void *context;

    /* Makes of `after`, a copy of the row, what is to be written with `revision`; times and
     * revision are set afterwards. Texts are made in `arena`. False without memory. A pure
     * function; NULL: it is removed. */
    bool (*make)(const struct store_item_write *op, const struct item_follower *follower,
                 int64_t revision, void *after, struct arena *arena);
};

struct item_decision {
    enum item_step step;
    struct item_ask ask;       /* of ASK */
    struct item_change change; /* of INSERT, UPDATE and REMOVE; its revision is op->revision */
    struct usage usage;        /* what the write adds to the space's, kept answer included; without
                                  what the followers do */
    bool keep; /* op->body under the key, with op->outcome, op->id and op->revision */

    bool unbounded;         /* it is refused for no limit of what a space holds */
    int64_t given_back;     /* bytes, by a PURGE */
    int64_t follower_bytes; /* that followers are reckoned with which come back */

    const struct item_follower *followers; /* NULL: none */
    unsigned follower_count;
    int64_t follower_revision; /* of the first of them */
    bool followers_first;      /* the item takes the revision after theirs, not before */
};

/* Is it a change of what is there, which takes a revision? */
bool item_step_changes(enum item_step step);

/* Decides and sets the operation's outputs. INSERT, UPDATE and REMOVE take op->revision; it and
 * those of the followers are the next ones of the space. */
struct item_decision item_decide(struct store_item_write *op, const struct item_before *before,
                                 const struct usage_limits *limits);

/* Must the item under op->id be looked for? */
bool item_looks_for_itself(const struct store_item_write *op);

/* May the decision ask for anything? If not, a create needs nothing of the database at all. */
bool item_may_ask(const struct store_item_write *op);

/* What the decision is sure to ask for when there is such an item, for an engine that saves a way
 * by asking early. False: nothing is. */
bool item_will_ask(const struct store_item_write *op, struct item_ask *ask);

/* May what the write inserts have an id of something in the trash? That leaves it for good. The id
 * of a create is new, unless a client chose it. */
bool item_may_be_in_trash(const struct store_item_write *op);

/* A follower's change; `change.before` and `item` live in the arena. */
struct item_followed {
    bool same; /* nothing differs; but for `rewritten`, nothing is written */
    struct slice
        rewritten; /* of a REWRITE: what the change has as `before` now; ptr NULL: as it is */
    struct item_change change;
    struct uuid id;
    int64_t revision;        /* that it takes */
    const struct item *item; /* as it becomes; NULL: it is removed */
    struct usage usage;
};

/* Is what is read of it not its row but the JSON that its deletion kept? */
static inline bool item_follower_is_trashed(const struct item_follower *follower)
{
    return follower->step == ITEM_RESTORE || follower->step == ITEM_REWRITE;
}

/* What is to be written of a follower, given its row as it stands; `at` is its place among those
 * that are not the same, from 0. False without memory. */
bool item_follow(const struct store_item_write *op, const struct item_decision *decision,
                 const struct item_follower *follower, unsigned at, const void *before,
                 struct arena *arena, struct item_followed *followed)
    __attribute__((warn_unused_result));

/* When `count` of the followers were not the same: the revision that the space has then. Sets
 * op->revision where it comes after theirs. */
int64_t item_last_revision(struct store_item_write *op, const struct item_decision *decision,
                           unsigned count);

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

/* Whether a token may be made for `user` (NULL: there is none), who has `count`. */
enum error script_token_decide_create(const struct store_script_token_create *op,
                                      const struct user *user, int64_t count);

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
