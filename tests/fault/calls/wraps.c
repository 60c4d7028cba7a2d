// SPDX-License-Identifier: MIT
/* What stands for the calls that fail; see meson.build for how they come here. */
#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/arena.h"
#include "failing.h"

#define FAILS(kind, name) failing_now(kind, name, __builtin_frame_address(0))

/* `failed` is what the call gives, and what it leaves in errno. */
#define WRAP(type, name, kind, failed, parameters, arguments)                                      \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return FAILS(kind, #name) ? (failed) : __real_##name arguments;                            \
    }

#define NO_MEMORY    (errno = ENOMEM, NULL)
#define PLANTED      ((void *)64) /* as if nobody had looked whether there is any */
#define SAYS(number) (errno = (number), -1)

/* ---- memory ---- */

WRAP(void *, malloc, FAILING_MEMORY, NO_MEMORY, (size_t size), (size))
WRAP(void *, calloc, FAILING_MEMORY, NO_MEMORY, (size_t count, size_t size), (count, size))
WRAP(void *, realloc, FAILING_MEMORY, NO_MEMORY, (void *old, size_t size), (old, size))
WRAP(char *, strdup, FAILING_MEMORY, NO_MEMORY, (const char *text), (text))
WRAP(char *, strndup, FAILING_MEMORY, NO_MEMORY, (const char *text, size_t most), (text, most))
WRAP(void *, arena_alloc, FAILING_MEMORY, failing_planted ? PLANTED : NULL,
     (struct arena * arena, size_t size), (arena, size))
WRAP(struct slice, arena_copy, FAILING_MEMORY, (struct slice){0},
     (struct arena * arena, struct slice s), (arena, s))
WRAP(void *, sqlite3_malloc64, FAILING_MEMORY, NULL, (sqlite3_uint64 size), (size))
WRAP(void *, sqlite3_realloc64, FAILING_MEMORY, NULL, (void *old, sqlite3_uint64 size), (old, size))
WRAP(void *, sqlite3_aggregate_context, FAILING_MEMORY, NULL, (sqlite3_context * context, int size),
     (context, size))
WRAP(void *, sodium_malloc, FAILING_MEMORY, NO_MEMORY, (size_t size), (size))

/* Inline, so that FAILS sees who called the wrapper. */
static inline int print(char **text, const char *format, va_list arguments)
    __attribute__((always_inline, format(printf, 2, 0)));
static inline int print(char **text, const char *format, va_list arguments)
{
    if (FAILS(FAILING_MEMORY, "asprintf")) {
        *text = NULL;
        return SAYS(ENOMEM);
    }
    return vasprintf(text, format, arguments);
}

int __wrap_asprintf(char **text, const char *format, ...) __attribute__((format(printf, 2, 3)));
int __wrap_asprintf(char **text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int len = print(text, format, arguments);
    va_end(arguments);
    return len;
}

