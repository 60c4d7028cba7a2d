// SPDX-License-Identifier: MIT
#include "store_fixture.h"

#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <setjmp.h>

#include <cmocka.h>

#define WAIT_MOST_MS 20000

void loop_open(struct loop *loop, const struct store_engine *engine, struct store *store)
{
    *loop = (struct loop){.engine = engine, .store = store};
    loop->inbox = inbox_create();
    loop->arena = arena_create((size_t)1 << 22);
    assert_non_null(loop->inbox);
    assert_non_null(loop->arena);
    loop->session = engine->session_open(store, loop->inbox);
    assert_non_null(loop->session);
}

void loop_close(struct loop *loop)
{
    loop->engine->session_close(&loop->session);
    assert_null(loop->session);
    arena_destroy(&loop->arena);
    inbox_destroy(&loop->inbox);
}

static void on_done(struct store_op *op)
{
    struct loop *loop = op->caller;
    loop->running--;
    loop->answered++;
}

void loop_begin(struct loop *loop, struct store_op *op)
{
    *op = (struct store_op){
        .session = loop->session,
        .arena = loop->arena,
        .done = on_done,
        .caller = loop,
        .result = ERROR_COUNT,
    };
    loop->running++;
}

void loop_finish(struct loop *loop)
{
    const struct store_engine *engine = loop->engine;
    const int descriptor = engine->descriptor ? engine->descriptor(loop->session) : -1;
    loop->engine->turn_end(loop->session);
    while (loop->running > 0) {
        struct pollfd ready[] = {{inbox_fd(loop->inbox), POLLIN, 0}, {descriptor, POLLIN, 0}};
        assert_true(poll(ready, 2, WAIT_MOST_MS) > 0);
        if (ready[0].revents)
            (void)inbox_run(loop->inbox);
        if (ready[1].revents)
            loop->engine->ready(loop->session);
        loop->engine->turn_end(loop->session);
    }
}

struct uuid make_user(struct loop *loop, const char *name)
{
    char email[64];
    (void)snprintf(email, sizeof email, "%s@example.org", name);
    struct store_user_create op = {
        .user = {.id = uuid_make_v7(),
                 .email = slice_of(email),
                 .password_hash = TEST_HASH,
                 .created_at = TEST_NOW,
                 .updated_at = TEST_NOW},
    };
    assert_int_equal(LOOP_CALL(loop, user_create, &op), ERROR_NONE);
    return op.user.id;
}

struct store_task_write task_write(enum store_task_verb verb, struct uuid user, struct uuid id,
                                   int64_t now)
{
    return (struct store_task_write){
        .verb = verb,
        .user = user,
        .id = id,
        .change = {.set = TASK_ALL, .title = SLICE("title")},
        .now = now,
        .steady = now,
    };
}

struct task make_task(struct loop *loop, struct uuid user, const char *title, int64_t now)
{
    struct store_task_write op = task_write(STORE_TASK_CREATE, user, uuid_make_v7(), now);
    op.change.title = slice_of(title);
    assert_int_equal(LOOP_CALL(loop, task_write, &op), ERROR_NONE);
    assert_int_equal(op.outcome, STORE_CREATED);
    return op.task;
}

static void on_task(struct store_op *base)
{
    struct store_task_get *op = (struct store_task_get *)base;
    struct task *task = &op->task;
    if (base->result == ERROR_NONE) {
        task->title = arena_copy(base->arena, task->title);
        if (task->description.ptr)
            task->description = arena_copy(base->arena, task->description);
    }
    on_done(base);
}

enum error get_task(struct loop *loop, struct uuid user, struct uuid id, struct task *task)
{
    struct store_task_get op = {.user = user, .id = id};
    loop_begin(loop, &op.op);
    op.op.done = on_task;
    loop->engine->task_get(&op);
    loop_finish(loop);
    *task = op.task;
    return op.op.result;
}

struct store_session_create session_of(struct uuid user, const char *ip, int64_t now)
{
    return (struct store_session_create){
        .session = {.id = uuid_make_v7(),
                    .user = user,
                    .counter = 1,
                    .created_at = now,
                    .last_used_at = now,
                    .expires_at = now + 1000000,
                    .user_agent = SLICE("curl"),
                    .ip = slice_of(ip)},
        .client = slice_of(ip),
        .verified_hash = TEST_HASH,
    };
}
