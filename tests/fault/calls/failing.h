// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_TESTS_FAILING_H
#define TASKHOLD_TESTS_FAILING_H

#include <stdbool.h>

/* A test program that is linked with this runs each of its tests again and again: once for each way
 * in which the program under test comes to a call that can fail (an allocation, SQLite's, libpq's,
 * the kernel's), and that call fails once. The test may then fail; the program may not crash, hang,
 * run into one of its asserts, or leave a database that is not sound. */

#define FAILING_PLACE_BYTES 512

enum failing_kind {
    FAILING_MEMORY, /* none is left */
    FAILING_CALL,   /* something else that is not ours says no */
    FAILING_KINDS
};

/* Must this call fail? `name` is the caller's own name for it; `frame` the frame of the function
 * that stands for it. */
bool failing_now(enum failing_kind kind, const char *name, const void *frame);

/* Fails once where the test runs now, and of which kind? */
bool failing_struck(enum failing_kind kind);

/* Is this the first test of the program? */
bool failing_is_first(void);

/* Ends this run: the program under test did what it must not. */
void failing_wrong(const char *what) __attribute__((noreturn));

/* An assert fails, told by the function of that frame. Ends this run without more where a test
 * itself called what asserts: with nothing, because it did not look at what had failed before. */
void failing_assert(const void *frame);

/* The control: memory that is not there is given nevertheless. */
extern bool failing_planted;

/* Memory that is shared with the parent. The test writes here where its database is, and leaves it
 * to the parent; empty: nowhere. */
extern char *failing_place;

/* Of the test program, if it has one: judges what a run has left at `place`, and removes it. NULL
 * or what is wrong. */
const char *failing_judge(const char *place) __attribute__((weak));

/* Where the functions of the program under test begin; those of the tests stand before it. */
void failing_core_begins(void);

#endif
