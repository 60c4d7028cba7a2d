// SPDX-License-Identifier: MIT
#include "store/batch_writes.h"
#include "store/postgres/item_jobs.h"
#include "store/postgres/operations.h"

/* Several writes of items in one transaction. What they need is read ahead for some of them at a
 * time; what an earlier one changed since is read again. They are decided one after the other, and
 * those of which all is known leave together. */

#define BATCH_MAGIC 0x2ac7e4b5u
#define WINDOW_MOST 64 /* writes that are read ahead */
#define PART_MOST   32 /* followers in a round */
#define MEMORY_MOST ((size_t)64 * 1024 * 1024)
#define ROOM_LEAST  4 /* statements that a step may send without a look */

/* What was read ahead of a write. */
struct read_ahead {
    bool looks; /* for the item */
    bool fresh; /* it was read when its turn had come */
    const void *item;
    struct item_answer *early; /* NULL: nothing was asked */
};

struct followed_part {
    const struct item_follower *follower;
    const struct item *row;
    struct item_followed followed;
};

struct batch_job {
    struct job job;
    bool found;     /* the space is there */
    bool decided;   /* by the answer that was kept under the key */
    bool go;        /* what batch_begin answered */
    bool begun;     /* the first round was looked at */
    bool savepoint; /* there is one */
    bool counting;
    int64_t kept_bytes;
    struct space space; /* as it is after what was written so far */
    struct usage added;
    struct batch_run run;

    struct read_ahead ahead[WINDOW_MOST];
    unsigned first; /* write that ahead[0] is about */
    unsigned end;
    unsigned taken; /* the place in `ahead` of which an item or an answer comes next */

    /* The write whose turn it is. */
    struct store_item_write *write; /* NULL: none yet */
    struct item_before before;
    struct item_decision decision;
    struct item_answer *asked;
    const struct item_follower *next; /* to be read */
    struct followed_part *part;       /* NULL: nothing changes along */
    unsigned followed;                /* of those that were read, how many are not the same */
    unsigned part_asked;
    unsigned part_read;
    unsigned part_written;
};

static struct batch_job *batch_job_of(struct job *job)
{
    return job_owner(job, BATCH_MAGIC);
}

static struct store_batch *batch_of(const struct job *job)
{
    return (struct store_batch *)job->op;
}

/* ---- the first round ---- */

static void take_batch_space(struct job *job, const PGresult *result)
{
    struct batch_job *w = batch_job_of(job);
    w->found = pg_take_space(result, &w->space);
    if (w->found)
        w->go = batch_begin(&w->run, batch_of(job), w->space.revision);
}

static void take_batch_key(struct job *job, const PGresult *result)
{
    struct batch_job *w = batch_job_of(job);
    w->decided = pg_take_kept(job, result, &batch_of(job)->whole, &w->kept_bytes);
}

static void take_hits(struct job *job, const PGresult *result)
{
    struct batch_job *w = batch_job_of(job);
    for (int i = 0; w->found && w->go && i < PQntuples(result); i++) {
        struct row r = row_of(result, i, NULL);
        struct batch_hit hit = {.id = row_uuid(&r)};
        hit.created_at = row_i64(&r);
        hit.parent_id = row_optional_uuid(&r);
        hit.found = row_i64(&r) != 0;
        if (r.error != ERROR_NONE || !batch_take_hit(&w->run, &hit)) {
            job_fail(job, r.error != ERROR_NONE ? r.error : ERROR_OVERLOADED);
            return;
        }
    }
}

static void take_hit_count(struct job *job, const PGresult *result)
{
    struct row r = row_of(result, 0, NULL);
    batch_of(job)->matched = row_i64(&r);
}

static void send_filter(struct job *job, bool count)
{
    const struct store_batch *batch = batch_of(job);
    const struct store_filter *filter = batch->filter;
    struct sql_value values[SQL_LIST_VALUES_MOST + 2];
    struct buffer text;
    buffer_init(&text, LINK_TEXT_MOST);
    if (count)
        sql_filter_count(&text, &filter->list, filter->verb == STORE_DELETE, SQL_POSTGRES);
    else
        sql_filter_find(&text, &filter->list, filter->verb == STORE_DELETE, SQL_POSTGRES);
    values[0] = SQL_UUID(&batch->space);
    values[1] = SQL_I64(batch_hits_most(filter)); /* the count has a type for it, and no use */
    const unsigned made = sql_list_values(&filter->list, values + 2);
    job_send_text(job, &text, values, made + 2, count ? take_hit_count : take_hits);
    buffer_finish(&text);
}

