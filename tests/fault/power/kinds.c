// SPDX-License-Identifier: MIT
#include "kinds.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/task_list.h"

#define GROUP 6
#define BATCH 12

uint64_t world_below(struct world *w, uint64_t most)
{
    return disk_random(&w->seed) % most;
}

/* Like one that the server makes at `now`. */
static struct uuid new_id(struct world *w)
{
    struct uuid id;
    const uint64_t numbers[] = {disk_random(&w->seed), disk_random(&w->seed)};
    memcpy(id.bytes, numbers, sizeof id.bytes);
    for (int i = 0; i < 6; i++)
        id.bytes[i] = (uint8_t)(w->now >> (8 * (5 - i)));
    id.bytes[6] = (uint8_t)(0x70 | (id.bytes[6] & 15));
    id.bytes[8] = (uint8_t)(0x80 | (id.bytes[8] & 63));
    return id;
}

static unsigned bit(const char *name)
{
    return resource_field(&task_resource, slice_of(name))->bit;
}

static struct task *task_of(struct write *write)
{
    return (struct task *)(void *)write->values.bytes;
}

/* One of a person's; one that is there, mostly. */
static struct thing *any(struct world *w, struct thing *things)
{
    struct thing *thing = &things[world_below(w, THINGS)];
    for (unsigned i = 0; i < THINGS && thing->revision == 0; i++)
        thing = &things[world_below(w, THINGS)];
    return thing;
}

static struct uuid any_session(struct world *w)
{
    return w->who->sessions[world_below(w, SESSIONS)];
}

/* Until as many more are made as a step may have at a time. */
static struct slice words(struct world *w, const char *what)
{
    char *text = w->words[w->next_words++ % WORDS];
    const int len = snprintf(text, WORDS_LEN, "%s of step %u, %llx", what, w->number,
                             (unsigned long long)disk_random(&w->seed));
    assert(len > 0 && len < WORDS_LEN);
    return (struct slice){text, (size_t)len};
}

static struct write task_write(struct world *w, enum store_verb verb, struct uuid id)
{
    struct write write = write_of(verb, w->who->id, id, w->now);
    sample_item(&write.values, (unsigned)world_below(w, 20));
    task_of(&write)->title = words(w, "Task");
    return write;
}

/* Runs it and remembers what it wrote. */
static void run_write(struct world *w, struct write *write)
{
    struct thing *things = write->op.resource == &task_resource ? w->who->tasks : w->who->lists;
    struct thing *thing = &things[world_below(w, THINGS)];
    const enum error result = write_run(&w->loop, write);
    if (result == ERROR_UNAVAILABLE || result == ERROR_INTERNAL_ERROR) {
        (void)fprintf(stderr, "power: step %u, %s: error %d\n", w->number,
                      kinds[w->mark->kind].name, (int)result);
        abort();
    }
    if (result == ERROR_NONE && write->op.outcome == STORE_CREATED)
        *thing = (struct thing){write->op.item_id, write->op.revision};
    for (unsigned i = 0; result == ERROR_NONE && i < THINGS; i++) {
        if (uuid_eq(w->who->tasks[i].id, write->op.id))
            w->who->tasks[i].revision = write->op.revision;
    }
}

/* ---- the kinds ---- */

static void do_register(struct world *w)
{
    struct person *person = w->people;
    char email[64];
    (void)snprintf(email, sizeof email, "u%u@example.org", w->number);
    while (person->there && person < &w->people[USERS - 1])
        person++;
    struct store_user_create op = {.user = {.id = new_id(w),
                                            .email = slice_of(email),
                                            .password_hash = TEST_HASH,
                                            .created_at = w->now,
                                            .updated_at = w->now}};
    if (LOOP_CALL(&w->loop, user_create, &op) == ERROR_NONE && !person->there)
        *person = (struct person){.id = op.user.id, .there = true};
}

static void do_login(struct world *w)
{
    char ip[32];
    (void)snprintf(ip, sizeof ip, "10.0.0.%u", (unsigned)world_below(w, 200));
    struct store_session_create op = session_of(w->who->id, ip, w->now);
    op.session.id = new_id(w);
    op.session.expires_at = w->now + INT64_C(86400000);
    if (LOOP_CALL(&w->loop, session_create, &op) == ERROR_NONE)
        w->who->sessions[world_below(w, SESSIONS)] = op.session.id;
}