int __wrap___asprintf_chk(char **text, int flag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int __wrap___asprintf_chk(char **text, int flag, const char *format, ...)
{
    (void)flag;
    va_list arguments;
    va_start(arguments, format);
    const int len = print(text, format, arguments);
    va_end(arguments);
    return len;
}

/* ---- SQLite ---- */

#define SQLITE_WRAP(name, parameters, arguments)                                                   \
    WRAP(int, name, FAILING_CALL, SQLITE_IOERR_READ, parameters, arguments)

WRAP(int, sqlite3_prepare_v2, FAILING_MEMORY, (*statement = NULL, SQLITE_NOMEM),
     (sqlite3 * db, const char *sql, int len, sqlite3_stmt **statement, const char **rest),
     (db, sql, len, statement, rest))
WRAP(int, sqlite3_prepare_v3, FAILING_MEMORY, (*statement = NULL, SQLITE_NOMEM),
     (sqlite3 * db, const char *sql, int len, unsigned flags, sqlite3_stmt **statement,
      const char **rest),
     (db, sql, len, flags, statement, rest))
SQLITE_WRAP(sqlite3_step, (sqlite3_stmt * statement), (statement))
SQLITE_WRAP(sqlite3_exec,
            (sqlite3 * db, const char *sql, int (*row)(void *, int, char **, char **),
             void *context, char **why),
            (db, sql, row, context, why))
SQLITE_WRAP(sqlite3_wal_checkpoint_v2,
            (sqlite3 * db, const char *name, int mode, int *frames, int *moved),
            (db, name, mode, frames, moved))
WRAP(int, sqlite3_open_v2, FAILING_MEMORY, (*db = NULL, SQLITE_NOMEM),
     (const char *path, sqlite3 **db, int flags, const char *vfs), (path, db, flags, vfs))
WRAP(int, sqlite3_create_function_v2, FAILING_MEMORY, SQLITE_NOMEM,
     (sqlite3 * db, const char *name, int count, int text, void *app,
      void (*call)(sqlite3_context *, int, sqlite3_value **),
      void (*step)(sqlite3_context *, int, sqlite3_value **), void (*final)(sqlite3_context *),
      void (*destroy)(void *)),
     (db, name, count, text, app, call, step, final, destroy))

/* ---- PostgreSQL ---- */

/* The connection ends here; libpq finds it out as it does. */
static void cut(PGconn *connection)
{
    const int fd = PQsocket(connection);
    if (fd >= 0)
        (void)shutdown(fd, SHUT_RDWR);
}

#define PQ_WRAP(type, name, parameters, arguments)                                                 \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        if (FAILS(FAILING_CALL, #name))                                                            \
            cut(connection);                                                                       \
        return __real_##name arguments;                                                            \
    }

PQ_WRAP(PGresult *, PQexec, (PGconn * connection, const char *sql), (connection, sql))
PQ_WRAP(PGresult *, PQgetResult, (PGconn * connection), (connection))
PQ_WRAP(int, PQconsumeInput, (PGconn * connection), (connection))
PQ_WRAP(int, PQflush, (PGconn * connection), (connection))
PQ_WRAP(int, PQputCopyData, (PGconn * connection, const char *bytes, int len),
        (connection, bytes, len))
PQ_WRAP(int, PQputCopyEnd, (PGconn * connection, const char *why), (connection, why))
WRAP(int, PQpipelineSync, FAILING_MEMORY, 0, (PGconn * connection), (connection))
WRAP(int, PQenterPipelineMode, FAILING_CALL, 0, (PGconn * connection), (connection))
WRAP(int, PQsetSingleRowMode, FAILING_CALL, 0, (PGconn * connection), (connection))
WRAP(int, PQsendPrepare, FAILING_MEMORY, 0,
     (PGconn * connection, const char *name, const char *sql, int count, const Oid *types),
     (connection, name, sql, count, types))
WRAP(PQconninfoOption *, PQconninfoParse, FAILING_MEMORY, NULL, (const char *text, char **why),
     (text, why))
WRAP(PQconninfoOption *, PQconndefaults, FAILING_MEMORY, NULL, (void), ())

/* The server refuses the statement, and with it what follows in the transaction. */
#define REFUSED "SELECT 1/0"

int __real_PQsendQueryParams(PGconn *connection, const char *sql, int count, const Oid *types,
                             const char *const *values, const int *lengths, const int *formats,
                             int format);
int __wrap_PQsendQueryParams(PGconn *connection, const char *sql, int count, const Oid *types,
                             const char *const *values, const int *lengths, const int *formats,
                             int format);
int __wrap_PQsendQueryParams(PGconn *connection, const char *sql, int count, const Oid *types,
                             const char *const *values, const int *lengths, const int *formats,
                             int format)
{
    if (FAILS(FAILING_CALL, "PQsendQueryParams"))
        return __real_PQsendQueryParams(connection, REFUSED, 0, NULL, NULL, NULL, NULL, format);
    return __real_PQsendQueryParams(connection, sql, count, types, values, lengths, formats,
                                    format);
}

int __real_PQsendQueryPrepared(PGconn *connection, const char *name, int count,
                               const char *const *values, const int *lengths, const int *formats,
                               int format);
