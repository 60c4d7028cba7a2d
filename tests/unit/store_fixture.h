// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_TESTS_STORE_FIXTURE_H
#define TASKHOLD_TESTS_STORE_FIXTURE_H

#include "store/store.h"

/* One event loop's side of a store, for tests: calls are made as a loop makes them, and waited for.
 */
struct loop {
    const struct store_engine *engine;
    struct store *store;
    struct store_session *session;
    struct inbox *inbox;
    struct arena *arena;
    unsigned running; /* operations begun by loop_begin and not answered */
    unsigned answered;
};

void loop_open(struct loop *loop, const struct store_engine *engine, struct store *store);
void loop_close(struct loop *loop);

/* Makes `op` ready to be given to the engine. */
void loop_begin(struct loop *loop, struct store_op *op);

/* Ends turns until every operation that was begun is answered. Fails the test after 20 s. */
void loop_finish(struct loop *loop);

/* Begins, calls and waits. Evaluates to the result. */
#define LOOP_CALL(loop, call, operation)                                                           \
    (loop_begin((loop), &(operation)->op), (loop)->engine->call(operation), loop_finish(loop),     \
     (operation)->op.result)

/* A task with texts that live as long as the loop, not only while it is answered. */
enum error get_task(struct loop *loop, struct uuid user, struct uuid id, struct task *task);

/* A user with a fresh id; `name` becomes name@example.org. Asserts that it was made. */
struct uuid make_user(struct loop *loop, const char *name);

#define TEST_HASH SLICE("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNo")
/* In 2100: an engine deletes what has expired by the clock of the machine, whenever it is idle. */
#define TEST_NOW INT64_C(4102444800000)

/* A task made at `now`. Asserts that it was made, and returns it; texts are the caller's. */
struct task make_task(struct loop *loop, struct uuid user, const char *title, int64_t now);

/* A write of a task with `verb`, ready but for what the test is about. */
struct store_task_write task_write(enum store_task_verb verb, struct uuid user, struct uuid id,
                                   int64_t now);

/* A login of `user` from address `ip`. */
struct store_session_create session_of(struct uuid user, const char *ip, int64_t now);

#endif