static void do_refresh(struct world *w)
{
    struct store_session_refresh op = {.id = any_session(w),
                                       .counter = 1 + (int64_t)world_below(w, 3),
                                       .now = w->now,
                                       .ttl_ms = 86400000,
                                       .lifetime_ms = 864000000,
                                       .grace_ms = 10000};
    (void)LOOP_CALL(&w->loop, session_refresh, &op);
}

static void do_logout(struct world *w)
{
    struct store_session_end op = {
        .user = w->who->id, .id = any_session(w), .others = world_below(w, 8) == 0};
    (void)LOOP_CALL(&w->loop, session_end, &op);
}

static void do_create(struct world *w)
{
    char key[32];
    struct write write = task_write(w, STORE_CREATE, new_id(w));
    (void)snprintf(key, sizeof key, "key-%u", w->number);
    w->mark->keyed = world_below(w, 4) > 0;
    w->mark->space = w->who->id;
    w->mark->id = write.op.id;
    if (w->mark->keyed)
        write.op.idempotency.key = slice_of(key);
    run_write(w, &write);
}

/* PUT: of a new one under an id of the client's, or of one that is there. */
static void do_put(struct world *w)
{
    struct write write = task_write(w, STORE_REPLACE, any(w, w->who->tasks)->id);
    if (world_below(w, 2) == 0) {
        const uint64_t numbers[] = {disk_random(&w->seed), disk_random(&w->seed)};
        memcpy(write.op.id.bytes, numbers, sizeof write.op.id.bytes);
    }
    run_write(w, &write);
}

static void do_patch(struct world *w)
{
    struct write write = task_write(w, STORE_UPDATE, any(w, w->who->tasks)->id);
    write.op.set = world_below(w, 2) ? bit("title") : bit("title") | bit("status") | bit("labels");
    run_write(w, &write);
}

static void do_delete(struct world *w)
{
    struct write write = task_write(w, STORE_DELETE, any(w, w->who->tasks)->id);
    run_write(w, &write);
}

static void do_move(struct world *w)
{
    struct write write = task_write(w, STORE_MOVE, any(w, w->who->tasks)->id);
    write.op.set = 0;
    write.op.place =
        (struct store_place){(enum store_place_kind)world_below(w, 4), any(w, w->who->tasks)->id};
    run_write(w, &write);
}

static void do_child(struct world *w)
{
    struct write write = task_write(w, STORE_CREATE, new_id(w));
    task_of(&write)->parent_id = any(w, w->who->tasks)->id;
    task_of(&write)->list_id = world_below(w, 2) ? any(w, w->who->lists)->id : (struct uuid){{0}};
    write.op.set |= bit("parent_id") | bit("list_id");
    run_write(w, &write);
}

static void do_list(struct world *w)
{
    const bool removal = world_below(w, 3) == 0;
    const struct uuid id = removal ? any(w, w->who->lists)->id : new_id(w);
    struct write write = task_write(w, removal ? STORE_DELETE : STORE_CREATE, id);
    struct task_list *list = (struct task_list *)(void *)write.values.bytes;
    write.op.resource = &list_resource;
    write.op.tasks = world_below(w, 2) ? STORE_TASKS_DELETE : STORE_TASKS_TO_INBOX;
    if (!removal) {
        resource_clear(&list_resource, list);
        list->name = words(w, "List");
        write.op.set = resource_settable(&list_resource);
    }
    run_write(w, &write);
}

static void do_series(struct world *w)
{
    struct write write = task_write(w, STORE_CREATE, new_id(w));
    task_of(&write)->recurrence = SLICE("FREQ=DAILY");
    task_of(&write)->due = 2 * w->now;
    task_of(&write)->status = TASK_PENDING;
    write.op.set |= bit("recurrence") | bit("due") | bit("status");
    run_write(w, &write);
}

/* Of a task in a series the next one comes with it. */
static void do_complete(struct world *w)
{
    struct write write = task_write(w, STORE_UPDATE, any(w, w->who->tasks)->id);
    write.op.set = bit("status");
    task_of(&write)->status = TASK_COMPLETED;
    run_write(w, &write);
}

static void of_trash(struct world *w, enum store_verb verb)
{
    struct write write = task_write(w, verb, any(w, w->who->tasks)->id);
    run_write(w, &write);
}

static void do_restore(struct world *w)
{
    of_trash(w, STORE_RESTORE);
}

