// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_ITEM_JOBS_H
#define TASKHOLD_STORE_POSTGRES_ITEM_JOBS_H

#include "store/decision.h"
#include "store/postgres/job.h"

/* What jobs that write items have in common. What fails, fails the job. */

/* The row of SQL_SPACE_LOCK; false: there is no such space. */
bool pg_take_space(const PGresult *result, struct space *space);

/* What SQL_KEY_GET found for the key of `op`. True: it decides the write. */
bool pg_take_kept(struct job *job, const PGresult *result, struct store_item_write *op,
                  int64_t *kept_bytes);

/* Keeps the answer of `op` under its key. */
void pg_send_key(struct job *job, const struct store_item_write *op);

/* Adds to what the space holds, and sets its revision. */
void pg_send_space(struct job *job, const struct uuid *space, const struct usage *usage,
                   int64_t revision);

/* A row that is written together with its row of the journal; the space is not. */
struct pg_row {
    const struct resource *resource;
    const struct item *before; /* NULL: it is new */
    const struct item *after;  /* NULL: it is removed */
    int64_t revision;          /* that it takes */
    const struct item_change *change;
};
void pg_send_row(struct job *job, const struct store_item_write *op, const struct pg_row *row);

/* The same of a follower, of which `before` was read; nothing, where nothing differs. */
void pg_send_followed(struct job *job, const struct store_item_write *op,
                      const struct item_follower *follower, const struct item *before,
                      const struct item_followed *followed);

/* Sends a question of decision.h, and takes its answer; that lives in `arena`. */
void pg_send_ask(struct job *job, const struct item_ask *ask, const struct uuid *space,
                 job_take *take);
void pg_take_ask(struct job *job, const PGresult *result, struct arena *arena,
                 struct item_answer *answer);

#endif