/* ---- reading ahead ---- */

static void *take_row(struct job *job, const PGresult *result, const struct resource *resource)
{
    void *item = NULL;
    if (PQntuples(result) == 0)
        return NULL;
    item = arena_alloc(job->scratch, resource->size);
    struct row r = row_of(result, 0, job->scratch);
    if (!item)
        job_fail(job, ERROR_OVERLOADED);
    return item && pg_take_item(job, &r, resource, &item) ? item : NULL;
}

static void take_ahead(struct job *job, const PGresult *result)
{
    struct batch_job *w = batch_job_of(job);
    while (!w->ahead[w->taken].looks)
        w->taken++;
    assert(w->first + w->taken < w->end);
    const struct resource *resource = batch_of(job)->writes[w->first + w->taken].resource;
    w->ahead[w->taken++].item = take_row(job, result, resource);
}

static void take_early(struct job *job, const PGresult *result)
{
    struct batch_job *w = batch_job_of(job);
    while (!w->ahead[w->taken].early)
        w->taken++;
    pg_take_ask(job, result, job->scratch, w->ahead[w->taken++].early);
}

static void take_after_items(struct job *job, const PGresult *result)
{
    batch_job_of(job)->taken = 0; /* the answers begin */
    take_early(job, result);
}

static void send_get(struct job *job, const struct store_item_write *write, job_take *take)
{
    job_send(job, SQL_OF_ITEM(write->resource, SQL_ITEM_GET), take, SQL_UUID(&batch_of(job)->space),
             SQL_UUID(&write->id), SQL_I64(uuid_time_ms(write->id)));
}

/* Reads the items of the next writes, and asks what they are sure to ask. */
static void open_window(struct job *job)
{
    struct batch_job *w = batch_job_of(job);
    const struct store_batch *batch = batch_of(job);
    struct arena *scratch = job_scratch(job, MEMORY_MOST);
    job_take *take = take_after_items;
    if (!scratch) {
        job_fail(job, ERROR_OVERLOADED);
        return;
    }
    w->first = w->run.at;
    w->end = batch->count - w->first < WINDOW_MOST ? batch->count : w->first + WINDOW_MOST;
    w->taken = 0;
    memset(w->ahead, 0, sizeof w->ahead);
    for (unsigned at = w->first; at < w->end; at++) {
        w->ahead[at - w->first].looks = item_looks_for_itself(&batch->writes[at]);
        if (w->ahead[at - w->first].looks)
            send_get(job, &batch->writes[at], take_ahead);
    }
    for (unsigned at = w->first; at < w->end; at++) {
        struct item_ask ask;
        if (!item_will_ask(&batch->writes[at], &ask) ||
            (batch->filter && batch_answers(&w->run, at, scratch)))
            continue;
        struct item_answer *answer = arena_new(scratch, struct item_answer);
        if (!answer) {
            job_fail(job, ERROR_OVERLOADED);
            return;
        }
        answer->ask = ask;
        w->ahead[at - w->first].early = answer;
        pg_send_ask(job, &ask, &batch->space, take);
        take = take_early;
    }
}

/* Did an earlier write change what was read? */
static bool is_old(const struct batch_job *w, const struct read_ahead *ahead,
                   const struct store_item_write *write)
{
    if (batch_ids_has(&w->run.touched, &write->id))
        return true;
    if (!ahead->early)
        return false;
    for (const struct item_row *row = ahead->early->rows; row; row = row->next) {
        if (batch_ids_has(&w->run.touched, &row->id))
            return true;
    }
    return w->run.places;
}

static void take_again(struct job *job, const PGresult *result)
{
    struct batch_job *w = batch_job_of(job);
    w->ahead[w->run.at - w->first].item = take_row(job, result, w->write->resource);
}

/* ---- what changes along ---- */

static void take_batch_follower(struct job *job, const PGresult *result)
{
    struct batch_job *w = batch_job_of(job);
    struct followed_part *part = &w->part[w->part_read++];
    part->row = take_row(job, result, part->follower->resource);
    if (!part->row) {
        job_fail(job, ERROR_INTERNAL_ERROR);
        return;
    }
    if (!item_follow(w->write, &w->decision, part->follower, w->followed, part->row, job->scratch,
                     &part->followed)) {
        job_fail(job, ERROR_OVERLOADED);
        return;
    }
    usage_add(&w->decision.usage, &part->followed.usage);
    w->followed += !part->followed.same;
}