static void do_purge(struct world *w)
{
    of_trash(w, STORE_PURGE);
}

static void do_empty(struct world *w)
{
    of_trash(w, STORE_EMPTY);
}

static void do_undo(struct world *w)
{
    const struct thing *thing = any(w, w->who->tasks);
    struct write write = task_write(w, STORE_UNDO, thing->id);
    write.op.undo = thing->revision > 0 ? thing->revision : 1;
    run_write(w, &write);
}

static void do_relabel(struct world *w)
{
    struct write write = task_write(w, STORE_RELABEL, new_id(w));
    write.op.label.from = SLICE("a");
    if (world_below(w, 2))
        write.op.label.to = SLICE("b");
    (void)write_run(&w->loop, &write);
}

static void do_profile(struct world *w)
{
    struct store_user_set_profile op = {
        .id = w->who->id, .sets_name = true, .name = words(w, "Ann"), .now = w->now};
    (void)LOOP_CALL(&w->loop, user_set_profile, &op);
}

static void do_password(struct world *w)
{
    struct store_user_set_password op = {.id = w->who->id,
                                         .verified_hash = TEST_HASH,
                                         .hash = TEST_HASH,
                                         .keep = any_session(w),
                                         .now = w->now};
    (void)LOOP_CALL(&w->loop, user_set_password, &op);
}

static void do_token(struct world *w)
{
    uint8_t hash[STORE_SCRIPT_TOKEN_HASH_LEN];
    for (size_t i = 0; i < sizeof hash; i++)
        hash[i] = (uint8_t)disk_random(&w->seed);
    struct uuid *token = &w->who->tokens[world_below(w, SESSIONS)];
    if (world_below(w, 3) == 0) {
        struct store_script_token_end end = {.user = w->who->id, .id = *token};
        (void)LOOP_CALL(&w->loop, script_token_end, &end);
        return;
    }
    struct store_script_token_create op = {.token = {.id = new_id(w),
                                                     .user = w->who->id,
                                                     .scopes = 1,
                                                     .created_at = w->now,
                                                     .name = SLICE("script")},
                                           .hash = hash,
                                           .verified_hash = TEST_HASH};
    if (LOOP_CALL(&w->loop, script_token_create, &op) == ERROR_NONE)
        *token = op.token.id;
}

static void do_invite(struct world *w)
{
    struct store_invitation_create op = {.now = w->now, .expires_at = w->now + 86400000};
    for (size_t i = 0; i < sizeof op.hash; i++)
        op.hash[i] = (uint8_t)disk_random(&w->seed);
    (void)LOOP_CALL(&w->loop, invitation_create, &op);
}

/* Several users in one turn: one commit. */
static void do_group(struct world *w)
{
    static struct write writes[GROUP];
    static char titles[GROUP][64];
    for (unsigned i = 0; i < GROUP; i++) {
        w->who = &w->people[i % USERS];
        writes[i] = task_write(w, STORE_CREATE, new_id(w));
        (void)snprintf(titles[i], sizeof titles[i], "Group %u of step %u", i, w->number);
        task_of(&writes[i])->title = slice_of(titles[i]);
        if (w->who->there)
            write_begin(&w->loop, &writes[i]);
    }
    loop_finish(&w->loop);
}

/* More than a buffer of the WAL holds, now and then. */
static void do_large(struct world *w)
{
    static const char character[] = "\xf0\x9f\x98\x80";
    struct write write = task_write(w, STORE_CREATE, new_id(w));
    const size_t count = 2000 + world_below(w, TASK_DESCRIPTION_MOST - 2000);
    task_of(&write)->title = SLICE("Large");
    for (size_t i = 0; i < count; i++)
        memcpy(w->text + 4 * i, character, 4);
    const struct field_value value = {.bytes = {w->text, 4 * count}};
    const bool set = field_set(long_text(), &write.values, &value);
    assert(set);
    (void)set;
    run_write(w, &write);
}

static void do_govern(struct world *w)
{
    struct store_user_govern op = {.verb =
                                       world_below(w, 2) ? STORE_USER_DISABLE : STORE_USER_ENABLE,
                                   .id = w->who->id,
                                   .now = w->now};
    (void)LOOP_CALL(&w->loop, user_govern, &op);
}

