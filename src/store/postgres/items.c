// SPDX-License-Identifier: MIT
#include "store/postgres/item_jobs.h"

#include "store/postgres/operations.h"

/* Writes of items, whatever their resource. */

#define WRITE_MAGIC 0x73d85ae1u

/* ---- writes: what is there, read after the lock of the space ---- */

struct item_job {
    struct job job;
    bool found; /* the space is there */
    struct item_before before;
    bool deleted;         /* there was an item under the id; asked for by looks_for_itself */
    bool decided;         /* by the answer that was kept under the key */
    struct item *created; /* by the one statement of step_create */
    struct item_answer *asked;

    /* What changes along is read and written in parts, each in the scratch of the job. */
    struct item_decision decision;
    const struct item_follower *next; /* to be read */
    unsigned followed;                /* of all that were read, those that are not the same */
    struct followed_row *part;        /* NULL: nothing changes along */
    unsigned part_asked;
    unsigned part_read;
    unsigned part_written;
};

#define PART_MOST   32
#define PART_MEMORY ((size_t)64 * 1024 * 1024)

struct followed_row {
    const struct item_follower *follower;
    const struct item *row;
    struct item_followed followed;
};

static struct item_job *item_job_of(struct job *job)
{
    return job_owner(job, WRITE_MAGIC);
}

static bool has_key(const struct store_item_write *op)
{
    return op->idempotency.key.ptr != NULL;
}

/* Run again, a create finds its item instead of its key. */
static bool looks_for_itself(const struct job *job)
{
    const struct store_item_write *op = (const struct store_item_write *)job->op;
    return job->uncertain && op->verb == STORE_CREATE && !op->chosen && !has_key(op);
}

bool pg_take_space(const PGresult *result, struct space *space)
{
    if (PQntuples(result) == 0)
        return false;
    struct row r = row_of(result, 0, NULL);
    space->revision = row_i64(&r);
    space->forgotten = row_i64(&r);
    for (unsigned i = 0; i < SPACE_COUNTS; i++)
        space->usage.counts[i] = row_i64(&r);
    space->usage.bytes = row_i64(&r);
    return true;
}

static void take_space(struct job *job, const PGresult *result)
{
    struct item_job *w = item_job_of(job);
    w->found = pg_take_space(result, &w->before.space);
}

static void take_before(struct job *job, const PGresult *result)
{
    const struct store_item_write *op = (struct store_item_write *)job->op;
    void *item = NULL;
    if (PQntuples(result) == 0)
        return;
    struct row r = row_of(result, 0, op->op.arena);
    if (pg_take_item(job, &r, op->resource, &item))
        item_job_of(job)->before.item = item;
}

static void take_deletion(struct job *job, const PGresult *result)
{
    item_job_of(job)->deleted = PQntuples(result) > 0;
}

bool pg_take_kept(struct job *job, const PGresult *result, struct store_item_write *op,
                  int64_t *kept_bytes)
{
    if (PQntuples(result) == 0)
        return false;
    struct row r = row_of(result, 0, op->op.arena);
    struct item_kept kept = {.fingerprint = row_blob(&r)};
    kept.used_at = row_i64(&r);
    kept.outcome = (enum store_outcome)row_i64(&r);
    kept.id = row_uuid(&r);
    kept.revision = row_i64(&r);
    kept.body = row_text(&r);
    if (r.error != ERROR_NONE) {
        job_fail(job, r.error);
        return false;
    }
    *kept_bytes = usage_key_bytes(op->idempotency.key, kept.body);
    const bool decided = item_decide_kept(op, &kept);
    /* Was it this very operation that kept the answer, in an earlier run? */
    if (job->uncertain && kept.used_at == op->steady && uuid_eq(kept.id, op->id))
        op->replayed = false;
    return decided;
}

static void take_key(struct job *job, const PGresult *result)
{
    struct item_job *w = item_job_of(job);
    w->decided =
        pg_take_kept(job, result, (struct store_item_write *)job->op, &w->before.kept_bytes);
}

/* ---- writes: writing ---- */