/* Writes what was read, as far as the round has room, and reads on. True: all is written. */
static bool write_followers(struct job *job)
{
    struct batch_job *w = batch_job_of(job);
    for (; w->part_written < w->part_read && job_room(job) > ROOM_LEAST; w->part_written++) {
        const struct followed_part *part = &w->part[w->part_written];
        pg_send_followed(job, w->write, part->follower, part->row, &part->followed);
    }
    if (w->part_written < w->part_read || job_room(job) <= ROOM_LEAST)
        return false;
    w->part_asked = w->part_read = w->part_written = 0;
    for (; w->next && w->part_asked < PART_MOST && job_room(job) > ROOM_LEAST;
         w->next = w->next->next) {
        w->part[w->part_asked++].follower = w->next;
        job_send(job, SQL_OF_ITEM(w->next->resource, SQL_ITEM_GET), take_batch_follower,
                 SQL_UUID(&batch_of(job)->space), SQL_UUID(&w->next->id),
                 SQL_I64(w->next->created_at));
    }
    return w->part_asked == 0;
}

/* ---- one write ---- */

enum turn {
    TURN_ROUND, /* answers must come first */
    TURN_NEXT,  /* it is the next one's */
    TURN_STOP,
};

static enum turn end_turn(struct job *job)
{
    struct batch_job *w = batch_job_of(job);
    const enum item_step step = w->decision.step;
    if (step == ITEM_INSERT || step == ITEM_UPDATE || step == ITEM_REMOVE) {
        const int64_t last = item_last_revision(w->write, &w->decision, w->followed);
        const struct pg_row row = {.resource = w->write->resource,
                                   .before = step == ITEM_INSERT ? NULL : w->before.item,
                                   .after = w->write->item,
                                   .revision = w->write->revision,
                                   .change = &w->decision.change};
        pg_send_row(job, w->write, &row);
        w->space.revision = last;
        usage_add(&w->space.usage, &w->decision.usage);
        usage_add(&w->added, &w->decision.usage);
    }
    const enum batch_step judged = batch_judge(&w->run, &w->before, &w->decision);
    w->write = NULL;
    w->part = NULL;
    return judged == BATCH_ON ? TURN_NEXT : TURN_STOP;
}

static void take_batch_ask(struct job *job, const PGresult *result)
{
    pg_take_ask(job, result, job->scratch, batch_job_of(job)->asked);
}

static enum turn decide_turn(struct job *job)
{
    struct batch_job *w = batch_job_of(job);
    const struct usage_limits limits = job_limits(job);
    w->before.space = w->space;
    w->decision = item_decide(w->write, &w->before, &limits);
    if (w->decision.step == ITEM_ASK) {
        w->asked = arena_new(job->scratch, struct item_answer);
        if (!w->asked) {
            job_fail(job, ERROR_OVERLOADED);
            return TURN_STOP;
        }
        w->asked->ask = w->decision.ask;
        w->asked->next = w->before.answers;
        w->before.answers = w->asked;
        pg_send_ask(job, &w->asked->ask, &batch_of(job)->space, take_batch_ask);
        return TURN_ROUND;
    }
    if (!w->decision.followers)
        return end_turn(job);
    w->part = arena_alloc(job->scratch, PART_MOST * sizeof *w->part);
    w->next = w->decision.followers;
    w->part_asked = w->part_read = w->part_written = 0;
    if (!w->part) {
        job_fail(job, ERROR_OVERLOADED);
        return TURN_STOP;
    }
    return write_followers(job) ? end_turn(job) : TURN_ROUND;
}

static enum turn take_turn(struct job *job)
{
    struct batch_job *w = batch_job_of(job);
    struct read_ahead *ahead = &w->ahead[w->run.at - w->first];
    if (job_room(job) <= ROOM_LEAST)
        return TURN_ROUND;
    if (w->part)
        return write_followers(job) ? end_turn(job) : TURN_ROUND;
    const bool begins = !w->write;
    if (begins) {
        w->write = batch_next(&w->run, job->scratch);
        w->before = (struct item_before){.zones = job_zones(job)};
        w->followed = 0;
        if (is_old(w, ahead, w->write)) {
            ahead->early = NULL;
            ahead->fresh = true;
            if (ahead->looks) {
                send_get(job, w->write, take_again);
                return TURN_ROUND;
            }
        }
    }
    if (begins || ahead->fresh) {
        ahead->fresh = false;
        w->before.item = ahead->item;
        w->before.answers = ahead->early;
        if (!w->before.answers)
            w->before.answers = batch_answers(&w->run, w->run.at, job->scratch);
    }
    return decide_turn(job);
}

