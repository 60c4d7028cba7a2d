// SPDX-License-Identifier: MIT
#include "store/sqlite/item_rows.h"

#include "store/decision.h"
#include "store/sqlite/session.h"
#include "store/sqlite/sql.h"

#define FOLLOWER_ARENA_MOST ((size_t)4 * 1024 * 1024) /* an item twice, and its JSON */

/* ---- the rows of spaces ---- */

void item_rows_forget_spaces(struct transaction *t)
{
    if (t->spaces.count > 0)
        t->spaces = (struct changed_spaces){0};
}

int item_rows_settle_spaces(struct transaction *t)
{
    int rc = SQLITE_OK;
    for (unsigned i = 0; i < CHANGED_SPACES_PLACES && t->spaces.count > 0 && rc == SQLITE_OK; i++) {
        const struct space *space = &t->spaces.places[i].space;
        if (!t->spaces.places[i].changed)
            continue;
        struct query q = QUERY(&t->statements, SQL_SPACE_SET, SQL_UUID(&t->spaces.places[i].id),
                               SQL_I64(space->revision));
        for (unsigned k = 0; k < SPACE_COUNTS; k++)
            query_bind(&q, SQL_I64(space->usage.counts[k]));
        query_bind(&q, SQL_I64(space->usage.bytes));
        rc = query_run_on_one(&q);
        if (rc == SQLITE_OK)
            writer_note_change(t, &t->spaces.places[i].id, space->revision);
    }
    item_rows_forget_spaces(t);
    return rc;
}

int item_rows_look_at_space(struct statements *statements, const struct uuid *id,
                            struct space *space, bool *found)
{
    assert(statements && space);
    struct query q = QUERY(statements, SQL_SPACE_GET, SQL_UUID(id));
    *space = (struct space){0};
    *found = query_row(&q);
    if (*found) {
        space->revision = query_take_i64(&q);
        space->forgotten = query_take_i64(&q);
        for (unsigned i = 0; i < SPACE_COUNTS; i++)
            space->usage.counts[i] = query_take_i64(&q);
        space->usage.bytes = query_take_i64(&q);
    }
    return query_end(&q);
}

/* Where it is kept, or the free place where it would be: the last bytes of an id are random. */
static struct changed_space *find_place(struct changed_spaces *spaces, const struct uuid *id)
{
    unsigned place = id->bytes[sizeof id->bytes - 1] % CHANGED_SPACES_PLACES;
    while (spaces->places[place].known && !uuid_eq(spaces->places[place].id, *id))
        place = (place + 1) % CHANGED_SPACES_PLACES;
    return &spaces->places[place];
}

int item_rows_hold_space(struct transaction *t, const struct uuid *id, struct changed_space **space)
{
    struct changed_space *place = find_place(&t->spaces, id);
    int rc = SQLITE_OK;
    if (!place->known && t->spaces.count == CHANGED_SPACES_PLACES / 2) {
        rc = item_rows_settle_spaces(t);
        place = find_place(&t->spaces, id);
    }
    if (!place->known && rc == SQLITE_OK) {
        rc = item_rows_look_at_space(&t->statements, id, &place->space, &place->known);
        place->id = *id;
        t->spaces.count += place->known;
    }
    *space = place->known ? place : NULL;
    return rc;
}

/* ---- one item ---- */

void item_rows_take(struct query *q, const struct resource *resource, void *item)
{
    assert(q && resource && item);
    resource_clear(resource, item);
    for (size_t i = 0; i < resource->count; i++)
        query_take_field(q, &resource->fields[i], item);
}

bool item_rows_keep_texts(const struct resource *resource, void *item, struct arena *arena)
{
    assert(item && arena);
    for (size_t i = 0; i < resource->count; i++) {
        const struct field *field = &resource->fields[i];
        struct slice *text = (struct slice *)((char *)item + field->at);
        if (!field_is_text(field->type) || field_get(field, item).null)
            continue; /* no text, or one that lives for ever */
        *text = arena_copy(arena, *text);
        if (!text->ptr)
            return false;
    }
    return true;
}