/* Whose columns a statement has after its other values: those of an item but for those whose flags
 * or place say no, and its derived one. */
struct written {
    const struct resource *resource;
    const void *item; /* NULL: none */
    unsigned without;
    size_t without_at;
};

/* Sends a statement of the item; `values` has PARAMS_MOST places. */
static void send_written(struct job *job, unsigned which, struct sql_value *values, unsigned count,
                         const struct written *written, job_take *take)
{
    const struct resource *resource = written->resource;
    struct sql_value derived = {.type = 't'};
    struct buffer room = {0};
    bool made = true;
    for (size_t i = 0; i < resource->count && written->item; i++) {
        const struct field *field = &resource->fields[i];
        if ((field->flags & written->without) != 0 || field->at == written->without_at)
            continue;
        values[count++] = (struct sql_value){SQL_LETTER(field), field_get(field, written->item)};
    }
    if (resource->derived.ptr && written->item) {
        made = resource_derive(resource, written->item, &room, &derived.value);
        values[count++] = derived;
    }
    assert(count <= PARAMS_MOST);
    if (made)
        job_send_values(job, SQL_OF_ITEM(resource, which), values, count, take);
    else
        job_fail(job, ERROR_OVERLOADED);
    buffer_finish(&room);
}

static unsigned add_usage(struct sql_value *values, unsigned count, const struct usage *usage)
{
    for (unsigned i = 0; i < SPACE_COUNTS; i++)
        values[count++] = SQL_I64(usage->counts[i]);
    values[count++] = SQL_I64(usage->bytes);
    return count;
}

void pg_send_key(struct job *job, const struct store_item_write *op)
{
    job_send(job, SQL_KEY_PUT, NULL, SQL_UUID(&op->space), SQL_TEXT(op->idempotency.key),
             SQL_BLOB(op->idempotency.fingerprint, sizeof op->idempotency.fingerprint),
             SQL_I64(op->steady), SQL_I64(op->outcome), SQL_UUID(&op->item_id),
             SQL_I64(op->revision), SQL_TEXT(op->body));
}

void pg_send_space(struct job *job, const struct uuid *space, const struct usage *usage,
                   int64_t revision)
{
    struct sql_value values[PARAMS_MOST] = {SQL_UUID(space)};
    unsigned count = add_usage(values, 1, usage);
    values[count++] = SQL_I64(revision);
    job->revision = revision;
    job_send_values(job, SQL_SPACE_CHANGE, values, count, NULL);
}

static void send_purge(struct job *job, const struct store_item_write *op)
{
    job_send(job, SQL_PURGE_CHANGES, NULL, SQL_UUID(&op->space), SQL_UUID(&op->id));
    job_send(job, SQL_PURGE_ANSWERS, NULL, SQL_UUID(&op->space), SQL_UUID(&op->id));
    job_send(job, SQL_PURGE_TRASH, NULL, SQL_UUID(&op->space), SQL_UUID(&op->id));
}

