// SPDX-License-Identifier: MIT
#include "store/decision.h"

#include <assert.h>

#include "model/position.h"
#include "model/task_list.h"
#include "model/task_rules.h"
#include "model/zone.h"
#include "store/item_moves.h"
#include "store/item_walk.h"
#include "store/label_writes.h"
#include "store/list_writes.h"
#include "store/retention.h"
#include "store/series_writes.h"
#include "store/task_writes.h"
#include "store/trash_writes.h"
#include "store/undo_writes.h"

/* ---- spaces ---- */

struct usage_limits usage_limits_of(int64_t items, int64_t bytes)
{
    return (struct usage_limits){items > 0 ? items : INT64_MAX, bytes > 0 ? bytes : INT64_MAX};
}

int64_t usage_item_bytes(const struct resource *resource, const void *item)
{
    assert(resource && item);
    return SPACE_ITEM_BYTES + (int64_t)resource_text_bytes(resource, item);
}

int64_t usage_key_bytes(struct slice key, struct slice body)
{
    return SPACE_KEY_BYTES + (int64_t)key.len + (int64_t)body.len;
}

int64_t usage_total(const struct usage *usage, const struct resource *resource, uint64_t choices)
{
    int64_t total = 0;
    assert(usage && resource->count_places > 0);
    assert(resource->count_at + resource->count_places <= SPACE_COUNTS);
    for (unsigned i = 0; i < resource->count_places; i++)
        total +=
            choices == 0 || (choices >> i & 1) != 0 ? usage->counts[resource->count_at + i] : 0;
    return total;
}

bool usage_knows_total(const struct store_item_list *op)
{
    const struct resource *resource = op->resource;
    const bool by_choice = op->term_count == 1 && resource->counted &&
                           op->terms[0].filter == LIST_IS &&
                           op->terms[0].field == resource->counted;
    return resource->count_places > 0 && (op->term_count == 0 || by_choice);
}

void usage_add(struct usage *usage, const struct usage *change)
{
    assert(usage && change && usage != change);
    for (unsigned i = 0; i < SPACE_COUNTS; i++)
        usage->counts[i] += change->counts[i];
    usage->bytes += change->bytes;
}

/* ---- preconditions ---- */

static bool names(const struct store_versions *versions, int64_t version)
{
    for (unsigned i = 0; i < versions->count; i++) {
        if (versions->list[i] == version)
            return true;
    }
    return versions->any;
}

enum store_verdict store_precondition_judge(const struct store_precondition *precondition,
                                            bool exists, int64_t version)
{
    assert(precondition && version >= 0);
    if (precondition->match.present && !(exists && names(&precondition->match, version)))
        return STORE_MATCH_FAILED;
    if (precondition->none_match.present && exists && names(&precondition->none_match, version))
        return STORE_NONE_MATCH_FAILED;
    return STORE_HOLDS;
}

/* ---- items ---- */

struct slice item_encode(const struct resource *resource, const void *item, unsigned mask,
                         struct arena *arena)
{
    struct json_writer w;
    struct buffer text;
    assert(resource && item && arena);
    buffer_init(&text, resource_json_most(resource));
    json_writer_init(&w, &text);
    resource_encode(resource, item, mask, &w);
    const struct slice copy =
        text.failed ? (struct slice){0} : arena_copy(arena, buffer_slice(&text));
    buffer_finish(&text);
    return copy;
}

static struct slice encode(const struct store_item_write *op, const void *item, unsigned mask)
{
    return item_encode(op->resource, item, mask, op->op.arena);
}

static struct item_decision refuse(struct store_item_write *op, enum error error)
{
    op->op.result = error;
    op->item = NULL;
    return (struct item_decision){.step = ITEM_REFUSE};
}

/* ---- walks: what is asked on the way to a decision ---- */

static bool is_same_ask(const struct item_ask *a, const struct item_ask *b)
{
    return a->question == b->question && a->resource == b->resource && a->place == b->place &&
           uuid_eq(a->id, b->id) && uuid_eq(a->other, b->other) && a->number == b->number &&
           !a->text.ptr == !b->text.ptr && slice_eq(a->text, b->text) &&
           slice_eq(a->other_text, b->other_text);
}

