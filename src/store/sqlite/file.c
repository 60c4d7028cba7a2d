// SPDX-License-Identifier: MIT
#include "store/sqlite/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/disk.h"

#define PATH_BYTES_MOST 4000

static const char *const ends[] = {
    /* the database itself first */
    "",          BESIDE_WAL,    BESIDE_SHM,     BESIDE_JOURNAL,
    BESIDE_LOCK, BESIDE_SECRET, BESIDE_CONTROL, BESIDE_LAST_BACKUP,
};

#define END_COUNT (sizeof ends / sizeof ends[0])

/* `errno` says why. */
static bool fail(char *why, size_t why_size, const char *what, const char *path)
{
    (void)snprintf(why, why_size, "%s %s: %s", what, path, strerror(errno));
    return false;
}

/* A file that SQLite or we keep beside a database is none itself: it would be written over, or
 * taken for what it is called. */
static bool refuse_beside(const char *path, char *why, size_t why_size)
{
    const size_t len = strlen(path);
    for (size_t i = 1; i < END_COUNT; i++) {
        const size_t end = strlen(ends[i]);
        if (len > end && path[len - end - 1] != '/' && strcmp(path + len - end, ends[i]) == 0) {
            (void)snprintf(why, why_size,
                           "%s is a file of the database %.*s by its name: name the database", path,
                           (int)(len - end), path);
            return true;
        }
    }
    return false;
}

/* The path in the URL, or NULL with a reason. */
static const char *path_of(const char *url, char *why, size_t why_size)
{
    const char *path = url + strlen("sqlite:");
    const char *wrong = NULL;
    if (strcmp(path, ":memory:") == 0)
        wrong = "a database in memory would lose every task; name a file instead of";
    else if (strncmp(path, "//", 2) == 0 && path[2] != '/')
        wrong = "write sqlite:PATH or sqlite:///ABSOLUTE/PATH instead of";
    else if (strchr(path, '?')) /* others' parameters; a file of that name is nobody's wish */
        wrong = "no parameters go after a file; leave out everything from the ? in";
    path += strncmp(path, "//", 2) == 0 ? 2 : 0;
    const size_t len = strlen(path);
    if (!wrong && (len == 0 || path[len - 1] == '/' || len > PATH_BYTES_MOST))
        wrong = "there is no file name in";
    if (wrong)
        (void)snprintf(why, why_size, "%s %s", wrong, url);
    return wrong ? NULL : path;
}

/* Makes `directory` and what is missing above it; each new name is flushed to disk. */
static bool make_directory(const char *directory)
{
    struct stat status;
    if (stat(directory, &status) == 0) {
        errno = ENOTDIR;
        return S_ISDIR(status.st_mode);
    }
    if (errno != ENOENT)
        return false;
    char *parent = disk_folder_of(directory);
    bool made = parent && make_directory(parent) &&
                (mkdir(directory, 0700) == 0 || errno == EEXIST) && disk_flush(parent);
    free(parent);
    return made;
}

/* Opens a file, or makes it; a new one follows `like` in its owner. Only a file that this call made
 * is handed over: a link that lay there already could lead to any file of root's. */
static int open_or_make(const char *path, int flags, const char *like)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | flags, 0600);
    if (fd >= 0)
        file_hand_over(fd, like);
    else if (errno == EEXIST)
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | flags, 0600);
    return fd;
}

/* The file itself, so that SQLite finds it with the right mode and owner and gives both to its
 * helpers. */
static bool make_file(const char *path, const char *directory, bool *made)
{
    struct stat status;
    *made = access(path, F_OK) != 0;
    int fd = open_or_make(path, O_NOCTTY, directory);
    if (fd < 0)
        return false;
    bool good = fstat(fd, &status) == 0;
    if (good && !S_ISREG(status.st_mode)) {
        errno = EINVAL;
        good = false;
    }
    if (good && (status.st_mode & 077) != 0)
        good = fchmod(fd, 0600) == 0;
    const int cause = errno;
    close(fd);
    errno = cause; /* of what failed before */
    return good;
}

