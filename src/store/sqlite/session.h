// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_SESSION_H
#define TASKHOLD_STORE_SQLITE_SESSION_H

#include "store/sqlite/item_rows.h"
#include "store/sqlite/readers.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/statement.h"
#include "store/sqlite/writer.h"
#include "store/store.h"

/* What one event loop holds: a read-only connection with its statements, the snapshot of the
 * running turn, and the writes to hand over at the end of the turn.
 *
 * One snapshot serves all reads of a turn, for one lock and one unlock. It is left for a newer one
 * as soon as the writer has committed again: whatever was answered to anybody is seen by every read
 * that begins later. */
#define SESSION_REVISIONS 64

struct store_session {
    struct writer *writer;
    const atomic_uint_fast64_t *commits; /* the writer's */
    struct readers *readers;
    struct inbox *inbox;
    sqlite3 *db;
    struct statements statements; /* sql.h */
    struct list_statements lists;
    void *row; /* room for one item of any resource */

    int snapshot_rc; /* of the last session_snapshot */
    uint64_t seen;   /* the writer's count of commits before the last snapshot began */
    uint64_t snapshots;

    struct {
        struct uuid space;
        int64_t revision;
        uint64_t snapshot;          /* the number of that in which it was read */
    } revisions[SESSION_REVISIONS]; /* in the place that the last byte of the id says */

    unsigned ticks; /* progress calls of the running read */
    int64_t deadline_us;

    struct store_op *outgoing; /* writes of this turn, the first one */
    struct store_op **outgoing_end;
    unsigned outgoing_count;

    struct writer_mailbox mailbox; /* the writer's side */
    struct read_job *reading;      /* of this session, in readers.c */
};

/* Without `readers` and `inbox` (NULL) it only reads, by itself. `texts` and `path` outlive it. */
struct store_session *session_create(struct writer *writer, struct readers *readers,
                                     const struct sql_texts *texts, const char *path,
                                     struct inbox *inbox);

/* Hands over what is left and waits until the writer holds no operation of this session. Answers
 * that it posted meanwhile stay in the inbox, which must not be run after this. */
void session_destroy(struct store_session **session);

/* Makes the next read see at least what has been answered by now. Returns SQLITE_OK or an error. */
int session_snapshot(struct store_session *session);

/* The revision that a space had in the last snapshot, when session_remember was told of it and
 * nothing was committed since; 0: it is not known. */
int64_t session_recall(const struct store_session *session, const struct uuid *space);
void session_remember(struct store_session *session, const struct uuid *space, int64_t revision);

/* The same as session_snapshot, and begins a statement in it. */
#define SESSION_QUERY(session, index, ...)                                                         \
    (session_snapshot(session) == SQLITE_OK ? QUERY(&(session)->statements, (index), __VA_ARGS__)  \
                                            : query_of(NULL, (session)->snapshot_rc))

/* Ends a read call: sets its result by `rc` and `found`, and gives up the snapshot on an error. */
void session_read_done(struct store_session *session, struct store_op *op, int rc, bool found);

/* Takes a write for the writer, which runs `work`; or answers it at once when too many wait. */
void session_write(struct store_op *op, const struct writer_work *work);

/* Defines `call(struct type *op)`, which has `run(t, op)` run by the writer (writer.h). */
#define SESSION_WRITE(call, type, run) SESSION_WRITE_OF(call, type, run, false)
/* The same of one that is made of many. */
#define SESSION_WRITE_MANY(call, type, run) SESSION_WRITE_OF(call, type, run, true)

#define SESSION_WRITE_OF(call, type, run, many)                                                    \
    static int run##_as_op(struct transaction *t, struct store_op *op);                            \
    static const struct writer_work run##_work = {run##_as_op, many};                              \
    static int run##_as_op(struct transaction *t, struct store_op *op)                             \
    {                                                                                              \
        static_assert(offsetof(struct type, op) == 0, "an operation begins with its op");          \
        assert(op->work == &run##_work);                                                           \
        return run(t, (struct type *)op);                                                          \
    }                                                                                              \
    void call(struct type *op)                                                                     \
    {                                                                                              \
        session_write(&op->op, &run##_work);                                                       \
    }

void session_turn_end(struct store_session *session);

#endif