const struct item_answer *item_walk_ask(struct item_walk *walk, const struct item_ask *ask)
{
    assert(walk->state == ITEM_WALK_ON && ask->question < ITEM_QUESTION_COUNT);
    for (const struct item_answer *answer = walk->before->answers; answer; answer = answer->next) {
        if (is_same_ask(&answer->ask, ask))
            return answer;
    }
    walk->state = ITEM_WALK_ASKS;
    walk->decision.ask = *ask;
    return NULL;
}

static struct item_decision end_walk(struct item_walk *walk)
{
    struct store_item_write *op = walk->op;
    op->item = NULL;
    switch (walk->state) {
    case ITEM_WALK_ON: break;
    case ITEM_WALK_ASKS: walk->decision.step = ITEM_ASK; return walk->decision;
    case ITEM_WALK_REFUSED: return (struct item_decision){.step = ITEM_REFUSE};
    case ITEM_WALK_NO_MEMORY: return refuse(op, ERROR_OVERLOADED);
    }
    struct field_errors *errors = arena_new(op->op.arena, struct field_errors);
    assert(walk->complaints.errors.count > 0);
    if (!errors)
        return refuse(op, ERROR_OVERLOADED);
    *errors = walk->complaints.errors;
    op->errors = errors;
    op->outcome = STORE_INVALID;
    op->revision = 0;
    return (struct item_decision){.step = ITEM_NOTHING};
}

/* The zone of a task, where it must be known; the caller releases it. */
static bool find_zone(struct item_walk *walk, const void *old, const void *item, struct zone **zone)
{
    struct slice name = SLICE(ZONE_UTC);
    *zone = NULL;
    if (walk->op->resource != &task_resource || !task_needs_zone(old, item) || !walk->before->zones)
        return true;
    const struct task *task = item;
    if (task->time_zone.ptr) {
        name = task->time_zone;
    } else {
        const struct item_ask ask = {.question = ITEM_ASK_ZONE, .resource = &task_resource};
        const struct item_answer *answer = item_walk_ask(walk, &ask);
        if (!answer)
            return false;
        name = answer->rows ? user_time_zone(answer->rows->position) : name;
    }
    if (zones_find(walk->before->zones, name, zone) != ZONE_FOUND)
        *zone = NULL; /* one that has gone is read as UTC */
    return true;
}

/* The rules of the item itself, and of what it refers to. False: the walk is over. `old` NULL: it
 * is new. */
static bool judge(struct item_walk *walk, const void *old, void *item, int64_t now)
{
    struct zone *zone = NULL;
    const struct resource *resource = walk->op->resource;
    if (!find_zone(walk, old, item, &zone))
        return false;
    const struct settling settling = {.before = old,
                                      .after = item,
                                      .given = walk->given,
                                      .now = now,
                                      .zone = zone,
                                      .complaints = &walk->complaints};
    if (resource->settle && !resource->settle(&settling))
        walk->state = ITEM_WALK_NO_MEMORY;
    if (zone)
        zone_release(&zone);
    if (walk->state == ITEM_WALK_ON && resource == &task_resource)
        task_writes_judge(walk, old, item);
    return walk->state == ITEM_WALK_ON && walk->complaints.errors.count == 0;
}

static struct item_walk begin_walk(struct store_item_write *op, const struct item_before *before,
                                   enum item_step step, enum store_verb verb)
{
    return (struct item_walk){
        .op = op,
        .before = before,
        .given = op->verb == STORE_UPDATE || op->verb == STORE_MOVE ? op->set : op->given,
        .decision = {.step = step,
                     .change.verb = verb,
                     .follower_revision = before->space.revision + 2},
        .complaints = {.arena = op->op.arena},
    };
}

/* ---- what a verb comes to ---- */

static struct item_decision create(struct store_item_write *op, const struct item_before *before)
{
    struct item_walk walk = begin_walk(op, before, ITEM_INSERT, STORE_CREATE);
    struct item *item = arena_alloc(op->op.arena, op->resource->size);
    if (!item)
        return refuse(op, ERROR_OVERLOADED);
    resource_clear(op->resource, item);
    item->id = op->id;
    item->created_at = item->updated_at = op->now;
    (void)resource_apply(op->resource, item, op->values, op->set);
    if (!judge(&walk, NULL, item, op->now))
        return end_walk(&walk);
    item->revision = before->space.revision + 1;
    if (!resource_put_last(op->resource, item, item->revision, op->op.arena))
        return refuse(op, ERROR_OVERLOADED);
    op->outcome = STORE_CREATED;
    op->revision = item->revision;
    op->item = item;
    return walk.decision;
}

