// SPDX-License-Identifier: MIT
#include "store/batch_writes.h"

#include <assert.h>
#include <stdlib.h>

#include "store/task_writes.h"

static const struct uuid nobody;

/* ---- sets of ids ---- */

#define IDS_LEAST 64

/* Its place, or the free one where it would be: the last bytes of an id are random. */
static struct uuid *find_id(const struct batch_ids *ids, const struct uuid *id)
{
    uint64_t hash = 0;
    memcpy(&hash, id->bytes + sizeof id->bytes - sizeof hash, sizeof hash);
    size_t place = (size_t)(hash * UINT64_C(0x9E3779B97F4A7C15) >> 20) & (ids->room - 1);
    while (!uuid_eq(ids->places[place], nobody) && !uuid_eq(ids->places[place], *id))
        place = (place + 1) & (ids->room - 1);
    return &ids->places[place];
}

bool batch_ids_has(const struct batch_ids *ids, const struct uuid *id)
{
    assert(ids && id);
    if (uuid_eq(*id, nobody))
        return ids->has_nil;
    return ids->room > 0 && !uuid_eq(*find_id(ids, id), nobody);
}

static bool grow_ids(struct batch_ids *ids, struct arena *arena)
{
    const struct batch_ids old = *ids;
    ids->room = old.room > 0 ? 2 * old.room : IDS_LEAST;
    ids->places = arena_alloc(arena, ids->room * sizeof *ids->places);
    for (size_t i = 0; ids->places && i < old.room; i++) {
        if (!uuid_eq(old.places[i], nobody))
            *find_id(ids, &old.places[i]) = old.places[i];
    }
    return ids->places != NULL;
}

/* False without memory. `*is_new` may be NULL. */
static bool add_id(struct batch_ids *ids, const struct uuid *id, struct arena *arena, bool *is_new)
{
    if (uuid_eq(*id, nobody)) {
        if (is_new)
            *is_new = !ids->has_nil;
        ids->count += !ids->has_nil;
        ids->has_nil = true;
        return true;
    }
    if (2 * (ids->count + 1) > ids->room && !grow_ids(ids, arena))
        return false;
    struct uuid *place = find_id(ids, id);
    const bool fresh = uuid_eq(*place, nobody);
    *place = *id;
    ids->count += fresh;
    if (is_new)
        *is_new = fresh;
    return true;
}

/* ---- beginning ---- */

static enum batch_step fail(struct batch_run *run, enum error error)
{
    run->batch->op.result = error;
    return BATCH_STOP;
}

bool batch_begin(struct batch_run *run, struct store_batch *batch, int64_t revision)
{
    assert(batch->count <= STORE_BATCH_MOST || batch->filter);
    assert(!batch->idempotency.key.ptr || batch->answer);
    *run = (struct batch_run){.batch = batch, .begun = revision};
    arena_allow(batch->op.arena, ITEM_ANSWER_BYTES);
    batch->outcome = STORE_UPDATED;
    batch->verdict = STORE_HOLDS;
    batch->refused = 0;
    batch->too_many = false;
    batch->matched = batch->changed = 0;
    batch->revision = revision;
    batch->body = (struct slice){0};
    batch->replayed = false;
    if (batch->begin)
        batch->begin(batch);
    if (!batch->filter)
        return true;
    assert(batch->filter->most >= 1 && batch->filter->most <= STORE_FILTER_MOST);
    assert(batch->filter->verb == STORE_UPDATE || batch->filter->verb == STORE_DELETE);
    batch->writes = NULL;
    batch->count = 0;
    batch->verdict = store_precondition_judge(&batch->precondition, true, revision);
    if (batch->verdict != STORE_HOLDS)
        batch->outcome = STORE_PRECONDITION_FAILED;
    return batch->verdict == STORE_HOLDS;
}

/* ---- what a filter finds ---- */

/* One may come twice: as found, and as what goes with others. */
unsigned batch_hits_most(const struct store_filter *filter)
{
    assert(filter && filter->most <= STORE_FILTER_MOST);
    return filter->verb == STORE_DELETE ? 2 * filter->most + 1 : filter->most + 1;
}

