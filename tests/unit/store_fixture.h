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

#define TEST_HASH SLICE("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNo")
/* In 2100: an engine deletes what has expired by the clock of the machine, whenever it is idle. */
#define TEST_NOW INT64_C(4102444800000)

/* A user with a fresh id, and with it a space; `name` becomes name@example.org. Asserts that it was
 * made. */
struct uuid make_user(struct loop *loop, const char *name);

/* A login of `user` from address `ip`. */
struct store_session_create session_of(struct uuid user, const char *ip, int64_t now);

/* ---- items ---- */

/* What the items of the tests are: tasks, unless somebody sets another resource. */
extern const struct resource *fixture_resource;

/* The members of one that may have any value, whatever else there is. */
unsigned fixture_settable(void);

#define FIXTURE_ITEM_MOST 512 /* bytes of the struct of any resource */

struct fixture_item {
    _Alignas(max_align_t) char bytes[FIXTURE_ITEM_MOST];
};

/* Sets every member that a client sets to one of a few values, by the number; null is among them
 * where a member may be. Equal numbers give equal items; 0 and 1 differ in every member. Texts live
 * for ever. */
void sample_item(void *item, unsigned number);

/* The member in which the tests put what is large: the longest text. */
const struct field *long_text(void);

/* A write with room for its values; `op.values` is set when it is begun. */
struct write {
    struct store_item_write op;
    struct fixture_item values;
};

/* A write of all members, as sample 0 has them, ready but for what the test is about. */
struct write write_of(enum store_verb verb, struct uuid space, struct uuid id, int64_t now);

/* The same of one member alone, with the value of a sample. */
struct write patch_of(struct uuid space, struct uuid id, const struct field *field, unsigned number,
                      int64_t now);

/* The first member that a client sets. */
const struct field *first_member(void);

void write_begin(struct loop *loop, struct write *write);

/* Begins and waits. */
enum error write_run(struct loop *loop, struct write *write);

/* The same of one that must not fail. */
enum store_outcome write_outcome(struct loop *loop, struct write *write);

static inline const struct item *written_item(const struct write *write)
{
    return write->op.item;
}

/* What the database has under the id is what `write` answered. */
void assert_written(struct loop *loop, const struct write *write);

/* An item made at `now` from a sample. Asserts that it was made. */
struct item make_item(struct loop *loop, struct uuid space, unsigned number, int64_t now);

/* An item that lives as long as the arena of the loop, not only while it is answered. */
enum error get_item(struct loop *loop, struct uuid space, struct uuid id, const void **item);

#endif
