// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_WAL_BUFFER_H
#define TASKHOLD_STORE_SQLITE_WAL_BUFFER_H

/* A VFS of SQLite for the writer, that hands a commit to the WAL in few writes. SQLite writes the
 * 24 bytes of a frame's head and its page by calls of their own: of a commit of 64 users 150 calls,
 * and a quarter of the writer's time.
 *
 * Bytes that follow each other are kept until the WAL is flushed (xSync), read, cut, measured or
 * closed, or until they are many. So what SQLite takes for flushed is, and what a write could not
 * do is told by the flush that waited for it. Nobody else reads a frame before: with
 * synchronous=FULL a commit is flushed before other connections are told of it.
 *
 * A flush that fails is noted (file_doubt), whoever writes: a server, a migration, a command. */

/* Its name, for sqlite3_open_v2; NULL, for SQLite's own, when it cannot be registered. Any thread.
 */
const char *wal_buffer_vfs(void);

#endif
