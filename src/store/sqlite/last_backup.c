// SPDX-License-Identifier: MIT
#include "store/sqlite/last_backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/slice.h"
#include "store/sqlite/file.h"

#define LINE_MOST 64

/* Neither a link nor a pipe is followed or waited for. */
#define FLAGS (O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK)

static int open_beside(const char *path, int flags)
{
    char *name = NULL;
    if (asprintf(&name, "%s" BESIDE_LAST_BACKUP, path) < 0) {
        errno = ENOMEM;
        return -1;
    }
    const int fd = open(name, flags | FLAGS, 0600);
    free(name);
    return fd;
}

/* The line has always the same length and is written over in one call: who reads meanwhile reads
 * the old one or the new one. */
static bool write_line(int fd, int64_t when_ms)
{
    char line[LINE_MOST];
    char day[32];
    struct tm utc;
    struct stat status;
    const time_t seconds = (time_t)(when_ms / 1000);
    if (fstat(fd, &status) != 0)
        return false;
    if (!S_ISREG(status.st_mode) || status.st_nlink != 1 || !gmtime_r(&seconds, &utc) ||
        strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0) {
        errno = EINVAL;
        return false;
    }
    const int len = snprintf(line, sizeof line, "%010lld %s\n", (long long)seconds, day);
    errno = ENOSPC; /* of a write that was cut short */
    return pwrite(fd, line, (size_t)len, 0) == len && ftruncate(fd, len) == 0 && fsync(fd) == 0;
}

bool last_backup_note(const char *path, int64_t when_ms, char *why, size_t why_size)
{
    const int fd = open_beside(path, O_WRONLY | O_CREAT);
    const bool noted = fd >= 0 && write_line(fd, when_ms);
    if (!noted)
        (void)snprintf(why, why_size, "cannot note the time in %s" BESIDE_LAST_BACKUP ": %s", path,
                       strerror(errno));
    else
        file_hand_over(fd, path);
    if (fd >= 0)
        close(fd);
    return noted;
}

int64_t last_backup_read(const char *path)
{
    char line[LINE_MOST];
    uint64_t seconds = 0;
    const int fd = open_beside(path, O_RDONLY);
    const ssize_t len = fd >= 0 ? read(fd, line, sizeof line) : -1;
    struct slice rest = {line, len > 0 ? (size_t)len : 0};
    if (fd >= 0)
        close(fd);
    return slice_to_u64(slice_next(&rest, ' '), INT64_MAX / 1000, &seconds) ? (int64_t)seconds : 0;
}