static void do_erase(struct world *w)
{
    struct store_user_delete op = {.id = w->who->id, .verified_hash = TEST_HASH};
    if (LOOP_CALL(&w->loop, user_delete, &op) == ERROR_NONE)
        *w->who = (struct person){.there = false};
}

static bool on_judged(struct store_batch *op, unsigned at)
{
    (void)op;
    (void)at;
    return true;
}

static void on_begin(struct store_batch *op)
{
    (void)op;
}

static struct slice on_answer(struct store_batch *op)
{
    return arena_copy(op->op.arena, SLICE("{\"done\":true}"));
}

static struct store_batch batch_of(struct world *w)
{
    return (struct store_batch){.space = w->who->id,
                                .actor = w->who->id,
                                .now = w->now,
                                .steady = w->now,
                                .begin = on_begin,
                                .judged = on_judged,
                                .answer = on_answer};
}

static void do_batch(struct world *w)
{
    static const enum store_verb verbs[] = {STORE_CREATE, STORE_REPLACE, STORE_UPDATE,
                                            STORE_DELETE, STORE_MOVE,    STORE_CREATE};
    static struct write writes[BATCH];
    static struct store_item_write list[BATCH];
    char key[32];
    struct store_batch op = batch_of(w);
    op.atomic = world_below(w, 2) == 0;
    op.writes = list;
    op.count = BATCH;
    (void)snprintf(key, sizeof key, "batch-%u", w->number);
    op.idempotency.key = slice_of(key);
    for (unsigned i = 0; i < BATCH; i++) {
        const enum store_verb verb = op.atomic ? STORE_CREATE : verbs[world_below(w, 6)];
        const struct uuid id = verb == STORE_CREATE ? new_id(w) : any(w, w->who->tasks)->id;
        writes[i] = task_write(w, verb, id);
        list[i] = writes[i].op;
        list[i].values = verb == STORE_DELETE ? NULL : &writes[i].values;
        if (verb == STORE_CREATE)
            w->who->tasks[world_below(w, THINGS)] = (struct thing){id, 1};
    }
    (void)LOOP_CALL(&w->loop, batch_write, &op);
}

static void do_filter(struct world *w)
{
    struct write values = task_write(w, STORE_UPDATE, w->who->id);
    struct store_filter filter = {
        .list = {.resource = &task_resource,
                 .terms = {{.field = resource_field(&task_resource, SLICE("priority")),
                            .choices = UINT64_C(1) << world_below(w, TASK_PRIORITY_COUNT)}},
                 .term_count = 1},
        .verb = world_below(w, 3) ? STORE_UPDATE : STORE_DELETE,
        .most = 1000};
    if (filter.verb == STORE_UPDATE) {
        filter.values = &values.values;
        filter.set = bit("title");
    }
    struct store_batch op = batch_of(w);
    op.filter = &filter;
    (void)LOOP_CALL(&w->loop, batch_write, &op);
}

void world_open(struct world *w)
{
    char why[512] = "";
    w->store = script_open(w->folder, &w->loop, why, sizeof why);
    if (w->store)
        return;
    /* A flush has failed, or something is wrong. */
    (void)fprintf(stderr, "power: %s\n", why);
    _exit(SCRIPT_NOT_OPENED);
}

void world_reopen(struct world *w)
{
    script_close(&w->loop, &w->store);
    world_open(w);
}

const struct kind kinds[] = {
    {"register", do_register, 2}, {"login", do_login, 2},     {"refresh", do_refresh, 2},
    {"logout", do_logout, 1},     {"create", do_create, 5},   {"put", do_put, 3},
    {"patch", do_patch, 4},       {"delete", do_delete, 3},   {"move", do_move, 2},
    {"child", do_child, 3},       {"list", do_list, 2},       {"series", do_series, 3},
    {"restore", do_restore, 2},   {"purge", do_purge, 1},     {"undo", do_undo, 2},
    {"relabel", do_relabel, 1},   {"profile", do_profile, 1}, {"password", do_password, 1},
    {"token", do_token, 1},       {"invite", do_invite, 1},   {"group", do_group, 2},
    {"large", do_large, 2},       {"govern", do_govern, 1},   {"erase", do_erase, 1},
    {"batch", do_batch, 3},       {"filter", do_filter, 1},   {"reopen", world_reopen, 1},
    {"complete", do_complete, 3}, {"empty", do_empty, 1},
};
const unsigned kind_count = sizeof kinds / sizeof kinds[0];