static unsigned mask_of(const struct resource *resource, unsigned without)
{
    unsigned mask = 0;
    for (size_t i = 0; i < resource->count; i++)
        mask |= (resource->fields[i].flags & without) == 0 ? 1U << i : 0;
    return mask;
}

static struct item_decision change(struct store_item_write *op, const struct item_before *before)
{
    const struct item *old = before->item;
    const bool moves = op->verb == STORE_MOVE;
    const bool skips = op->verb == STORE_SKIP;
    struct item_walk walk = begin_walk(op, before, ITEM_UPDATE, skips ? STORE_UPDATE : op->verb);
    struct item *item = arena_alloc(op->op.arena, op->resource->size);
    const void *values = op->values;
    enum error error = item ? ERROR_NONE : ERROR_OVERLOADED;
    if (item && op->verb == STORE_UPDATE)
        error = resource_merge(op->resource, old, &values, op->set, op->op.arena, &op->errors);
    if (error != ERROR_NONE)
        return refuse(op, error);
    if (op->errors) {
        op->outcome = STORE_INVALID;
        return (struct item_decision){.step = ITEM_NOTHING};
    }
    memcpy(item, old, op->resource->size);
    op->outcome = STORE_UPDATED;
    op->revision = old->revision;
    op->item = item;
    /* A clock that is behind, of another node say, puts no time before an earlier one. */
    const int64_t now = op->now > old->updated_at ? op->now : old->updated_at;
    if (resource_apply(op->resource, item, values, op->set) == 0 && !moves && !skips)
        return (struct item_decision){.step = ITEM_NOTHING};
    if (skips)
        series_writes_skip(&walk, (struct task *)(void *)item, now);
    else if (judge(&walk, old, item, now) && (!moves || item_moves_place(&walk, old, item)) &&
             op->resource == &task_resource)
        series_writes_complete(&walk, before->item, (struct task *)(void *)item, now);
    if (walk.state != ITEM_WALK_ON || walk.complaints.errors.count > 0)
        return end_walk(&walk);
    if (resource_differ(op->resource, old, item) == 0 && !walk.put_last)
        return (struct item_decision){.step = ITEM_NOTHING};
    item->updated_at = now;
    item->revision = op->revision = before->space.revision + 1;
    if (walk.put_last && !resource_put_last(op->resource, item, item->revision, op->op.arena))
        return refuse(op, ERROR_OVERLOADED);
    const unsigned differ = resource_differ(op->resource, old, item);
    walk.decision.change.previous = old->revision;
    walk.decision.change.before = encode(op, old, differ & mask_of(op->resource, FIELD_STAMP));
    return walk.decision.change.before.ptr ? walk.decision : refuse(op, ERROR_OVERLOADED);
}

static struct item_decision delete (struct store_item_write *op, const struct item_before *before)
{
    struct item_walk walk = begin_walk(op, before, ITEM_REMOVE, STORE_DELETE);
    if (op->resource == &task_resource && !task_writes_remove(&walk, before->item))
        return end_walk(&walk);
    if (op->resource == &list_resource && !list_writes_remove(&walk, before->item))
        return end_walk(&walk);
    op->outcome = STORE_DELETED;
    op->revision = before->space.revision + 1;
    if (op->resource == &list_resource) { /* a list goes when its tasks have gone */
        walk.decision.followers_first = true;
        walk.decision.follower_revision = op->revision;
        op->revision += walk.decision.follower_count;
    }
    walk.decision.change.previous = ((const struct item *)before->item)->revision;
    walk.decision.change.before = encode(op, before->item, mask_of(op->resource, 0));
    return walk.decision.change.before.ptr ? walk.decision : refuse(op, ERROR_OVERLOADED);
}

static bool is_full(const struct resource *resource, const struct usage *usage)
{
    return resource->most > 0 && usage_total(usage, resource, 0) >= resource->most;
}

static struct item_decision relabel(struct store_item_write *op, const struct item_before *before)
{
    struct item_walk walk = begin_walk(op, before, ITEM_NOTHING, STORE_UPDATE);
    walk.decision.follower_revision = before->space.revision + 1;
    return label_writes_decide(&walk) ? walk.decision : end_walk(&walk);
}

