// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_WRITER_H
#define TASKHOLD_STORE_SQLITE_WRITER_H

#include <stdatomic.h>

#include "store/sqlite/transaction.h"
#include "store/store.h"

/* The one thread that writes and checkpoints. It takes all operations that wait, runs them in one
 * transaction, flushes it to disk, and only then answers them. */
struct writer;

/* What the writer does for a kind of operation; see transaction.h. */
struct writer_work {
    int (*run)(struct transaction *t, struct store_op *op);
};

/* What the writer keeps for each session. */
struct writer_mailbox {
    unsigned held; /* operations handed over and not yet answered; under the writer's lock */
    struct store_op *answers;
    struct store_op *last_answer;
    unsigned answer_count;
    struct store_session *next; /* the next session with answers */
};

#define WRITER_BATCH_MOST 512

/* Takes over `db` (also when it fails) and starts the thread. NULL without memory or thread.
 * `texts` outlives it. */
struct writer *writer_create(sqlite3 *db, const struct sql_texts *texts,
                             const struct store_options *options);

/* Runs what waits, moves the WAL into the file, and ends. No session may be left. */
void writer_destroy(struct writer **writer);

/* May one more operation wait? Then it is counted. From any thread. */
bool writer_admit(struct writer *writer);

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
