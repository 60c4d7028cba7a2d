// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_WRITER_H
#define TASKHOLD_STORE_SQLITE_WRITER_H

#include <stdatomic.h>

#include "store/decision.h"
#include "store/sqlite/item_rows.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/statement.h"
#include "store/store.h"

/* The one thread that writes and checkpoints. It takes all operations that wait, runs them in one
 * transaction, flushes it to disk, and only then answers them. */
struct writer;

#define WRITER_BATCH_MOST 512

/* A space that changes with the commit. */
struct space_news {
    struct uuid id;
    int64_t revision; /* that it has then */
};

/* The running transaction: many operations in one commit. */
struct transaction {
    struct statements statements; /* sql.h */
    struct usage_limits limits;
    struct zones *zones;                  /* may be NULL, as in store_options */
    struct changed_spaces spaces;         /* whose items are being changed */
    struct uuid ended[WRITER_BATCH_MOST]; /* users of whom a session ends with this commit */
    unsigned ended_count;
    struct space_news news[WRITER_BATCH_MOST]; /* one operation changes one space */
    unsigned news_count;
    bool deleted; /* an account is deleted with this commit: it leaves rows to be removed */
};

/* Notes that a session of `user` ends with this commit; at most once an operation. */
void writer_note_ended(struct transaction *t, const struct uuid *user);

/* Notes that a space has this revision with this commit; at most as often as there are operations.
 */
void writer_note_change(struct transaction *t, const struct uuid *space, int64_t revision);

/* What the writer does for a kind of operation. `run` returns SQLITE_OK when it has decided:
 * `op->result` is set, and everything it meant to write is written. Any other code says that a
 * statement failed; then whatever it wrote is undone by the writer, and it may be run once more. So
 * it reads no output of its own, keeps nothing between runs, and makes every check before its first
 * write. */
struct writer_work {
    int (*run)(struct transaction *t, struct store_op *op);
    bool large; /* it may take as long as a hundred others */
};

/* What the writer keeps for each session. */
struct writer_mailbox {
    unsigned held; /* operations handed over and not yet answered; under the writer's lock */
    struct store_op *answers;
    struct store_op *last_answer;
    unsigned answer_count;
    struct store_session *next; /* the next session with answers */
};

/* Takes over `db` (also when it fails) and starts the thread. NULL without memory or thread.
 * `texts` outlives it. */
struct writer *writer_create(sqlite3 *db, const struct sql_texts *texts,
                             const struct store_options *options);

/* Runs what waits, moves the WAL into the file, and ends. No session may be left. */
void writer_destroy(struct writer **writer);

/* May one more operation wait, of this work? Then it is counted. From any thread. */
bool writer_admit(struct writer *writer, const struct writer_work *work);

/* Hands over `count` admitted operations of `session`, chained by `next`. */
void writer_send(struct writer *writer, struct store_session *session, struct store_op *first,
                 unsigned count);

/* Waits until every operation of `session` has been answered into its inbox. */
void writer_wait(struct writer *writer, const struct store_session *session);

/* The count of commits that were made, raised before anyone is told of one. Lives as long as the
 * writer; from any thread. */
const atomic_uint_fast64_t *writer_commits(const struct writer *writer);

/* False after damage was found in the file, or it was moved. From any thread. */
bool writer_writable(const struct writer *writer);

/* The database file, or its WAL, is not where it was: it was moved or removed under the server, and
 * what would be written might be found by nobody. Asked after each commit, before its answer; also
 * before it, if the last time was not just then; and once a second. There is no way back but a
 * restart, for another server may have written it meanwhile. */
bool writer_moved(const struct writer *writer);

/* Damage was found in the file. From any thread. */
bool writer_damaged(const struct writer *writer);

/* Damage was found: no more writes. From any thread. */
void writer_stop_writes(struct writer *writer, int rc);

#endif