/* The item, the journal and the space in one statement; then what is kept under the key. */
static void send_item(struct job *job, struct store_item_write *op,
                      const struct item_decision *decision)
{
    const struct item *before = item_job_of(job)->before.item;
    const enum item_step step = decision->step;
    const int64_t last =
        item_step_changes(step) ? item_last_revision(op, decision, item_job_of(job)->followed) : 0;
    struct sql_value values[PARAMS_MOST] = {SQL_UUID(&op->space)};
    unsigned which = SQL_ITEM_ADD;
    unsigned count = 1;
    job->revision = last;
    if (step == ITEM_FOLLOWERS) {
        pg_send_space(job, &op->space, &decision->usage, last);
    } else if (item_step_changes(step)) {
        assert(op->revision > 0 && (step == ITEM_INSERT || before));
        count = add_usage(values, count, &decision->usage);
        values[count++] = SQL_I64(op->revision);
        values[count++] = SQL_I64(op->steady);
        values[count++] = SQL_I64(op->resource->kind);
        values[count++] = SQL_I64(decision->change.verb);
        values[count++] = SQL_OPTIONAL_UUID(&op->actor);
        values[count++] = SQL_TEXT(decision->change.before);
        values[count++] = SQL_I64(last - op->revision);
        values[count++] = SQL_OPTIONAL_I64(decision->change.previous);
        values[count++] = SQL_OPTIONAL_I64(decision->change.undoes);
        struct written written = {op->resource, op->item, 0, SIZE_MAX};
        if (step != ITEM_INSERT) {
            which = step == ITEM_UPDATE ? SQL_ITEM_CHANGE : SQL_ITEM_REMOVE;
            values[count++] = SQL_UUID(&op->id);
            values[count++] = SQL_I64(before->revision);
            values[count++] = SQL_I64(before->created_at);
        }
        if (step == ITEM_UPDATE)
            written.without = FIELD_FIXED;
        else if (step != ITEM_INSERT)
            written.item = NULL;
        send_written(job, which, values, count, &written, NULL);
    } else if (step == ITEM_PURGE) {
        send_purge(job, op);
    } else if (step == ITEM_EMPTY) {
        job_send(job, SQL_TRASH_EMPTY, NULL, SQL_UUID(&op->space), SQL_I64(op->revision));
    }
    if (!item_step_changes(step) && decision->usage.bytes != 0) {
        job_send(job, SQL_SPACE_ADD_BYTES, NULL, SQL_UUID(&op->space),
                 SQL_I64(decision->usage.bytes));
    }
    if (decision->keep)
        pg_send_key(job, op);
}

/* ---- writes: what changes along ---- */

/* No row: somebody changed it without the lock of the space. */
static void take_follower_written(struct job *job, const PGresult *result)
{
    if (strcmp(PQcmdTuples((PGresult *)(uintptr_t)result), "1") != 0)
        job_fail(job, ERROR_INTERNAL_ERROR);
}

void pg_send_row(struct job *job, const struct store_item_write *op, const struct pg_row *row)
{
    struct sql_value values[PARAMS_MOST] = {SQL_UUID(&op->space)};
    unsigned which = SQL_ITEM_FOLLOW_ADD;
    unsigned count = 1;
    assert(row->after || row->before);
    values[count++] = SQL_I64(row->revision);
    values[count++] = SQL_I64(op->steady);
    values[count++] = SQL_I64(row->resource->kind);
    values[count++] = SQL_I64(row->change->verb);
    values[count++] = SQL_OPTIONAL_UUID(&op->actor);
    values[count++] = SQL_TEXT(row->change->before);
    values[count++] = SQL_OPTIONAL_I64(row->change->previous);
    values[count++] = SQL_OPTIONAL_I64(row->change->undoes);
    values[count++] = SQL_OPTIONAL_I64(row->change->follows);
    struct written written = {row->resource, row->after, 0, SIZE_MAX};
    if (row->before) {
        which = row->after ? SQL_ITEM_FOLLOW_CHANGE : SQL_ITEM_FOLLOW_REMOVE;
        values[count++] = SQL_UUID(&row->before->id);
        values[count++] = SQL_I64(row->before->revision);
        values[count++] = SQL_I64(row->before->created_at);
    }
    if (which == SQL_ITEM_FOLLOW_REMOVE && row->resource == &task_resource)
        values[count++] = SQL_I64(op->revision);
    if (row->before && row->after)
        written.without = FIELD_FIXED;
    send_written(job, which, values, count, &written, take_follower_written);
}

void pg_send_followed(struct job *job, const struct store_item_write *op,
                      const struct item_follower *follower, const struct item *before,
                      const struct item_followed *followed)
{
    const bool brings = follower->step == ITEM_INSERT || follower->step == ITEM_RESTORE;
    const struct pg_row row = {.resource = follower->resource,
                               .before = brings ? NULL : before,
                               .after = followed->item,
                               .revision = followed->revision,
                               .change = &followed->change};
    if (followed->rewritten.ptr)
        job_send(job, SQL_TRASH_REWRITE, NULL, SQL_UUID(&op->space), SQL_I64(follower->revision),
                 SQL_TEXT(followed->rewritten));
    else if (!followed->same)
        pg_send_row(job, op, &row);
}

