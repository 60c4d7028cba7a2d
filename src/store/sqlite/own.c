// SPDX-License-Identifier: MIT
#include "store/sqlite/own.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/disk.h"
#include "store/sqlite/file.h"

static const char *const ends[] = {
    /* the database itself first */
    "",          BESIDE_WAL,    BESIDE_SHM,     BESIDE_JOURNAL,
    BESIDE_LOCK, BESIDE_SECRET, BESIDE_CONTROL, BESIDE_LAST_BACKUP,
};

#define END_COUNT (sizeof ends / sizeof ends[0])

size_t own_beside(const char *path)
{
    const size_t len = strlen(path);
    for (size_t i = 1; i < END_COUNT; i++) {
        const size_t end = strlen(ends[i]);
        if (len > end && path[len - end - 1] != '/' && strcmp(path + len - end, ends[i]) == 0)
            return len - end;
    }
    return 0;
}

/* Where the database of `url` is or would be, to be freed; NULL: there is no file. */
static char *find_database(const char *url)
{
    if (strncmp(url, "sqlite:", strlen("sqlite:")) != 0)
        return NULL;
    const char *named = file_named(url);
    char *found = named ? realpath(named, NULL) : NULL;
    return found || !named ? found : strdup(named);
}

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

static void tell(const char *name, const char *database, char *why, size_t why_size)
{
    (void)snprintf(why, why_size, "%s is a file of the database %s itself: name another", name,
                   database);
}

bool own_refuse(const char *url, const char *target, char *why, size_t why_size)
{
    struct stat status;
    char *database = find_database(url);
    const bool own = database && (is_name(database, target) ||
                                  (stat(target, &status) == 0 && is_file(database, &status)) ||
                                  (lstat(target, &status) == 0 && is_file(database, &status)));
    if (own)
        tell(target, database, why, why_size);
    free(database);
    return own;
}

bool own_refuse_open(const char *url, int fd, const char *name, char *why, size_t why_size)
{
    struct stat status;
    char *database = find_database(url);
    const bool own = database && fstat(fd, &status) == 0 && is_file(database, &status);
    if (own)
        tell(name, database, why, why_size);
    free(database);
    return own;
}