/* All of it is copied, so that the statement is free again when `done` asks for another item. */
static int take_found(struct query *q, const struct resource *resource, struct arena *arena,
                      const void **found)
{
    if (query_row(q)) {
        void *item = arena_alloc(arena, resource->size);
        if (!item)
            q->rc = SQLITE_NOMEM;
        else
            item_rows_take(q, resource, item);
        if (q->rc == SQLITE_OK && !item_rows_keep_texts(resource, item, arena))
            q->rc = SQLITE_NOMEM;
        *found = item;
    }
    return query_end(q);
}

/* By the time in the id, which the server made as a rule; else by the index of those that others
 * made. `*found` NULL: there is none. */
static int read_item(struct statements *statements, const struct resource *resource,
                     const struct uuid *space, const struct uuid *id, struct arena *arena,
                     const void **found)
{
    struct query made = QUERY(statements, SQL_OF_ITEM(resource, SQL_ITEM_GET_MADE), SQL_UUID(space),
                              SQL_UUID(id), SQL_I64(uuid_time_ms(*id)));
    *found = NULL;
    const int rc = take_found(&made, resource, arena, found);
    if (rc != SQLITE_OK || *found)
        return rc;
    struct query any = QUERY(statements, SQL_OF_ITEM(resource, SQL_ITEM_GET), SQL_UUID(space),
                             SQL_UUID(id), SQL_I64(uuid_time_ms(*id)));
    return take_found(&any, resource, arena, found);
}

int item_rows_read(struct statements *statements, const struct resource *resource,
                   const struct uuid *space, const struct uuid *id, struct arena *arena,
                   const void **found)
{
    assert(statements && resource && arena);
    return read_item(statements, resource, space, id, arena, found);
}

void item_rows_get(struct store_item_get *op)
{
    assert(op->resource && op->op.session && op->op.arena && op->op.done);
    struct store_session *session = op->op.session;
    op->item = NULL;
    int rc = session_snapshot(session);
    if (rc == SQLITE_OK)
        rc = read_item(&session->statements, op->resource, &op->space, &op->id, op->op.arena,
                       &op->item);
    session_read_done(session, &op->op, rc, op->item != NULL);
}

/* ---- writes ---- */

int item_rows_find_kept(struct transaction *t, struct store_item_write *op,
                        struct item_before *before, bool *decided)
{
    struct query q =
        QUERY(&t->statements, SQL_KEY_GET, SQL_UUID(&op->space), SQL_TEXT(op->idempotency.key));
    if (query_row(&q)) {
        struct item_kept kept = {.fingerprint = query_take_blob(&q)};
        kept.used_at = query_take_i64(&q);
        kept.outcome = (enum store_outcome)query_take_i64(&q);
        kept.id = query_take_uuid(&q);
        kept.revision = query_take_i64(&q);
        kept.body = query_copy_text(&q, op->op.arena);
        before->kept_bytes = usage_key_bytes(op->idempotency.key, kept.body);
        *decided = q.rc == SQLITE_OK && item_decide_kept(op, &kept);
    }
    return query_end(&q);
}

int item_rows_keep_answer(struct transaction *t, const struct store_item_write *op)
{
    const struct store_idempotency *idempotency = &op->idempotency;
    return QUERY_RUN(&t->statements, SQL_KEY_PUT, SQL_UUID(&op->space), SQL_TEXT(idempotency->key),
                     SQL_BLOB(idempotency->fingerprint, sizeof idempotency->fingerprint),
                     SQL_I64(op->steady), SQL_I64((int64_t)op->outcome), SQL_UUID(&op->item_id),
                     SQL_I64(op->revision), SQL_TEXT(op->body));
}

/* A change of a row that takes `revision`, as the journal has it. */
static int put_change(struct transaction *t, const struct store_item_write *op,
                      const struct resource *resource, const struct uuid *id, int64_t revision,
                      const struct item_change *change)
{
    return QUERY_RUN(&t->statements, SQL_CHANGE_PUT, SQL_UUID(&op->space), SQL_I64(revision),
                     SQL_I64(op->steady), SQL_I64(resource->kind), SQL_I64((int64_t)change->verb),
                     SQL_UUID(id), SQL_OPTIONAL_UUID(&op->actor), SQL_TEXT(change->before),
                     SQL_OPTIONAL_I64(change->previous), SQL_OPTIONAL_I64(change->undoes),
                     SQL_OPTIONAL_I64(change->follows));
}

