// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_JOB_H
#define TASKHOLD_STORE_POSTGRES_JOB_H

#include <assert.h>

#include "store/decision.h"
#include "store/postgres/sql.h"

/* An operation on its way through the database: rounds of statements on one connection.
 *
 * In each round the job's `step` sends statements; their rows are given to what was named with
 * each, in order; then `step` runs again, until it answers that it has sent its last. A job of a
 * lane that writes runs in a transaction, which is committed after the last round of all the jobs
 * in it.
 *
 * A transaction that fails is run again from its first step, with the job's own part zeroed; so a
 * job leaves no trace in its operation that a second run does not overwrite. */
struct job;

enum lane {
    LANE_READ,   /* no transaction; many side by side */
    LANE_SCAN,   /* the same for what may take long: one on a connection, few of a space's */
    LANE_CREATE, /* one round, and any number of a space's in one transaction */
    LANE_CHANGE, /* locks the row of its space first; one of a space's in a transaction */
    LANE_ALONE,  /* a transaction of its own */
};

static inline bool lane_writes(enum lane lane)
{
    return lane > LANE_SCAN;
}

/* Takes the rows of a statement: of a job, in the order of sending. */
typedef void job_take(struct job *job, const PGresult *result);

struct work {
    enum lane lane;
    size_t size;    /* of the job with what stands after it */
    unsigned magic; /* names the struct that begins with the job; see job_owner */
    /* Sends the statements of round 0, 1, … with job_send. Answers true to be called once more when
     * they were answered. Whatever it decides goes into the operation; op->result is ERROR_NONE
     * before the first step. */
    bool (*step)(struct job *job, unsigned round);
    /* May it be run again when nobody knows whether it was committed before? It finds then what it
     * did itself, and `job->uncertain` is set. NULL: always. */
    bool (*repeatable)(const struct job *job);
};

#define JOB_STATEMENTS_MOST 8 /* in one round, unless job_room says that there may be more */
#define JOB_RESULTS_MOST    4 /* in the last round of a job that reads */

/* First in what a work keeps of a job; made by job_start. */
struct job {
    const struct work *work;
    struct store_op *op;
    struct uuid space; /* that it reads or locks; all zero: it changes accounts */
    enum lane lane;
    bool uncertain;      /* an earlier run may have been committed */
    bool sessions_ended; /* set by the work: sessions of `ended` end with the commit */
    struct uuid ended;
    int64_t revision; /* set by the work: what `space` has with the commit; 0: it stays */

    /* The session's own: */
    struct job *next;
    struct link *link; /* while it is under way */
    unsigned attempts;
    int64_t deadline_us;
    int64_t not_before_us;
    bool alone;    /* runs again, without neighbours */
    unsigned sent; /* statements of this round that are not answered */
    bool more;     /* wants another round */
    PGresult *results[JOB_RESULTS_MOST];
    unsigned result_count;
    struct arena *scratch; /* see job_scratch */
};

/* The struct that begins with the job, as a work of that magic number has it. */
static inline void *job_owner(struct job *job, unsigned magic)
{
    assert(job && job->work->magic == magic);
    return job;
}

/* The operation, in a step of it. */
static inline void *job_op(const struct job *job, bool (*step)(struct job *job, unsigned round))
{
    assert(job->op && job->work->step == step);
    return job->op;
}

/* What follows is in session.c, and what sends and fails in link.c. */

/* Begins an operation: makes its job in the operation's arena and queues it. Answers the operation
 * at once when there is no room. `space`: see struct job; may be NULL. */
void job_start(struct store_op *op, const struct work *work, const struct uuid *space);

/* pg_X, which starts an operation of type store_X: with jobs of type `owner`, and no space. */
#define JOB_CALL(name, its_lane, owner, its_magic, its_step)                                       \
    void pg_##name(struct store_##name *op)                                                        \
    {                                                                                              \
        static const struct work work = {.lane = (its_lane),                                       \
                                         .size = sizeof(struct owner),                             \
                                         .magic = (its_magic),                                     \
                                         .step = (its_step)};                                      \
        job_start(&op->op, &work, NULL);                                                           \
    }

/* Sends a statement in this round, with values of the types that it has. `take` may be NULL. */
void job_send_values(struct job *job, unsigned sql, const struct sql_value *values, unsigned count,
                     job_take *take);

/* The same with the values as arguments, at least one: SQL_UUID(&id), SQL_I64(n) … */
#define job_send(job, sql, take, ...)                                                              \
    job_send_values((job), (sql), (const struct sql_value[]){__VA_ARGS__},                         \
                    sizeof((const struct sql_value[]){__VA_ARGS__}) / sizeof(struct sql_value),    \
                    (take))

/* The same for the list that a job's operation asks for. */
void job_send_list(struct job *job, const struct store_item_list *op, job_take *take);

/* The same for a text that nobody else has. */
#define LINK_TEXT_MOST 65536
void job_send_text(struct job *job, struct buffer *text, const struct sql_value *values,
                   unsigned count, job_take *take);

/* How many more statements the job may send in this round: at least those of JOB_STATEMENTS_MOST
 * that it has left. */
unsigned job_room(const struct job *job);

/* Memory that goes when the run ends, however it ends; empty at each call. NULL without memory. */
struct arena *job_scratch(struct job *job, size_t most);

/* What a space may hold. */
struct usage_limits job_limits(const struct job *job);

/* The time zones that there are; NULL: only UTC. */
struct zones *job_zones(const struct job *job);

/* The operation fails; its transaction is rolled back. */
void job_fail(struct job *job, enum error error);

/* Has the commit tell all nodes that sessions of `user` ended. */
void job_end_sessions(struct job *job, const struct uuid *user);

#endif