/* Back out of the trash, or out of it for good. */
static struct item_decision leave_trash(struct store_item_write *op,
                                        const struct item_before *before)
{
    if (op->verb == STORE_EMPTY) {
        op->verdict = store_precondition_judge(&op->precondition, true, before->space.revision);
        if (op->verdict != STORE_HOLDS) {
            op->outcome = STORE_PRECONDITION_FAILED;
            op->revision = before->space.revision;
            return (struct item_decision){.step = ITEM_NOTHING};
        }
        op->outcome = STORE_DELETED;
        op->revision = before->space.revision;
        return (struct item_decision){.step = ITEM_EMPTY};
    }
    const bool restores = op->verb == STORE_RESTORE;
    struct item_walk walk = begin_walk(op, before, restores ? ITEM_INSERT : ITEM_PURGE, op->verb);
    const bool done = restores ? trash_writes_restore(&walk) : trash_writes_purge(&walk);
    return done ? walk.decision : end_walk(&walk);
}

static struct item_decision undo(struct store_item_write *op, const struct item_before *before)
{
    struct item_walk walk = begin_walk(op, before, ITEM_NOTHING, STORE_UPDATE);
    const bool decided = undo_writes_decide(&walk);
    return decided ? walk.decision : end_walk(&walk);
}

/* What a create is asked of is the list, which always exists and has the space's revision. */
static struct item_decision decide(struct store_item_write *op, const struct item_before *before)
{
    const struct item_decision nothing = {.step = ITEM_NOTHING};
    if (op->verb == STORE_RELABEL)
        return relabel(op, before);
    if (op->verb >= STORE_RESTORE && op->verb <= STORE_EMPTY)
        return leave_trash(op, before);
    if (op->verb == STORE_UNDO)
        return undo(op, before);
    const bool creates = op->verb == STORE_CREATE;
    const bool exists = creates || before->item;
    if (!exists && op->verb != STORE_REPLACE) {
        op->outcome = STORE_NOT_FOUND;
        return nothing;
    }
    if (creates && before->item)
        return refuse(op, ERROR_ID_TAKEN);
    if ((creates || !before->item) && is_full(op->resource, &before->space.usage))
        return refuse(op, ERROR_TOO_MANY);
    if (op->resource == &list_resource && op->verb == STORE_DELETE) {
        struct item_walk walk = begin_walk(op, before, ITEM_REMOVE, STORE_DELETE);
        if (!list_writes_judge(&walk, before->item))
            return walk.state == ITEM_WALK_ON ? walk.decision : end_walk(&walk);
    }
    int64_t revision = before->space.revision;
    if (!creates)
        revision = before->item ? ((const struct item *)before->item)->revision : 0;
    op->verdict = store_precondition_judge(&op->precondition, exists, revision);
    if (op->verdict != STORE_HOLDS) {
        op->outcome = STORE_PRECONDITION_FAILED;
        op->revision = revision;
        return nothing;
    }
    if (creates || !before->item)
        return create(op, before);
    return op->verb == STORE_DELETE ? delete (op, before) : change(op, before);
}

/* ---- what it adds to the space ---- */

void usage_count(struct usage *usage, const struct resource *resource, const void *item, int sign)
{
    assert(usage && resource && item && (sign == 1 || sign == -1));
    if (resource->count_places > 0) {
        const int64_t choice = resource->counted ? field_get(resource->counted, item).number : 0;
        assert(choice >= 0 && choice < resource->count_places);
        usage->counts[resource->count_at + choice] += sign;
    }
    usage->bytes += sign * usage_item_bytes(resource, item);
}

static struct usage usage_of(const struct store_item_write *op, const struct item_before *before,
                             const struct item_decision *decision)
{
    struct usage usage = {0};
    const enum item_step step = decision->step;
    if (step == ITEM_UPDATE || step == ITEM_REMOVE)
        usage_count(&usage, op->resource, before->item, -1);
    if (step == ITEM_UPDATE || step == ITEM_INSERT)
        usage_count(&usage, op->resource, op->item, 1);
    if (step == ITEM_INSERT || step == ITEM_UPDATE || step == ITEM_REMOVE)
        usage.bytes += SPACE_CHANGE_BYTES + (int64_t)decision->change.before.len;
    usage.bytes -= decision->given_back;
    if (decision->keep)
        usage.bytes += usage_key_bytes(op->idempotency.key, op->body) - before->kept_bytes;
    return usage;
}

/* What a follower is reckoned with before it is read; what it takes is counted when it is. */
#define FOLLOWER_BYTES (SPACE_CHANGE_BYTES + POSITION_MOST)