/* Of a task that is removed: its row of the trash. */
static int put_into_trash(struct transaction *t, const struct store_item_write *op,
                          const struct resource *resource, const void *item, int64_t revision)
{
    const struct task *task = item;
    if (resource != &task_resource)
        return SQLITE_OK;
    assert(task);
    return QUERY_RUN(&t->statements, SQL_TRASH_PUT, SQL_UUID(&op->space), SQL_I64(revision),
                     SQL_I64(op->revision), SQL_UUID(&task->id),
                     SQL_OPTIONAL_UUID(&task->parent_id));
}

/* The derived column, the last parameter of both; its bytes are in `room`. */
static void bind_derived(struct query *q, const struct resource *resource, const void *item,
                         struct buffer *room)
{
    struct sql_value derived = {.type = 't'};
    if (!resource->derived.ptr)
        return;
    if (resource_derive(resource, item, room, &derived.value))
        query_bind(q, derived);
    else if (q->rc == SQLITE_OK)
        q->rc = SQLITE_NOMEM;
}

static int insert_item(struct transaction *t, const struct store_item_write *op,
                       const struct resource *resource, const void *item)
{
    struct buffer room = {0};
    struct query q =
        QUERY(&t->statements, SQL_OF_ITEM(resource, SQL_ITEM_INSERT), SQL_UUID(&op->space));
    for (size_t i = 0; i < resource->count; i++)
        query_bind_field(&q, &resource->fields[i], item);
    bind_derived(&q, resource, item, &room);
    const int rc = query_run(&q);
    buffer_finish(&room);
    if (rc != SQLITE_OK || resource != &task_resource || !item_may_be_in_trash(op))
        return rc;
    return QUERY_RUN(&t->statements, SQL_TRASH_TAKE, SQL_UUID(&op->space),
                     SQL_UUID(&((const struct item *)item)->id));
}

/* Updates to `item`, or deletes (NULL), the row that was read. */
static int change_item(struct transaction *t, const struct store_item_write *op,
                       const struct resource *resource, const struct item *before, const void *item)
{
    const enum sql_item what = item ? SQL_ITEM_UPDATE : SQL_ITEM_DELETE;
    struct buffer room = {0};
    assert(before);
    struct query q =
        QUERY(&t->statements, SQL_OF_ITEM(resource, what), SQL_UUID(&op->space),
              SQL_I64(before->created_at), SQL_UUID(&before->id), SQL_I64(before->revision));
    for (size_t i = 0; i < resource->count && item; i++) {
        if (!(resource->fields[i].flags & FIELD_FIXED))
            query_bind_field(&q, &resource->fields[i], item);
    }
    if (item)
        bind_derived(&q, resource, item, &room);
    const int rc = query_run_on_one(&q);
    buffer_finish(&room);
    return rc;
}

/* ---- what a write asks (decision.h) ---- */

static int read_rows_of_ask(struct transaction *t, const struct store_item_write *op,
                            struct item_answer *answer)
{
    const struct item_row **end = &answer->rows;
    struct arena *arena = op->op.arena;
    struct sql_value values[SQL_ASK_VALUES_MOST];
    const unsigned count = sql_ask_values(&answer->ask, &op->space, values);
    struct query q = query_begin_with(&t->statements, sql_ask(&answer->ask), values, count);
    while (query_row(&q)) {
        struct item_row *row = arena_new(arena, struct item_row);
        if (!row) {
            q.rc = SQLITE_NOMEM;
            break;
        }
        row->id = query_take_optional_uuid(&q);
        row->created_at = query_take_i64(&q);
        row->revision = query_take_i64(&q);
        row->number = query_take_i64(&q);
        row->parent_id = query_take_optional_uuid(&q);
        row->list_id = query_take_optional_uuid(&q);
        row->position = query_copy_text(&q, arena);
        *end = row;
        end = &row->next;
        answer->count++;
    }
    return query_end(&q);
}

