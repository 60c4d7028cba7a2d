// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_READERS_H
#define TASKHOLD_STORE_SQLITE_READERS_H

#include "store/store.h"

struct sql_texts;
struct writer;

/* A few threads for reads that no index serves: on a loop they would make everybody wait.
 *
 * Each has a connection of its own. It reads a page of a list into memory, and the loop that asked
 * then gives the rows; other reads it runs as they are. What waits is bounded, for all and for one
 * space; one space never has all threads; and spaces that wait take turns. Who asks a loop for a
 * page that it is waiting for waits with it. A read that takes too long is ended (session.h). */
struct readers;

/* NULL without memory or threads. What it is given outlives it. */
struct readers *readers_create(struct writer *writer, const struct sql_texts *texts,
                               const char *path);

/* Every session must be closed before. */
void readers_destroy(struct readers **readers);

/* Reads the page of `op`, whose revision and total the loop has read and whose `begin` it has run;
 * completes it on its loop. On that loop's thread. ERROR_OVERLOADED at once when too many wait. */
void readers_list(struct readers *readers, struct store_item_list *op);

/* Runs `read` on a reader, with the reader's session in place of the operation's own, and completes
 * `op` on its loop with what it returns. `read` sets outputs of the operation and takes memory from
 * its arena; it calls nothing of it. ERROR_OVERLOADED at once when too many wait. */
typedef int readers_read(struct store_session *session, struct store_op *op);
void readers_run(struct readers *readers, struct store_op *op, const struct uuid *space,
                 readers_read *read);

/* Drops what `session` has here, and waits for what is being read. On the session's thread. */
void readers_forget(struct readers *readers, struct store_session *session);

#endif