/* The task that a deletion took, as it was. False: the operation fails. */
static bool take_trashed(struct job *job, struct row *r, const struct resource *resource,
                         void *item)
{
    unsigned set = 0;
    const struct slice json = row_text(r);
    const enum error error =
        json.ptr ? resource_decode(resource, json, item, &set, job->scratch) : ERROR_INTERNAL_ERROR;
    if (error != ERROR_NONE)
        job_fail(job, error);
    return error == ERROR_NONE;
}

static void take_follower(struct job *job, const PGresult *result)
{
    const struct store_item_write *op = (struct store_item_write *)job->op;
    struct item_job *w = item_job_of(job);
    struct followed_row *row = &w->part[w->part_read++];
    void *item = arena_alloc(job->scratch, row->follower->resource->size);
    if (PQntuples(result) == 0 || !item) {
        job_fail(job, item ? ERROR_INTERNAL_ERROR : ERROR_OVERLOADED);
        return;
    }
    struct row r = row_of(result, 0, job->scratch);
    if (!(item_follower_is_trashed(row->follower)
              ? take_trashed(job, &r, row->follower->resource, item)
              : pg_take_item(job, &r, row->follower->resource, &item)))
        return;
    row->row = item;
    if (!item_follow(op, &w->decision, row->follower, w->followed, item, job->scratch,
                     &row->followed)) {
        job_fail(job, ERROR_OVERLOADED);
        return;
    }
    usage_add(&w->decision.usage, &row->followed.usage);
    w->followed += !row->followed.same;
}

static void send_read(struct job *job, const struct store_item_write *op,
                      const struct item_follower *follower)
{
    if (item_follower_is_trashed(follower))
        job_send(job, SQL_TRASH_JSON, take_follower, SQL_UUID(&op->space),
                 SQL_I64(follower->revision));
    else
        job_send(job, SQL_OF_ITEM(follower->resource, SQL_ITEM_GET), take_follower,
                 SQL_UUID(&op->space), SQL_UUID(&follower->id), SQL_I64(follower->created_at));
}

/* Writes what was read, as far as the round has room, and reads on. When all is written, the item
 * itself is, with what the space comes to. */
static bool step_followers(struct job *job, struct store_item_write *op)
{
    struct item_job *w = item_job_of(job);
    assert(w->part || w->part_read == 0);
    for (; w->part_written < w->part_read && job_room(job) > 2; w->part_written++) {
        const struct followed_row *row = &w->part[w->part_written];
        pg_send_followed(job, op, row->follower, row->row, &row->followed);
    }
    if (w->part_written < w->part_read || job_room(job) < 2)
        return true;
    if (!w->next) {
        send_item(job, op, &w->decision);
        return false;
    }
    struct arena *scratch = job_scratch(job, PART_MEMORY);
    w->part = scratch ? arena_alloc(scratch, PART_MOST * sizeof *w->part) : NULL;
    w->part_asked = w->part_read = w->part_written = 0;
    if (!w->part) {
        job_fail(job, ERROR_OVERLOADED);
        return false;
    }
    for (; w->next && w->part_asked < PART_MOST && job_room(job) > 0; w->next = w->next->next) {
        w->part[w->part_asked++].follower = w->next;
        send_read(job, op, w->next);
    }
    return true;
}

/* ---- writes: what is asked ---- */

void pg_take_ask(struct job *job, const PGresult *result, struct arena *arena,
                 struct item_answer *answer)
{
    const struct item_row **end = &answer->rows;
    if (answer->ask.question == ITEM_ASK_ITEM && PQntuples(result) > 0) {
        void *item = arena_alloc(arena, answer->ask.resource->size);
        struct row r = row_of(result, 0, arena);
        if (!item)
            job_fail(job, ERROR_OVERLOADED);
        else if (pg_take_item(job, &r, answer->ask.resource, &item))
            answer->item = item;
    }
    for (int i = 0; answer->ask.question != ITEM_ASK_ITEM && i < PQntuples(result); i++) {
        struct item_row *row = arena_new(arena, struct item_row);
        struct row r = row_of(result, i, arena);
        if (!row) {
            job_fail(job, ERROR_OVERLOADED);
            return;
        }
        row->id = row_optional_uuid(&r);
        row->created_at = row_i64(&r);
        row->revision = row_i64(&r);
        row->number = row_i64(&r);
        row->parent_id = row_optional_uuid(&r);
        row->list_id = row_optional_uuid(&r);
        row->position = row_text(&r);
        if (r.error != ERROR_NONE) {
            job_fail(job, r.error);
            return;
        }
        *end = row;
        end = &row->next;
        answer->count++;
    }
}

