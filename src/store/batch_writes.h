// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_BATCH_WRITES_H
#define TASKHOLD_STORE_BATCH_WRITES_H

#include "store/decision.h"

/* One run of a batch, given what the database holds: the same on every engine. No I/O. What is made
 * lives in the arena of the batch, unless said otherwise.
 *
 * With a filter the engine first gives what is found (batch_take_hit), then batch_make_writes makes
 * the writes. Then, for each write, batch_next readies it, the engine has it decided (item_decide)
 * and carried out, and batch_judge says how to go on. At last batch_end says what stays. */

/* A set of ids. */
struct batch_ids {
    struct uuid *places; /* all zero: free; `room` of them, a power of two */
    size_t room;
    size_t count;
    bool has_nil; /* the id that is all zero is in it too */
};

bool batch_ids_has(const struct batch_ids *ids, const struct uuid *id);

struct batch_hit {
    struct uuid id;
    struct uuid parent_id;
    int64_t created_at;
    bool found; /* by the filter; else it is below one that is, and goes with that */
};

struct batch_run {
    struct store_batch *batch;
    unsigned at;   /* the write that is next */
    int64_t begun; /* the revision of the space before */
    bool grows;    /* something is written that is no deletion */
    bool places;   /* a task came to stand below another one: what was read of trees is old */

    struct batch_ids touched; /* what changed */
    struct batch_ids found;   /* what the filter found */
    int64_t along;            /* what changed and was not found */

    struct batch_hit *hits;
    unsigned hit_count;
    unsigned hits_most;
    struct batch_ids parents; /* of what goes with others */
};

/* Begins it, in a space of that revision. False: it is over, as `batch->outcome` says. */
bool batch_begin(struct batch_run *run, struct store_batch *batch, int64_t revision);

/* How many rows the engine is to read of what is found: one more than may be. */
unsigned batch_hits_most(const struct store_filter *filter);

/* False without memory. */
bool batch_take_hit(struct batch_run *run, const struct batch_hit *hit)
    __attribute__((warn_unused_result));

/* Makes the writes of what was found. False: it is too many (`batch->too_many`; the engine counts
 * them), or there is no memory (`batch->op.result`). */
bool batch_make_writes(struct batch_run *run);

/* The next write, ready to be decided with memory of `arena`; NULL: there is none. */
struct store_item_write *batch_next(struct batch_run *run, struct arena *arena);

/* What is known of a write without asking: answers for item_before, in `arena`. */
const struct item_answer *batch_answers(const struct batch_run *run, unsigned at,
                                        struct arena *arena);

enum batch_step {
    BATCH_ON,
    BATCH_STOP, /* nothing more is written, and what was is undone; batch->op.result may say why */
};

/* The write was decided; `before` is what it was decided with. Where something is written, it has
 * been. */
enum batch_step batch_judge(struct batch_run *run, const struct item_before *before,
                            const struct item_decision *decision);

/* All writes are made. `after`: the space as it is by then. BATCH_ON: it all stays; then
 * `batch->whole` is to be kept when it has a key, which takes `*key_bytes` more in the space
 * (`kept_bytes` are taken already). */
enum batch_step batch_end(struct batch_run *run, const struct space *after,
                          const struct usage_limits *limits, int64_t kept_bytes,
                          int64_t *key_bytes);

/* Readies `batch->whole` for item_decide_kept, and answers what that decided. */
void batch_ask_kept(struct store_batch *batch);
void batch_take_kept(struct store_batch *batch);

#endif