/* ---- what it lies on ---- */

/* The numbers of statfs(2). */
static const struct {
    unsigned long magic;
    const char *name;
    enum file_system kind;
} known[] = {
    {0x01021994, "tmpfs", FILE_SYSTEM_MEMORY}, {0x858458f6, "ramfs", FILE_SYSTEM_MEMORY},
    {0x65735546, "FUSE", FILE_SYSTEM_FUSE},    {0x6969, "NFS", FILE_SYSTEM_NETWORK},
    {0x517b, "SMB", FILE_SYSTEM_NETWORK},      {0xfe534d42, "SMB 2", FILE_SYSTEM_NETWORK},
    {0xff534d42, "CIFS", FILE_SYSTEM_NETWORK}, {0x5346414f, "AFS", FILE_SYSTEM_NETWORK},
    {0x73757245, "Coda", FILE_SYSTEM_NETWORK}, {0x00c36400, "Ceph", FILE_SYSTEM_NETWORK},
    {0x01021997, "9P", FILE_SYSTEM_NETWORK},   {0x0bd00bd0, "Lustre", FILE_SYSTEM_NETWORK},
    {0x01161970, "GFS2", FILE_SYSTEM_NETWORK}, {0x7461636f, "OCFS2", FILE_SYSTEM_NETWORK},
};

enum file_system file_system_of(const char *path, const char **name)
{
    assert(path && name);
    struct statfs status;
    *name = "a file system";
    if (statfs(path, &status) != 0)
        return FILE_SYSTEM_GOOD;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (((unsigned long)status.f_type & 0xffffffff) == known[i].magic) {
            *name = known[i].name;
            return known[i].kind;
        }
    }
    return FILE_SYSTEM_GOOD;
}

bool file_system_risk_taken(void)
{
    const char *allowed = getenv("ALLOW_NETWORK_FILESYSTEM");
    return allowed && strcmp(allowed, "1") == 0;
}

/* ---- the claim ---- */

/* Says what to do instead. */
static bool refuse_network(const char *directory, const char *path, char *why, size_t why_size)
{
    const char *name = NULL;
    if (file_system_of(directory, &name) != FILE_SYSTEM_NETWORK || file_system_risk_taken())
        return false;
    (void)snprintf(why, why_size,
                   "%s lies on %s, and a network file system cannot hold a SQLite database: put it "
                   "on a local disk, or use postgres://; where one machine alone uses it and its "
                   "locks hold, ALLOW_NETWORK_FILESYSTEM=1 takes the risk",
                   path, name);
    return true;
}