void pg_send_ask(struct job *job, const struct item_ask *ask, const struct uuid *space,
                 job_take *take)
{
    struct sql_value values[SQL_ASK_VALUES_MOST];
    if (ask->question == ITEM_ASK_ITEM) {
        job_send(job, SQL_OF_ITEM(ask->resource, SQL_ITEM_GET), take, SQL_UUID(space),
                 SQL_UUID(&ask->id), SQL_I64(uuid_time_ms(ask->id)));
        return;
    }
    const unsigned count = sql_ask_values(ask, space, values);
    job_send_values(job, sql_ask(ask), values, count, take);
}

static void take_asked(struct job *job, const PGresult *result)
{
    pg_take_ask(job, result, job->op->arena, item_job_of(job)->asked);
}

static void send_ask(struct job *job, const struct item_ask *ask)
{
    const struct store_item_write *op = (struct store_item_write *)job->op;
    struct item_job *w = item_job_of(job);
    w->asked = arena_new(op->op.arena, struct item_answer);
    if (!w->asked) {
        job_fail(job, ERROR_OVERLOADED);
        return;
    }
    arena_allow(op->op.arena, ITEM_ANSWER_BYTES);
    w->asked->ask = *ask;
    w->asked->next = w->before.answers;
    w->before.answers = w->asked;
    pg_send_ask(job, ask, &op->space, take_asked);
}

/* Answers whether there is more to do, in another round. */
static bool decide(struct job *job, struct store_item_write *op)
{
    struct item_job *w = item_job_of(job);
    const struct usage_limits limits = job_limits(job);
    w->before.zones = job_zones(job);
    w->decision = item_decide(op, &w->before, &limits);
    if (w->decision.step == ITEM_REFUSE)
        return false;
    if (w->decision.step == ITEM_ASK) {
        send_ask(job, &w->decision.ask);
        return true;
    }
    w->next = w->decision.followers;
    if (w->next)
        return step_followers(job, op);
    send_item(job, op, &w->decision);
    return false;
}

/* Round 0 reads, the others decide, ask for more, and write. */
static bool step_change(struct job *job, unsigned round)
{
    struct item_job *w = item_job_of(job);
    struct store_item_write *op = (struct store_item_write *)job->op;
    const struct sql_value space = SQL_UUID(&op->space);
    const struct item *item = w->before.item;
    struct item_ask ask;
    if (w->part)
        return step_followers(job, op);
    if (round == 0) {
        op->replayed = false;
        job_send(job, SQL_SPACE_LOCK, take_space, space);
        if (item_looks_for_itself(op) || looks_for_itself(job))
            job_send(job, SQL_OF_ITEM(op->resource, SQL_ITEM_GET), take_before, space,
                     SQL_UUID(&op->id), SQL_I64(uuid_time_ms(op->id)));
        if (looks_for_itself(job))
            job_send(job, SQL_DELETION_GET, take_deletion, space, SQL_UUID(&op->id));
        if (has_key(op))
            job_send(job, SQL_KEY_GET, take_key, space, SQL_TEXT(op->idempotency.key));
        if (item_will_ask(op, &ask))
            send_ask(job, &ask);
        return true;
    }
    if (!w->found) {
        op->op.result = ERROR_NOT_FOUND;
    } else if (w->decided) {
        /* A repeated answer must be as durable as the first was. */
        if (op->outcome != STORE_KEY_REUSED)
            job_send(job, SQL_KEY_TOUCH, NULL, space, SQL_TEXT(op->idempotency.key));
    } else if (looks_for_itself(job) && item) {
        /* What an earlier run of the create made. */
        op->outcome = STORE_CREATED;
        op->verdict = STORE_HOLDS;
        op->item = item;
        op->item_id = item->id;
        op->revision = item->revision;
        op->body = (struct slice){0};
    } else if (looks_for_itself(job) && w->deleted) {
        op->op.result = ERROR_OUTCOME_UNKNOWN;
    } else {
        return decide(job, op);
    }
    return false;
}