int __wrap_PQsendQueryPrepared(PGconn *connection, const char *name, int count,
                               const char *const *values, const int *lengths, const int *formats,
                               int format);
int __wrap_PQsendQueryPrepared(PGconn *connection, const char *name, int count,
                               const char *const *values, const int *lengths, const int *formats,
                               int format)
{
    if (FAILS(FAILING_CALL, "PQsendQueryPrepared"))
        return __real_PQsendQueryParams(connection, REFUSED, 0, NULL, NULL, NULL, NULL, format);
    return __real_PQsendQueryPrepared(connection, name, count, values, lengths, formats, format);
}

/* ---- asserts ---- */

/* Of a function that a test called itself, with what it did not look at: that is the test's. */
void __wrap___assert_fail(const char *condition, const char *file, unsigned line,
                          const char *function) __attribute__((noreturn));
void __real___assert_fail(const char *condition, const char *file, unsigned line,
                          const char *function) __attribute__((noreturn));
void __wrap___assert_fail(const char *condition, const char *file, unsigned line,
                          const char *function)
{
    failing_assert(__builtin_frame_address(0));
    __real___assert_fail(condition, file, line, function);
}

/* ---- the kernel ---- */

static bool is_file(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

WRAP(int, fstat, FAILING_CALL, SAYS(EIO), (int fd, struct stat *status), (fd, status))
WRAP(int, stat, FAILING_CALL, SAYS(EACCES), (const char *path, struct stat *status), (path, status))
WRAP(int, lstat, FAILING_CALL, SAYS(EACCES), (const char *path, struct stat *status),
     (path, status))
WRAP(int, statvfs, FAILING_CALL, SAYS(EIO), (const char *path, struct statvfs *status),
     (path, status))
WRAP(int, statx, FAILING_CALL, SAYS(EIO),
     (int folder, const char *path, int flags, unsigned mask, struct statx *status),
     (folder, path, flags, mask, status))
WRAP(int, fsync, FAILING_CALL, SAYS(EIO), (int fd), (fd))
WRAP(int, rename, FAILING_CALL, SAYS(EIO), (const char *from, const char *to), (from, to))
WRAP(int, link, FAILING_CALL, SAYS(EIO), (const char *from, const char *to), (from, to))
WRAP(int, mkdir, FAILING_CALL, SAYS(EIO), (const char *path, mode_t mode), (path, mode))
WRAP(int, chmod, FAILING_CALL, SAYS(EPERM), (const char *path, mode_t mode), (path, mode))
WRAP(int, fchmod, FAILING_CALL, SAYS(EPERM), (int fd, mode_t mode), (fd, mode))
WRAP(int, ftruncate, FAILING_CALL, SAYS(EIO), (int fd, off_t len), (fd, len))
WRAP(int, mkostemp, FAILING_CALL, SAYS(EACCES), (char *path, int flags), (path, flags))
WRAP(int, flock, FAILING_CALL, SAYS(ENOLCK), (int fd, int operation), (fd, operation))
WRAP(char *, realpath, FAILING_MEMORY, NO_MEMORY, (const char *path, char *made), (path, made))
WRAP(FILE *, fopen, FAILING_CALL, (errno = EMFILE, NULL), (const char *path, const char *mode),
     (path, mode))
WRAP(int, socket, FAILING_CALL, SAYS(EMFILE), (int family, int type, int protocol),
     (family, type, protocol))
WRAP(int, setsockopt, FAILING_CALL, SAYS(ENOBUFS),
     (int fd, int level, int name, const void *value, socklen_t len), (fd, level, name, value, len))
WRAP(int, getsockopt, FAILING_CALL, SAYS(ENOBUFS),
     (int fd, int level, int name, void *value, socklen_t *len), (fd, level, name, value, len))
WRAP(int, bind, FAILING_CALL, SAYS(EADDRINUSE),
     (int fd, const struct sockaddr *address, socklen_t len), (fd, address, len))
WRAP(int, listen, FAILING_CALL, SAYS(EADDRINUSE), (int fd, int most), (fd, most))
WRAP(int, connect, FAILING_CALL, SAYS(ECONNREFUSED),
     (int fd, const struct sockaddr *address, socklen_t len), (fd, address, len))
WRAP(int, getsockname, FAILING_CALL, SAYS(ENOBUFS),
     (int fd, struct sockaddr *address, socklen_t *len), (fd, address, len))
WRAP(int, accept4, FAILING_CALL, SAYS(ENOBUFS),
     (int fd, struct sockaddr *address, socklen_t *len, int flags), (fd, address, len, flags))
WRAP(ssize_t, recv, FAILING_CALL, SAYS(ECONNRESET), (int fd, void *bytes, size_t len, int flags),
     (fd, bytes, len, flags))
WRAP(ssize_t, send, FAILING_CALL, SAYS(EPIPE), (int fd, const void *bytes, size_t len, int flags),
     (fd, bytes, len, flags))
WRAP(ssize_t, sendmsg, FAILING_CALL, SAYS(EPIPE), (int fd, const struct msghdr *message, int flags),
     (fd, message, flags))
WRAP(int, epoll_create1, FAILING_CALL, SAYS(EMFILE), (int flags), (flags))
WRAP(int, eventfd, FAILING_CALL, SAYS(EMFILE), (unsigned count, int flags), (count, flags))
WRAP(int, timerfd_create, FAILING_CALL, SAYS(EMFILE), (int clock, int flags), (clock, flags))
WRAP(int, getrlimit, FAILING_CALL, SAYS(EINVAL), (__rlimit_resource_t which, struct rlimit *limit),
     (which, limit))
WRAP(int, pthread_create, FAILING_CALL, EAGAIN,
     (pthread_t * thread, const pthread_attr_t *attributes, void *(*call)(void *), void *argument),
     (thread, attributes, call, argument))
WRAP(int, pthread_mutex_init, FAILING_MEMORY, ENOMEM,
     (pthread_mutex_t * mutex, const pthread_mutexattr_t *attributes), (mutex, attributes))
WRAP(int, pthread_cond_init, FAILING_MEMORY, ENOMEM,
     (pthread_cond_t * condition, const pthread_condattr_t *attributes), (condition, attributes))

/* What is changed or removed cannot fail for want of memory. */
int __real_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    if (operation == EPOLL_CTL_ADD && FAILS(FAILING_CALL, "epoll_ctl"))
        return SAYS(ENOSPC);
    return __real_epoll_ctl(epoll, operation, fd, event);
}