static int answer_ask(struct transaction *t, const struct store_item_write *op,
                      const struct item_ask *ask, struct item_before *before)
{
    struct item_answer *answer = arena_new(op->op.arena, struct item_answer);
    if (!answer)
        return SQLITE_NOMEM;
    arena_allow(op->op.arena, ITEM_ANSWER_BYTES);
    answer->ask = *ask;
    answer->next = before->answers;
    before->answers = answer;
    return ask->question == ITEM_ASK_ITEM ? read_item(&t->statements, ask->resource, &op->space,
                                                      &ask->id, op->op.arena, &answer->item)
                                          : read_rows_of_ask(t, op, answer);
}

/* ---- what leaves the trash ---- */

/* The task that a deletion took, as it was. */
static int read_trashed(struct transaction *t, const struct store_item_write *op,
                        const struct item_follower *follower, struct arena *arena, const void **row)
{
    struct query q =
        QUERY(&t->statements, SQL_TRASH_JSON, SQL_UUID(&op->space), SQL_I64(follower->revision));
    void *item = arena_alloc(arena, follower->resource->size);
    unsigned set = 0;
    if (query_row(&q) && item) {
        const struct slice json = query_copy_text(&q, arena);
        const enum error error = json.ptr
                                     ? resource_decode(follower->resource, json, item, &set, arena)
                                     : ERROR_INTERNAL_ERROR;
        *row = error == ERROR_NONE ? item : NULL;
        if (error == ERROR_OVERLOADED && q.rc == SQLITE_OK)
            q.rc = SQLITE_NOMEM;
    }
    const int rc = query_end(&q);
    return rc == SQLITE_OK && !item ? SQLITE_NOMEM : rc;
}

static int purge(struct transaction *t, const struct store_item_write *op)
{
    static const unsigned steps[] = {SQL_PURGE_CHANGES, SQL_PURGE_ANSWERS, SQL_PURGE_TRASH};
    int rc = SQLITE_OK;
    for (unsigned i = 0; i < sizeof steps / sizeof steps[0] && rc == SQLITE_OK; i++)
        rc = QUERY_RUN(&t->statements, steps[i], SQL_UUID(&op->space), SQL_UUID(&op->id));
    return rc;
}

/* It goes in steps, which begin after the commit. */
static int empty(struct transaction *t, const struct store_item_write *op)
{
    t->deleted = true;
    return QUERY_RUN(&t->statements, SQL_TRASH_EMPTY, SQL_UUID(&op->space), SQL_I64(op->revision));
}

/* ---- what changes along ---- */

static int write_follower(struct transaction *t, const struct store_item_write *op,
                          const struct item_follower *follower, const void *row,
                          const struct item_followed *followed)
{
    int rc = SQLITE_OK;
    if (followed->rewritten.ptr)
        return QUERY_RUN(&t->statements, SQL_TRASH_REWRITE, SQL_UUID(&op->space),
                         SQL_I64(follower->revision), SQL_TEXT(followed->rewritten));
    if (followed->same)
        return rc;
    rc = follower->step == ITEM_INSERT || follower->step == ITEM_RESTORE
             ? insert_item(t, op, follower->resource, followed->item)
             : change_item(t, op, follower->resource, row, followed->item);
    if (rc == SQLITE_OK)
        rc = put_change(t, op, follower->resource, &followed->id, followed->revision,
                        &followed->change);
    return rc == SQLITE_OK && !followed->item
               ? put_into_trash(t, op, follower->resource, row, followed->revision)
               : rc;
}

/* One after the other, so that no more than one of them is in memory. `*count`: how many were
 * not the same. */
static int write_followers(struct transaction *t, const struct store_item_write *op,
                           const struct item_decision *decision, struct usage *usage,
                           unsigned *count)
{
    struct arena *arena = arena_create(FOLLOWER_ARENA_MOST);
    int rc = arena ? SQLITE_OK : SQLITE_NOMEM;
    *count = 0;
    for (const struct item_follower *follower = decision->followers; follower && rc == SQLITE_OK;
         follower = follower->next) {
        struct item_followed followed;
        const void *row = NULL;
        arena_reset(arena);
        rc = item_follower_is_trashed(follower) ? read_trashed(t, op, follower, arena, &row)
                                                : read_item(&t->statements, follower->resource,
                                                            &op->space, &follower->id, arena, &row);
        if (rc == SQLITE_OK && !row)
            rc = SQLITE_ABORT;
        if (rc == SQLITE_OK && !item_follow(op, decision, follower, *count, row, arena, &followed))
            rc = SQLITE_NOMEM;
        if (rc == SQLITE_OK)
            rc = write_follower(t, op, follower, row, &followed);
        if (rc == SQLITE_OK) {
            usage_add(usage, &followed.usage);
            *count += !followed.same;
        }
    }
    arena_destroy(&arena);
    return rc;
}

