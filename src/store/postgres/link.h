// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_LINK_H
#define TASKHOLD_STORE_POSTGRES_LINK_H

#include "store/admission.h"
#include "store/postgres/connector.h"
#include "store/postgres/job.h"
#include "store/postgres/translate.h"

/* One connection in pipeline mode, and the jobs that are under way on it: one batch at a time, in
 * rounds. What is sent in a round leaves in one flush and is answered up to one synchronisation
 * point. A batch that writes is one transaction: BEGIN goes before its first round and COMMIT
 * after its last, in the same flush.
 *
 * Behind a pooler a connection outlives the primary that it led to: the next statement may meet a
 * standby, or the old primary as one, which answers a read with what was there some time ago. So
 * before what reads goes a statement there that fails unless the server takes writes.
 *
 * A batch ends in one of these ways, each told to the session that owns the link (see session.h):
 * its jobs are done; its transaction failed and was rolled back; or the connection was lost, before
 * or after the COMMIT. */

#define LINK_BATCH_MOST 64
#define LINK_SENT_OWN   4 /* of the transaction */
#define LINK_SENT_MOST  (LINK_BATCH_MOST * JOB_STATEMENTS_MOST + LINK_SENT_OWN)

/* Lists of so many shapes are prepared on a connection; then the one that was not used for longest
 * goes. */
#define LINK_SHAPES_MOST 48

enum link_state {
    LINK_WANTED, /* there is no connection yet */
    LINK_IDLE,
    LINK_ROUND,        /* statements are under way */
    LINK_COMMITTING,   /* and so is the COMMIT */
    LINK_ROLLING_BACK, /* without jobs */
};

/* A statement that was sent and not answered. */
struct link_sent {
    struct job *job; /* NULL: of the transaction, or of a shape */
    job_take *take;
    struct link_shape *shape; /* that it prepares; NULL: none */
};

/* The lists that are prepared on a connection, from when that was sent; see sql_list_shape. They
 * belong to the connection, which another session may get one day. */
struct link_shape {
    uint8_t shape[SQL_SHAPE_LEN];
    unsigned name;    /* a number; 0: there is none */
    unsigned used_at; /* counts; the largest was used last */
};

struct link_shapes {
    struct link_shape list[LINK_SHAPES_MOST];
    unsigned made;
    unsigned used;
};

#define LINK_MAGIC 0x1d6f83b9u

struct link {
    unsigned magic; /* LINK_MAGIC */
    struct store_session *session;
    struct connector_order order;
    PGconn *connection;
    struct link_shapes *shapes; /* of the connection */
    int epoll;
    bool prepared;
    bool pooled; /* each read asks first whether the server still takes writes */
    enum link_state state;
    uint32_t events; /* that epoll watches for */
    int64_t deadline_us;

    /* The batch: */
    enum lane lane;
    int64_t begun_us;
    struct admission_batch begun; /* of a lane that many leave at once, until its end was noted */
    struct job *jobs[LINK_BATCH_MOST];
    unsigned job_count;
    unsigned round;
    struct link_sent sent[LINK_SENT_MOST];
    unsigned sent_count;
    unsigned answered;
    bool failed;
    struct job *culprit; /* whose statement failed; NULL: the transaction's own */
    struct translation failure;
    bool warned; /* the server said WARNING since the COMMIT was sent */
    bool committed;
    int64_t commit_us; /* when the COMMIT was sent */
};

/* Takes over a connection that connector.h made. False: it cannot be used; it is closed then. */
bool link_open(struct link *link, PGconn *connection);

/* Lets the connection of an idle link go, for another link to open. */
PGconn *link_release(struct link *link);

/* Closes the connection; the jobs must be gone. */
void link_close(struct link *link);

/* Runs `count` jobs, which the link has in `jobs`, as one batch of `lane`. */
void link_begin(struct link *link, enum lane lane, unsigned count, int64_t deadline_us);

/* The socket is ready. */
void link_event(struct link *link);

/* Gives the connection up, as if it had been lost. */
void link_lose(struct link *link);

#endif