/* A deletion makes room sooner or later, so it may take some first. */
static bool fits(const struct store_item_write *op, const struct item_before *before,
                 const struct item_decision *decision, const struct usage_limits *limits)
{
    const struct usage *usage = &before->space.usage;
    if (op->outcome == STORE_DELETED || decision->unbounded)
        return true;
    int64_t more = decision->step == ITEM_INSERT;
    for (const struct item_follower *follower = decision->followers; follower;
         follower = follower->next)
        more += follower->step == ITEM_RESTORE;
    if (more > 0 && op->resource->counted &&
        usage_total(usage, op->resource, 0) > limits->items - more)
        return false;
    const int64_t bytes = decision->usage.bytes + FOLLOWER_BYTES * decision->follower_count +
                          decision->follower_bytes;
    return bytes <= 0 || bytes <= limits->bytes - usage->bytes;
}

struct item_decision item_decide(struct store_item_write *op, const struct item_before *before,
                                 const struct usage_limits *limits)
{
    assert(op->resource && op->op.arena);
    assert(op->values || op->verb == STORE_DELETE || op->verb >= STORE_SKIP);
    assert((op->set & ~resource_settable(op->resource)) == 0);
    assert(!before->item || item_looks_for_itself(op));
    op->item = NULL;
    op->item_id = op->id;
    op->body = (struct slice){0};
    op->revision = 0;
    op->verdict = STORE_HOLDS;
    op->replayed = false;
    op->errors = NULL;
    op->task_count = 0;
    struct item_decision decision = decide(op, before);
    if (decision.step == ITEM_REFUSE || decision.step == ITEM_ASK)
        return decision;
    decision.keep = op->idempotency.key.ptr && op->outcome <= STORE_DELETED;
    if (decision.keep && op->item) {
        op->body = encode(op, op->item, mask_of(op->resource, 0));
        if (!op->body.ptr)
            return refuse(op, ERROR_OVERLOADED);
    }
    decision.usage = usage_of(op, before, &decision);
    return fits(op, before, &decision, limits) ? decision : refuse(op, ERROR_QUOTA_EXCEEDED);
}

bool item_looks_for_itself(const struct store_item_write *op)
{
    return op->verb == STORE_CREATE ? op->chosen : op->verb != STORE_RELABEL;
}

bool item_step_changes(enum item_step step)
{
    return step >= ITEM_INSERT && step <= ITEM_FOLLOWERS;
}

int64_t item_last_revision(struct store_item_write *op, const struct item_decision *decision,
                           unsigned count)
{
    const bool alone = decision->step == ITEM_FOLLOWERS;
    assert(op && count <= decision->follower_count && decision->step != ITEM_NOTHING);
    if (!alone && !decision->followers_first)
        return op->revision + count;
    op->revision = decision->follower_revision + count - (alone ? 1 : 0);
    return op->revision;
}

bool item_may_ask(const struct store_item_write *op)
{
    return op->resource == &task_resource && task_writes_may_ask(op);
}

bool item_may_be_in_trash(const struct store_item_write *op)
{
    return op->verb != STORE_CREATE || op->chosen;
}

bool item_will_ask(const struct store_item_write *op, struct item_ask *ask)
{
    if (op->verb == STORE_RELABEL)
        *ask = label_writes_tasks(op);
    if (op->verb == STORE_RESTORE || op->verb == STORE_PURGE)
        *ask = trash_writes_ask(op);
    if (op->verb != STORE_DELETE)
        return op->verb >= STORE_RELABEL && op->verb <= STORE_PURGE;
    *ask = op->resource == &list_resource ? list_writes_ask(op) : task_writes_subtree(&op->id);
    return op->resource == &list_resource || op->resource == &task_resource;
}

/* ---- what was kept ---- */

bool item_decide_kept(struct store_item_write *op, const struct item_kept *kept)
{
    const struct slice fingerprint = {(const char *)op->idempotency.fingerprint,
                                      sizeof op->idempotency.fingerprint};
    assert(op->idempotency.key.ptr && kept->fingerprint.ptr);
    if (kept->used_at <= op->steady - RETENTION_KEY_MS)
        return false;
    op->item = NULL;
    if (!slice_eq(kept->fingerprint, fingerprint)) {
        op->outcome = STORE_KEY_REUSED;
        return true;
    }
    op->outcome = kept->outcome;
    op->item_id = kept->id;
    op->revision = kept->revision;
    op->body = kept->body;
    op->replayed = true;
    return true;
}