bool batch_take_hit(struct batch_run *run, const struct batch_hit *hit)
{
    struct arena *arena = run->batch->op.arena;
    if (!run->hits) {
        run->hits_most = batch_hits_most(run->batch->filter);
        run->hits = arena_alloc(arena, run->hits_most * sizeof *run->hits);
    }
    if (!run->hits)
        return false;
    assert(run->hit_count < run->hits_most);
    run->hits[run->hit_count++] = *hit;
    return hit->found ? add_id(&run->found, &hit->id, arena, NULL)
                      : add_id(&run->parents, &hit->parent_id, arena, NULL);
}

static int compare_hits(const void *left, const void *right)
{
    const struct batch_hit *a = left;
    const struct batch_hit *b = right;
    if (a->created_at != b->created_at)
        return a->created_at < b->created_at ? -1 : 1;
    const int ids = memcmp(a->id.bytes, b->id.bytes, sizeof a->id.bytes);
    return ids != 0 ? ids : (int)a->found - (int)b->found; /* what goes with others comes first */
}

/* Of a deletion: leaves what was found and does not go with others, in order; and counts. */
static unsigned keep_roots(struct batch_run *run)
{
    unsigned kept = 0;
    unsigned all = 0;
    qsort(run->hits, run->hit_count, sizeof *run->hits, compare_hits);
    for (unsigned i = 0; i < run->hit_count; i++) {
        const bool again = i > 0 && uuid_eq(run->hits[i - 1].id, run->hits[i].id);
        all += !again;
        if (!again && run->hits[i].found)
            run->hits[kept++] = run->hits[i];
    }
    run->hit_count = kept;
    return all;
}

bool batch_make_writes(struct batch_run *run)
{
    struct store_batch *batch = run->batch;
    const struct store_filter *filter = batch->filter;
    unsigned count = run->hit_count;
    assert(filter && filter->list.resource == &task_resource);
    if (count > 0 && filter->verb == STORE_DELETE)
        count = keep_roots(run);
    batch->too_many = count > filter->most;
    if (batch->too_many)
        return false;
    batch->count = run->hit_count;
    batch->writes = arena_alloc(batch->op.arena, (batch->count + 1) * sizeof *batch->writes);
    if (!batch->writes) {
        (void)fail(run, ERROR_OVERLOADED);
        return false;
    }
    for (unsigned i = 0; i < batch->count; i++)
        batch->writes[i] = (struct store_item_write){.resource = filter->list.resource,
                                                     .verb = filter->verb,
                                                     .id = run->hits[i].id,
                                                     .values = filter->values,
                                                     .set = filter->set,
                                                     .given = filter->set};
    return true;
}

const struct item_answer *batch_answers(const struct batch_run *run, unsigned at,
                                        struct arena *arena)
{
    const struct store_filter *filter = run->batch->filter;
    assert(at < run->batch->count);
    if (!filter || filter->verb != STORE_DELETE ||
        batch_ids_has(&run->parents, &run->batch->writes[at].id))
        return NULL;
    struct item_answer *answer = arena_new(arena, struct item_answer);
    if (answer) /* else it is asked */
        answer->ask = task_writes_subtree(&run->batch->writes[at].id);
    return answer;
}

/* ---- one write after the other ---- */

struct store_item_write *batch_next(struct batch_run *run, struct arena *arena)
{
    const struct store_batch *batch = run->batch;
    if (run->at == batch->count)
        return NULL;
    struct store_item_write *write = &batch->writes[run->at];
    write->op = (struct store_op){.session = batch->op.session, .arena = arena};
    write->space = batch->space;
    write->actor = batch->actor;
    write->now = batch->now;
    write->steady = batch->steady;
    assert(!write->idempotency.key.ptr && write->verb <= STORE_MOVE);
    return write;
}

static bool touch(struct batch_run *run, const struct uuid *id)
{
    bool is_new = false;
    if (!add_id(&run->touched, id, run->batch->op.arena, &is_new))
        return false;
    run->along += is_new && !batch_ids_has(&run->found, id);
    return true;
}

