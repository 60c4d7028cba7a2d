// SPDX-License-Identifier: MIT
/* Kill points: named places at which a test ends the process, at once, as SIGKILL does. They are in
 * a program that is built with -Dpoints=enabled, or for the address sanitizer; in every other,
 * nothing of this file is. */
#ifndef TASKHOLD_BASE_POINT_H
#define TASKHOLD_BASE_POINT_H

#ifdef TASKHOLD_POINTS

#include <stdbool.h>

/* In the code, and in the file that a test shares with the process (see point.c). */
#define POINTS(X)                                                                                  \
    X(HTTP_BEFORE_ANSWER, "http-before-answer")                                                    \
    X(HTTP_AFTER_ANSWER, "http-after-answer")                                                      \
    X(ROTATION_BEFORE_ANSWER, "rotation-before-answer")                                            \
    X(SECRET_WRITTEN, "secret-written")                                                            \
    X(SECRET_NAMED, "secret-named")                                                                \
    X(SQLITE_BEFORE_BEGIN, "sqlite-before-begin")                                                  \
    X(SQLITE_AFTER_BEGIN, "sqlite-after-begin")                                                    \
    X(SQLITE_BETWEEN_OPERATIONS, "sqlite-between-operations")                                      \
    X(SQLITE_BEFORE_COMMIT, "sqlite-before-commit")                                                \
    X(SQLITE_COMMIT_WRITTEN, "sqlite-commit-written") /* and not flushed */                        \
    X(SQLITE_COMMIT_FLUSHED, "sqlite-commit-flushed") /* and COMMIT has not returned */            \
    X(SQLITE_AFTER_COMMIT, "sqlite-after-commit")                                                  \
    X(SQLITE_BEFORE_ANSWER, "sqlite-before-answer") /* to a loop */                                \
    X(SQLITE_AFTER_ANSWER, "sqlite-after-answer")                                                  \
    X(SQLITE_ROTATION, "sqlite-rotation") /* the session is changed, and not committed */          \
    X(SQLITE_PURGE, "sqlite-purge")       /* the same of what expired or was deleted */            \
    X(SQLITE_BEFORE_CHECKPOINT, "sqlite-before-checkpoint")                                        \
    X(SQLITE_CHECKPOINT_PAGE, "sqlite-checkpoint-page") /* before each that is moved */            \
    X(SQLITE_AFTER_CHECKPOINT, "sqlite-after-checkpoint")                                          \
    X(SQLITE_BEFORE_TRUNCATE, "sqlite-before-truncate") /* all is moved, the WAL is whole */       \
    X(SQLITE_AFTER_TRUNCATE, "sqlite-after-truncate")                                              \
    X(SQLITE_START_CHECKPOINT, "sqlite-start-checkpoint")                                          \
    X(SQLITE_STARTED_CHECKPOINT, "sqlite-started-checkpoint") /* it has ended */                   \
    X(SQLITE_MIGRATION_BEGIN, "sqlite-migration-begin")                                            \
    X(SQLITE_MIGRATION_STATEMENT, "sqlite-migration-statement")                                    \
    X(SQLITE_MIGRATION_COMMIT, "sqlite-migration-commit") /* before it */                          \
    X(SQLITE_MIGRATION_STEP, "sqlite-migration-step")     /* after it */                           \
    X(POSTGRES_BEFORE_BEGIN, "postgres-before-begin")                                              \
    X(POSTGRES_BETWEEN_OPERATIONS, "postgres-between-operations")                                  \
    X(POSTGRES_BETWEEN_ROUNDS, "postgres-between-rounds")                                          \
    X(POSTGRES_BEFORE_COMMIT, "postgres-before-commit")                                            \
    X(POSTGRES_COMMIT_SENT, "postgres-commit-sent")                                                \
    X(POSTGRES_AFTER_COMMIT, "postgres-after-commit")                                              \
    X(POSTGRES_ROTATION, "postgres-rotation")                                                      \
    X(POSTGRES_MIGRATION_BEGIN, "postgres-migration-begin")                                        \
    X(POSTGRES_MIGRATION_SCRIPT, "postgres-migration-script") /* it has run */                     \
    X(POSTGRES_MIGRATION_COMMIT, "postgres-migration-commit") /* before it */                      \
    X(POSTGRES_MIGRATION_STEP, "postgres-migration-step")     /* after it */

#define POINT_ENUM(name, text) POINT_##name,
enum point { POINTS(POINT_ENUM) POINT_COUNT };
#undef POINT_ENUM

void point_reach(enum point point);

/* Whether this thread moves pages of the WAL, which is read for other reasons too. */
extern _Thread_local bool point_checkpoints;

/* How many pages of the WAL are waited for: those that TASKHOLD_POINT_PAGES says, so that a test
 * need not write so much, or the usual ones. */
int point_pages(int usual);

#define POINT(name)             point_reach(POINT_##name)
#define POINT_PAGES(usual)      point_pages(usual)
#define POINT_CHECKPOINTS(does) (point_checkpoints = (does))
#define POINT_IN_CHECKPOINT(name)                                                                  \
    do {                                                                                           \
        if (point_checkpoints)                                                                     \
            POINT(name);                                                                           \
    } while (0)

#else

#define POINT(name)               ((void)0)
#define POINT_PAGES(usual)        (usual)
#define POINT_CHECKPOINTS(does)   ((void)0)
#define POINT_IN_CHECKPOINT(name) ((void)0)

#endif
#endif
