// SPDX-License-Identifier: MIT
#include "store/sqlite/file_watch.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Which file a name leads to. Its times are not asked for: Linux 6.13 and later give a file of
 * which somebody has seen the times a new one at its next write, and where ext4 has no journal
 * every flush of the WAL then writes its inode too, which made a lone write take half as long
 * again. */
static bool find_file(const char *path, struct file_identity *identity)
{
    struct statx found;
    if (!path || statx(AT_FDCWD, path, 0, STATX_INO, &found) != 0)
        return false;
    *identity = (struct file_identity){
        .major = found.stx_dev_major, .minor = found.stx_dev_minor, .inode = found.stx_ino};
    return true;
}

void file_watch_init(struct file_watch *watch, const char *path)
{
    char *wal = NULL;
    assert(path);
    watch->files[0].path = strdup(path);
    watch->files[1].path = asprintf(&wal, "%s-wal", path) < 0 ? NULL : wal;
    for (unsigned i = 0; i < FILE_WATCH_COUNT; i++)
        watch->files[i].known = find_file(watch->files[i].path, &watch->files[i].identity);
}

void file_watch_finish(struct file_watch *watch)
{
    for (unsigned i = 0; i < FILE_WATCH_COUNT; i++)
        free(watch->files[i].path);
}

bool file_watch_is_moved(const struct file_watch *watch)
{
    for (unsigned i = 0; i < FILE_WATCH_COUNT; i++) {
        const struct file_identity *known = &watch->files[i].identity;
        struct file_identity now;
        if (watch->files[i].known &&
            (!find_file(watch->files[i].path, &now) || now.inode != known->inode ||
             now.major != known->major || now.minor != known->minor))
            return true;
    }
    return false;
}