static void take_created(struct job *job, const PGresult *result)
{
    struct store_item_write *op = (struct store_item_write *)job->op;
    struct item *item = item_job_of(job)->created;
    if (PQntuples(result) == 0) {
        op->op.result = ERROR_NOT_FOUND;
        return;
    }
    struct row r = row_of(result, 0, NULL);
    item->revision = op->revision = row_i64(&r);
    job->revision = op->revision;
    if (op->revision == 0)
        op->op.result = ERROR_QUOTA_EXCEEDED;
    else if (!resource_put_last(op->resource, item, op->revision, op->op.arena))
        job_fail(job, ERROR_OVERLOADED);
}

/* Nothing need be known before, so one statement does it all: it tests the limits itself, and takes
 * the revision. */
static bool step_create(struct job *job, unsigned round)
{
    static const struct usage_limits none = {INT64_MAX, INT64_MAX};
    static const struct item_before unknown;
    struct store_item_write *op = (struct store_item_write *)job->op;
    struct item_job *w = item_job_of(job);
    const struct usage_limits limits = job_limits(job);
    struct sql_value values[PARAMS_MOST] = {SQL_UUID(&op->space)};
    if (job->uncertain)
        return step_change(job, round);
    op->replayed = false;
    const struct item_decision decision = item_decide(op, &unknown, &none);
    if (decision.step != ITEM_INSERT)
        return false; /* it is refused, or not valid */
    assert(!decision.followers && !decision.keep && !decision.change.before.ptr);
    w->created = arena_alloc(op->op.arena, op->resource->size);
    if (!w->created) {
        op->op.result = ERROR_OVERLOADED;
        return false;
    }
    memcpy(w->created, op->item, op->resource->size);
    op->item = w->created;
    unsigned count = add_usage(values, 1, &decision.usage);
    values[count++] = SQL_I64(op->resource->counted ? limits.items : INT64_MAX);
    values[count++] = SQL_I64(limits.bytes);
    values[count++] = SQL_I64(op->steady);
    values[count++] = SQL_I64(op->resource->kind);
    values[count++] = SQL_OPTIONAL_UUID(&op->actor);
    const struct written written = {op->resource, op->item, FIELD_POSITION,
                                    offsetof(struct item, revision)};
    send_written(job, SQL_ITEM_CREATE, values, count, &written, take_created);
    return false;
}

/* A key tells what became of the first run; so does the item, for a create whose id is new. */
static bool is_repeatable(const struct job *job)
{
    const struct store_item_write *op = (const struct store_item_write *)job->op;
    return has_key(op) || (op->verb == STORE_CREATE && !op->chosen);
}

void pg_item_write(struct store_item_write *op)
{
    static const struct work create = {.lane = LANE_CREATE,
                                       .size = sizeof(struct item_job),
                                       .magic = WRITE_MAGIC,
                                       .step = step_create};
    static const struct work change = {.lane = LANE_CHANGE,
                                       .size = sizeof(struct item_job),
                                       .magic = WRITE_MAGIC,
                                       .step = step_change,
                                       .repeatable = is_repeatable};
    const bool plain = op->verb == STORE_CREATE && !op->chosen && !has_key(op) &&
                       op->resource->most == 0 && !op->precondition.match.present &&
                       !op->precondition.none_match.present && !item_may_ask(op);
    assert(op->resource && (op->values || op->verb == STORE_DELETE || op->verb >= STORE_SKIP));
    job_start(&op->op, plain ? &create : &change, &op->space);
}