/* Of files alone: a counter of the kernel's does not fail. */
ssize_t __real_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_write(int fd, const void *bytes, size_t len)
{
    return is_file(fd) && FAILS(FAILING_CALL, "write") ? SAYS(ENOSPC)
                                                       : __real_write(fd, bytes, len);
}

ssize_t __real_read(int fd, void *bytes, size_t len);
ssize_t __wrap_read(int fd, void *bytes, size_t len);
ssize_t __wrap_read(int fd, void *bytes, size_t len)
{
    return is_file(fd) && FAILS(FAILING_CALL, "read") ? SAYS(EIO) : __real_read(fd, bytes, len);
}

WRAP(ssize_t, pread, FAILING_CALL, SAYS(EIO), (int fd, void *bytes, size_t len, off_t at),
     (fd, bytes, len, at))
WRAP(ssize_t, pwrite, FAILING_CALL, SAYS(ENOSPC), (int fd, const void *bytes, size_t len, off_t at),
     (fd, bytes, len, at))

int __real_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, mode_t mode)
{
    return FAILS(FAILING_CALL, "open") ? SAYS(EMFILE) : __real_open(path, flags, mode);
}

int __real_fcntl(int fd, int command, long argument);
int __wrap_fcntl(int fd, int command, long argument);
int __wrap_fcntl(int fd, int command, long argument)
{
    return FAILS(FAILING_CALL, "fcntl") ? SAYS(EMFILE) : __real_fcntl(fd, command, argument);
}