static bool is_placed(const struct store_item_write *write, const struct item_before *before,
                      const struct item_decision *decision)
{
    const struct task *old = before->item;
    const struct task *task = write->item;
    if (write->resource != &task_resource || !task)
        return false;
    return !uuid_eq(task->parent_id,
                    old && decision->step == ITEM_UPDATE ? old->parent_id : nobody);
}

/* False without memory. */
static bool note_changes(struct batch_run *run, const struct store_item_write *write,
                         const struct item_before *before, const struct item_decision *decision)
{
    if (decision->step == ITEM_NOTHING)
        return true;
    run->grows |= decision->step != ITEM_REMOVE;
    run->places |= is_placed(write, before, decision);
    for (const struct item_follower *f = decision->followers; f; f = f->next) {
        /* A copy has an id that nobody knows. */
        if (f->step == ITEM_INSERT) {
            run->along++;
            run->places = true;
        } else if (!touch(run, &f->id)) {
            return false;
        }
    }
    return touch(run, &write->id);
}

static bool is_decision(enum error error)
{
    return error == ERROR_NONE || error == ERROR_QUOTA_EXCEEDED || error_row(error)->status < 500;
}

enum batch_step batch_judge(struct batch_run *run, const struct item_before *before,
                            const struct item_decision *decision)
{
    struct store_batch *batch = run->batch;
    const struct store_item_write *write = &batch->writes[run->at];
    assert(run->at < batch->count && decision->step != ITEM_ASK);
    if (!is_decision(write->op.result))
        return fail(run, write->op.result);
    const bool refused = write->op.result != ERROR_NONE || write->outcome > STORE_DELETED;
    assert(!refused || decision->step == ITEM_NOTHING || decision->step == ITEM_REFUSE);
    if (!refused && !note_changes(run, write, before, decision))
        return fail(run, ERROR_OVERLOADED);
    if (batch->judged && (refused || !batch->filter) && !batch->judged(batch, run->at))
        return fail(run, ERROR_OVERLOADED);
    if (refused && (batch->atomic || batch->filter)) {
        batch->outcome = STORE_INVALID;
        batch->refused = run->at;
        return BATCH_STOP;
    }
    run->at++;
    return BATCH_ON;
}

enum batch_step batch_end(struct batch_run *run, const struct space *after,
                          const struct usage_limits *limits, int64_t kept_bytes, int64_t *key_bytes)
{
    struct store_batch *batch = run->batch;
    struct store_item_write *whole = &batch->whole;
    assert(run->at == batch->count && after->revision >= run->begun);
    *key_bytes = 0;
    batch->matched = (int64_t)run->found.count + run->along;
    batch->changed = after->revision - run->begun;
    batch->revision = after->revision;
    batch->too_many = batch->filter && batch->matched > batch->filter->most;
    if (batch->too_many || (batch->filter && batch->filter->dry_run))
        return BATCH_STOP;
    if (!batch->idempotency.key.ptr)
        return BATCH_ON;
    batch->body = batch->answer(batch);
    if (!batch->body.ptr)
        return fail(run, ERROR_OVERLOADED);
    whole->outcome = STORE_UPDATED;
    whole->item_id = nobody;
    whole->revision = batch->revision;
    whole->body = batch->body;
    *key_bytes = usage_key_bytes(batch->idempotency.key, batch->body) - kept_bytes;
    if ((run->grows || batch->changed == 0) && *key_bytes > limits->bytes - after->usage.bytes)
        return fail(run, ERROR_QUOTA_EXCEEDED);
    return BATCH_ON;
}

/* ---- what is kept ---- */

void batch_ask_kept(struct store_batch *batch)
{
    assert(batch->idempotency.key.ptr);
    batch->whole = (struct store_item_write){.op = {.arena = batch->op.arena},
                                             .space = batch->space,
                                             .idempotency = batch->idempotency,
                                             .steady = batch->steady};
}

void batch_take_kept(struct store_batch *batch)
{
    const struct store_item_write *whole = &batch->whole;
    batch->outcome = whole->outcome == STORE_KEY_REUSED ? STORE_KEY_REUSED : STORE_UPDATED;
    batch->replayed = whole->replayed;
    batch->revision = whole->revision;
    batch->body = whole->body;
    batch->too_many = false;
}