/* Its other name may be that of a lock file, which looks the same and is another database's. */
static bool refuse_alias(const char *path, char *why, size_t why_size)
{
    struct stat status;
    const bool alias = stat(path, &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 0 &&
                       status.st_nlink > 1;
    if (alias)
        (void)snprintf(why, why_size,
                       "%s is an empty file that has another name too (a hard link): it may be "
                       "what another database is locked by; name a new file",
                       path);
    return alias;
}

int file_holder(const char *path)
{
    assert(path && *path);
    char wanted[32];
    char line[256];
    struct stat status;
    int holder = 0;
    char *name = NULL;
    if (asprintf(&name, "%s" BESIDE_LOCK, path) < 0)
        return 0;
    FILE *locks = stat(name, &status) == 0 ? fopen("/proc/locks", "re") : NULL;
    free(name);
    if (!locks)
        return 0;
    (void)snprintf(wanted, sizeof wanted, ":%llu 0 EOF", (unsigned long long)status.st_ino);
    /* 1: FLOCK  ADVISORY  WRITE 1234 08:02:131 0 EOF */
    while (holder == 0 && fgets(line, sizeof line, locks)) {
        const char *pid = strstr(line, "WRITE ");
        if (strstr(line, "FLOCK") && strstr(line, wanted) && pid) {
            holder = (int)strtol(pid + strlen("WRITE "), NULL, 10);
            holder = holder > 0 ? holder : -1;
        }
    }
    (void)fclose(locks);
    return holder;
}

static bool take_lock(struct file *file, char *why, size_t why_size)
{
    char *path = NULL;
    errno = ENOMEM;
    if (asprintf(&path, "%s" BESIDE_LOCK, file->path) >= 0) {
        file->lock = open_or_make(path, O_NOFOLLOW, file->path);
        free(path);
    }
    if (file->lock < 0)
        return fail(why, why_size, "cannot make the lock file of", file->path);
    if (flock(file->lock, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (errno != EWOULDBLOCK)
        return fail(why, why_size, "cannot take the lock of", file->path);
    const int pid = file_holder(file->path);
    const int len = snprintf(why, why_size, "another process is using the database %s", file->path);
    if (pid > 0 && len >= 0 && (size_t)len < why_size)
        (void)snprintf(why + len, why_size - (size_t)len, ": held by pid %d", pid);
    return false;
}

const char *file_named(const char *url)
{
    assert(strncmp(url, "sqlite:", strlen("sqlite:")) == 0);
    char why[1];
    return path_of(url, why, sizeof why);
}

bool file_judge(const char *url, char *why, size_t why_size)
{
    assert(strncmp(url, "sqlite:", strlen("sqlite:")) == 0);
    static const char name[] = "DATABASE_URL: ";
    const size_t len = sizeof name - 1;
    (void)snprintf(why, why_size, "%s", name);
    const char *path = path_of(url, why + len, why_size - len);
    return path && !refuse_beside(path, why + len, why_size - len);
}

bool file_claim(struct file *file, const char *url, char *why, size_t why_size)
{
    assert(url && why_size > 0);
    *file = (struct file){.lock = -1};
    bool claimed = false;
    char *directory = NULL;
    struct stat status;
    const char *path = path_of(url, why, why_size);
    if (!path || refuse_beside(path, why, why_size))
        goto out;
    directory = disk_folder_of(path);
    if (!directory || !make_directory(directory)) {
        fail(why, why_size, "cannot make the directory of", path);
        goto out;
    }
    if (refuse_network(directory, path, why, why_size) || refuse_alias(path, why, why_size))
        goto out;
    if (!make_file(path, directory, &file->made)) {
        fail(why, why_size, "cannot make or write the database", path);
        goto out;
    }
    file->path = realpath(path, NULL);
    if (!file->path) {
        fail(why, why_size, "cannot find", path);
        goto out;
    }
    if (refuse_beside(file->path, why, why_size))
        goto out;
    claimed = take_lock(file, why, why_size);
    file->made = file->made && stat(file->path, &status) == 0 && status.st_size == 0;
out:
    free(directory);
    if (!claimed)
        file_release(file);
    return claimed;
}

void file_doubt(const char *path, bool doubt)
{
    static const char note[] = "a flush failed\n";
    char *lock = NULL;
    assert(path);
    if (asprintf(&lock, "%s" BESIDE_LOCK, path) < 0)
        return;
    const int fd = open(lock, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    free(lock);
    if (fd < 0)
        return;
    if (ftruncate(fd, 0) == 0 && doubt)
        (void)!disk_write(fd, note, sizeof note - 1);
    (void)close(fd);
}

bool file_is_doubtful(const char *path)
{
    struct stat status;
    char *lock = NULL;
    assert(path);
    if (asprintf(&lock, "%s" BESIDE_LOCK, path) < 0)
        return true;
    const bool doubtful = stat(lock, &status) == 0 && status.st_size > 0;
    free(lock);
    return doubtful;
}

bool file_sync_directory(const char *path)
{
    assert(path);
    char *directory = disk_folder_of(path);
    bool synced = directory && disk_flush(directory);
    free(directory);
    return synced;
}

bool file_remove_beside(const char *path)
{
    static const char *const own[] = {BESIDE_WAL, BESIDE_SHM, BESIDE_JOURNAL};
    bool removed = true;
    for (size_t i = 0; removed && i < sizeof own / sizeof own[0]; i++) {
        char *name = NULL;
        if (asprintf(&name, "%s%s", path, own[i]) < 0)
            return false;
        removed = unlink(name) == 0 || errno == ENOENT;
        free(name);
    }
    return removed;
}

void file_forget(const struct file *file)
{
    if (file->made && file_remove_beside(file->path))
        (void)unlink(file->path);
}

void file_release(struct file *file)
{
    free(file->path);
    if (file->lock >= 0)
        close(file->lock);
    *file = (struct file){.lock = -1};
}

char *file_find(const char *url, char *why, size_t why_size)
{
    assert(url && why_size > 0);
    if (strncmp(url, "sqlite:", strlen("sqlite:")) != 0) {
        (void)snprintf(why, why_size, "DATABASE_URL must be sqlite:PATH for this command");
        return NULL;
    }
    const char *path = path_of(url, why, why_size);
    char *found = path ? realpath(path, NULL) : NULL;
    if (path && !found)
        fail(why, why_size, "there is no database", path);
    if (found && refuse_beside(found, why, why_size)) {
        free(found);
        found = NULL;
    }
    return found;
}

void file_hand_over(int fd, const char *like)
{
    assert(fd >= 0 && like);
    struct stat status;
    if (geteuid() == 0 && stat(like, &status) == 0)
        (void)!fchown(fd, status.st_uid, status.st_gid);
}

bool file_move(const char *from, const char *to, bool replace)
{
    assert(strcmp(from, to) != 0);
    int rc = renameat2(AT_FDCWD, from, AT_FDCWD, to, replace ? 0 : RENAME_NOREPLACE);
    if (rc != 0 && !replace && (errno == EINVAL || errno == ENOSYS)) {
        /* A file system that cannot refuse; the caller has looked before. */
        rc = rename(from, to);
    }
    return rc == 0 && file_sync_directory(to);
}

/* ---- the files of a database and those of commands ---- */

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Is what `status` describes one of the files? */
static bool is_file(const char *database, const struct stat *status)
{
    for (size_t i = 0; i < END_COUNT; i++) {
        struct stat own;
        char *path = NULL;
        if (asprintf(&path, "%s%s", database, ends[i]) < 0)
            return true; /* without memory nothing is written */
        const bool same = (stat(path, &own) == 0 && is_same(&own, status)) ||
                          (lstat(path, &own) == 0 && is_same(&own, status));
        free(path);
        if (same)
            return true;
    }
    return false;
}

/* The last part of a path, and what the folder before it is. */
static const char *cut(const char *path, struct stat *folder, bool *there)
{
    const char *slash = strrchr(path, '/');
    char *before = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    *there = before && stat(before, folder) == 0;
    free(before);
    return slash ? slash + 1 : path;
}

static bool is_name(const char *database, const char *target)
{
    struct stat folders[2];
    bool there[2] = {false, false};
    const char *own = cut(database, &folders[0], &there[0]);
    const char *name = cut(target, &folders[1], &there[1]);
    const size_t len = strlen(own);
    if (!there[0] || !there[1] || !is_same(&folders[0], &folders[1]) ||
        strncmp(own, name, len) != 0)
        return false;
    for (size_t i = 0; i < END_COUNT; i++) {
        if (strcmp(name + len, ends[i]) == 0)
            return true;
    }
    return false;
}

bool file_refuse_own(const char *url, const char *target, int fd, char *why, size_t why_size)
{
    assert(url && target && fd >= -1 && why_size > 0);
    struct stat status;
    const char *named = strncmp(url, "sqlite:", strlen("sqlite:")) == 0 ? file_named(url) : NULL;
    char *database = named ? realpath(named, NULL) : NULL;
    bool own = false;
    if (named && !database)
        database = strdup(named); /* where it would be */
    if (database && fd >= 0)
        own = fstat(fd, &status) == 0 && is_file(database, &status);
    else if (database)
        own = is_name(database, target) ||
              (stat(target, &status) == 0 && is_file(database, &status)) ||
              (lstat(target, &status) == 0 && is_file(database, &status));
    if (own)
        (void)snprintf(why, why_size, "%s is a file of the database %s itself: name another",
                       target, database);
    free(database);
    return own;
}