/* ---- the write ---- */

static int decide(struct transaction *t, struct store_item_write *op, struct item_before *before,
                  struct item_decision *decision)
{
    int rc = SQLITE_OK;
    *decision = item_decide(op, before, &t->limits);
    while (decision->step == ITEM_ASK && rc == SQLITE_OK) {
        rc = answer_ask(t, op, &decision->ask, before);
        if (rc == SQLITE_OK)
            *decision = item_decide(op, before, &t->limits);
    }
    return rc;
}

/* Writes what was decided. */
static int carry_out(struct transaction *t, struct store_item_write *op,
                     const struct item_before *before, struct changed_space *space,
                     struct item_decision *decision)
{
    unsigned followed = 0;
    int rc = SQLITE_OK;
    if (decision->followers)
        rc = write_followers(t, op, decision, &decision->usage, &followed);
    const bool changed = item_step_changes(decision->step);
    const bool writes_item = changed && decision->step != ITEM_FOLLOWERS;
    const int64_t last = changed ? item_last_revision(op, decision, followed) : 0;
    assert(changed || !decision->followers);
    if (rc == SQLITE_OK && decision->step == ITEM_INSERT)
        rc = insert_item(t, op, op->resource, op->item);
    else if (rc == SQLITE_OK && writes_item)
        rc = change_item(t, op, op->resource, before->item, op->item);
    if (rc == SQLITE_OK && writes_item)
        rc = put_change(t, op, op->resource, &op->id, op->revision, &decision->change);
    if (rc == SQLITE_OK && decision->step == ITEM_REMOVE)
        rc = put_into_trash(t, op, op->resource, before->item, op->revision);
    if (rc == SQLITE_OK && decision->step == ITEM_PURGE)
        rc = purge(t, op);
    if (rc == SQLITE_OK && decision->step == ITEM_EMPTY)
        rc = empty(t, op);
    if (rc == SQLITE_OK && decision->keep)
        rc = item_rows_keep_answer(t, op);
    if (rc == SQLITE_OK && (changed || decision->keep || decision->step == ITEM_PURGE)) {
        assert(space->known && (!changed || last >= space->space.revision));
        space->space.revision = changed ? last : space->space.revision;
        usage_add(&space->space.usage, &decision->usage);
        space->changed = true;
    }
    return rc;
}

int item_rows_run(struct transaction *t, struct store_item_write *op, struct changed_space *space,
                  struct item_before *before, struct item_decision *decision)
{
    int rc = SQLITE_OK;
    assert(t && space->known && uuid_eq(space->id, op->space));
    if (item_looks_for_itself(op))
        rc = read_item(&t->statements, op->resource, &op->space, &op->id, op->op.arena,
                       &before->item);
    before->space = space->space;
    before->zones = t->zones;
    if (rc == SQLITE_OK)
        rc = decide(t, op, before, decision);
    if (rc != SQLITE_OK || decision->step == ITEM_REFUSE)
        return rc;
    return carry_out(t, op, before, space, decision);
}

static int run_write(struct transaction *t, struct store_item_write *op)
{
    struct item_before before = {0};
    struct item_decision decision;
    struct changed_space *space = NULL;
    bool decided = false;
    assert(op->resource && op->verb >= STORE_CREATE && op->verb <= STORE_UNDO);
    int rc = item_rows_hold_space(t, &op->space, &space);
    if (rc == SQLITE_OK && !space) {
        op->op.result = ERROR_NOT_FOUND;
        return SQLITE_OK;
    }
    if (rc == SQLITE_OK && op->idempotency.key.ptr)
        rc = item_rows_find_kept(t, op, &before, &decided);
    if (rc != SQLITE_OK || decided)
        return rc;
    return item_rows_run(t, op, space, &before, &decision);
}

SESSION_WRITE(item_rows_write, store_item_write, run_write)
