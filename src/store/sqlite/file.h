// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_FILE_H
#define TASKHOLD_STORE_SQLITE_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Where the database lies, and the lock that keeps a second process out. */
struct file {
    char *path; /* absolute, symbolic links resolved */
    int lock;   /* descriptor of `path`.lock */
    bool made;  /* there was no file, and nobody else has written to it since */
};

/* PATH of `sqlite:PATH`, a part of `url`; NULL: it makes no sense. */
const char *file_named(const char *url);

/* Whether `sqlite:PATH` names a file that can be one; false: one line in `why`. */
bool file_judge(const char *url, char *why, size_t why_size);

/* Reads `sqlite:PATH`, makes the directory (0700) and the file (0600) where they are missing, takes
 * the lock, and refuses network file systems, on which neither locks nor shared memory can be
 * relied on. Must run before SQLite opens the file: closing a descriptor of it later would drop
 * SQLite's own locks. Returns false with one line in `why`. */
bool file_claim(struct file *file, const char *url, char *why, size_t why_size);

/* Flushes the directory of `path`, so that the names made in it survive a loss of power. */
bool file_sync_directory(const char *path);

/* Removes a database that file_claim made and that its caller could not fill, with what SQLite put
 * beside it; never one that was there before. No connection may be open. */
void file_forget(const struct file *file);

/* Removes what SQLite puts beside the database `path`. False: see errno. No connection may be open.
 */
bool file_remove_beside(const char *path);

/* The process that holds the lock of the database `path`: its id, -1 when there is one that cannot
 * be seen from here, 0 when there is none. Asked of the kernel, because to try the lock could get
 * in the way of a server that starts. */
int file_holder(const char *path);

/* Gives the lock back. The lock file stays: whoever removed it could let two processes in. */
void file_release(struct file *file);

/* A flush of the database at `path` failed: what the kernel holds of it in memory may not be on the
 * disk, though the kernel calls it written. That is noted in the lock file, unflushed, so the note
 * lasts as long as that memory does. `doubt` false: all of it has been written again. */
void file_doubt(const char *path, bool doubt);

/* Whether that is noted; true too where there is no memory to look. */
bool file_is_doubtful(const char *path);

/* Where the database of `sqlite:PATH` lies, absolute; makes nothing and takes no lock. To be freed.
 * NULL with one line in `why`: there is none. */
char *file_find(const char *url, char *why, size_t why_size);

/* For a file that the caller has just made. When root runs a command, the file gets the owner and
 * group of `like`, the database or its directory, so that the server, which runs as somebody else,
 * can use it. Where that is not allowed the file stays root's. */
void file_hand_over(int fd, const char *like);

/* Renames within one directory, and flushes that. An existing `to` is EEXIST unless `replace`.
 * False: see errno. */
bool file_move(const char *from, const char *to, bool replace);

/* ---- the files of a database and those of commands ---- */

/* No command takes a file of the database for the FILE that it writes or reads: the server would go
 * on in a file without a name, and what it acknowledges would be lost. A file is known by its
 * device and inode, so under every link and mount, and by its folder and name, so also while it is
 * not there. */

/* Is `target`, or what is open as `fd` and only called so, the database of `url` or one that stands
 * beside it? Then one line is in `why`. `fd` -1: it is not open. A `url` of another engine has no
 * files. */
bool file_refuse_own(const char *url, const char *target, int fd, char *why, size_t why_size);

/* ---- what it lies on ---- */

enum file_system {
    FILE_SYSTEM_GOOD,
    FILE_SYSTEM_MEMORY,  /* forgets all when the machine restarts, or sooner */
    FILE_SYSTEM_FUSE,    /* as good as the program behind it */
    FILE_SYSTEM_NETWORK, /* neither locks nor shared memory can be relied on */
};

/* `path`: a file or a folder on it. `*name`: what it is called. What cannot be told is good. */
enum file_system file_system_of(const char *path, const char **name);

/* Whether the operator takes the risk of a network file system (ALLOW_NETWORK_FILESYSTEM=1 in the
 * environment): one that a single machine uses, such as 9P of a virtual machine, may do well. */
bool file_system_risk_taken(void);

#endif