/* ---- the whole ---- */

/* Nothing of what was written stays. */
static void undo(struct job *job)
{
    if (batch_job_of(job)->savepoint)
        job_send_values(job, SQL_BATCH_ROLLBACK, NULL, 0, NULL);
    else if (batch_of(job)->op.result != ERROR_NONE)
        job_fail(job, batch_of(job)->op.result);
}

static void end_batch(struct job *job)
{
    struct batch_job *w = batch_job_of(job);
    struct store_batch *batch = batch_of(job);
    const struct usage_limits limits = job_limits(job);
    int64_t key_bytes = 0;
    if (batch_end(&w->run, &w->space, &limits, w->kept_bytes, &key_bytes) == BATCH_STOP) {
        undo(job);
        return;
    }
    w->added.bytes += key_bytes;
    if (batch->changed > 0)
        pg_send_space(job, &batch->space, &w->added, w->space.revision);
    else if (w->added.bytes != 0)
        job_send(job, SQL_SPACE_ADD_BYTES, NULL, SQL_UUID(&batch->space), SQL_I64(w->added.bytes));
    if (batch->idempotency.key.ptr)
        pg_send_key(job, &batch->whole);
}

static bool step_writes(struct job *job)
{
    struct batch_job *w = batch_job_of(job);
    while (w->run.at < batch_of(job)->count) {
        if (w->run.at == w->end) {
            open_window(job);
            return true;
        }
        const enum turn turn = take_turn(job);
        if (turn == TURN_ROUND)
            return true;
        if (turn == TURN_STOP) {
            undo(job);
            return false;
        }
    }
    if (job_room(job) <= ROOM_LEAST)
        return true;
    end_batch(job);
    return false;
}

/* What the first round said. True: go on. */
static bool look_at_first(struct job *job, bool *more)
{
    struct batch_job *w = batch_job_of(job);
    struct store_batch *batch = batch_of(job);
    w->begun = true;
    *more = false;
    if (!w->found) {
        batch->op.result = ERROR_NOT_FOUND;
        return false;
    }
    if (w->decided) {
        batch_take_kept(batch);
        /* A repeated answer must be as durable as the first was. */
        if (batch->outcome != STORE_KEY_REUSED)
            job_send(job, SQL_KEY_TOUCH, NULL, SQL_UUID(&batch->space),
                     SQL_TEXT(batch->idempotency.key));
        return false;
    }
    if (!w->go || !batch->filter)
        return w->go;
    if (!batch_make_writes(&w->run)) {
        w->counting = *more = batch->too_many;
        if (w->counting)
            send_filter(job, true);
        return false;
    }
    w->end = 0; /* no window is open */
    return true;
}

static bool step_batch(struct job *job, unsigned round)
{
    struct store_batch *batch = job_op(job, step_batch);
    struct batch_job *w = batch_job_of(job);
    bool more = false;
    if (round > 0 && w->counting)
        return false;
    if (round > 0)
        return w->begun || look_at_first(job, &more) ? step_writes(job) : more;
    job_send(job, SQL_SPACE_LOCK, take_batch_space, SQL_UUID(&batch->space));
    if (batch->idempotency.key.ptr) {
        batch_ask_kept(batch);
        job_send(job, SQL_KEY_GET, take_batch_key, SQL_UUID(&batch->space),
                 SQL_TEXT(batch->idempotency.key));
    }
    w->savepoint = batch->atomic || batch->filter || batch->idempotency.key.ptr;
    if (w->savepoint)
        job_send_values(job, SQL_BATCH_SAVEPOINT, NULL, 0, NULL);
    if (batch->filter)
        send_filter(job, false);
    else
        open_window(job);
    return true;
}

/* A key tells what became of the first run. */
static bool is_batch_repeatable(const struct job *job)
{
    return batch_of(job)->idempotency.key.ptr != NULL;
}

void pg_batch_write(struct store_batch *op)
{
    static const struct work work = {.lane = LANE_ALONE,
                                     .size = sizeof(struct batch_job),
                                     .magic = BATCH_MAGIC,
                                     .step = step_batch,
                                     .repeatable = is_batch_repeatable};
    job_start(&op->op, &work, &op->space);
}
