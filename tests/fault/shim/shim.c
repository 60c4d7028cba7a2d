// SPDX-License-Identifier: MIT
/* Loaded before a server (LD_PRELOAD): the calls by which it meets its disk, and the kernel's
 * random source, fail, lie or take long as a test says while it runs. The test and this share a
 * page of memory, the file that FAULT_SHIM names; shim.py has its other side. */
/* Both names of each call are defined here. */
#undef _FILE_OFFSET_BITS

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define RULES     16
#define FILES     65536
#define PAGE_SIZE 4096

enum call { CALL_SYNC, CALL_READ, CALL_WRITE, CALL_TRUNCATE, CALL_OPEN, CALL_RANDOM, CALLS };

enum what {
    WHAT_FAIL,  /* the call does nothing and fails with `number` */
    WHAT_SHORT, /* a read or write of half the bytes */
    WHAT_SLOW,  /* it takes `micros` longer */
    WHAT_FLIP,  /* a read in which one bit is another */
    WHAT_DROP,  /* it does nothing and says that it did */
    WHAT_HALF,  /* a write that fails after half the bytes */
};

/* What a descriptor leads to, by the name it was opened under. */
enum kind {
    KIND_OTHER,
    KIND_DATABASE,
    KIND_WAL,
    KIND_SHM,
    KIND_FOLDER,
    KIND_LOG,
    KIND_JOURNAL,
    KINDS
};

struct rule {
    atomic_uint armed;
    uint32_t call;
    uint32_t what;
    int32_t number;
    uint32_t kinds; /* bits (1 << kind) */
    uint32_t unused;
    atomic_int_least64_t skip;  /* so many calls are let through first */
    atomic_int_least64_t times; /* and then so many are struck */
    int64_t micros;
    atomic_int_least64_t struck;
};

struct control {
    uint64_t magic;
    atomic_int_least64_t listens;
    atomic_int_least64_t calls[CALLS][KINDS];
    atomic_int_least64_t at_listen[CALLS][KINDS]; /* `calls`, when it listened first */
    struct rule rules[RULES];
};
_Static_assert(sizeof(struct control) <= PAGE_SIZE, "one page");

static struct control *control;
static atomic_uchar kinds[FILES];

#define REAL(name) ((__typeof__(&name))real_of(#name))

static void *real_of(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    return found;
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("FAULT_SHIM");
    const int fd = path ? (int)REAL(open)(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *page = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)REAL(close)(fd);
    control = page == MAP_FAILED ? NULL : page;
    atomic_store(&kinds[STDERR_FILENO], KIND_LOG);
}

static bool ends(const char *path, const char *end)
{
    const size_t len = strlen(path);
    const size_t end_len = strlen(end);
    return len >= end_len && strcmp(path + len - end_len, end) == 0;
}

static void opened(int fd, const char *path, int flags)
{
    enum kind kind = KIND_OTHER;
    if (fd < 0 || fd >= FILES)
        return;
    if (ends(path, ".db"))
        kind = KIND_DATABASE;
    else if (ends(path, "-wal"))
        kind = KIND_WAL;
    else if (ends(path, "-shm"))
        kind = KIND_SHM;
    else if (ends(path, "-journal"))
        kind = KIND_JOURNAL;
    else if (flags & O_DIRECTORY)
        kind = KIND_FOLDER;
    atomic_store(&kinds[fd], (unsigned char)kind);
}

static enum kind kind_of(int fd)
{
    return fd >= 0 && fd < FILES ? (enum kind)atomic_load(&kinds[fd]) : KIND_OTHER;
}

static void wait_micros(int64_t micros)
{
    struct timespec left = {micros / 1000000, micros % 1000000 * 1000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

/* The rule that strikes this call, or NULL. A slow one has been waited for. */
static const struct rule *strike(enum call call, enum kind kind)
{
    if (!control)
        return NULL;
    atomic_fetch_add(&control->calls[call][kind], 1);
    for (int i = 0; i < RULES; i++) {
        struct rule *rule = &control->rules[i];
        if (!atomic_load(&rule->armed) || rule->call != call || !(rule->kinds & (1U << kind)))
            continue;
        if (atomic_fetch_sub(&rule->skip, 1) > 0 || atomic_fetch_sub(&rule->times, 1) <= 0)
            continue;
        atomic_fetch_add(&rule->struck, 1);
        if (rule->what != WHAT_SLOW)
            return rule;
        wait_micros(rule->micros);
    }
    return NULL;
}

static int fail(const struct rule *rule)
{
    errno = rule->number;
    return -1;
}

/* ---- files ---- */

static int on_open(int fd, const char *path, int flags)
{
    opened(fd, path, flags);
    return fd;
}

/* A name that is opened is judged as what it leads to. */
#define OPEN(name, real)                                                                           \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        va_list more;                                                                              \
        va_start(more, flags);                                                                     \
        const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(more, mode_t) : 0;            \
        va_end(more);                                                                              \
        const enum kind kind = ends(path, ".db")    ? KIND_DATABASE                                \
                               : ends(path, "-wal") ? KIND_WAL                                     \
                                                    : KIND_OTHER;                                  \
        const struct rule *rule = strike(CALL_OPEN, kind);                                         \
        return rule ? fail(rule) : on_open(real(path, flags, mode), path, flags);                  \
    }

OPEN(open, REAL(open))
OPEN(open64, REAL(open64))

int close(int fd)
{
    if (fd >= 0 && fd < FILES && fd != STDERR_FILENO)
        atomic_store(&kinds[fd], KIND_OTHER);
    return REAL(close)(fd);
}

static int on_sync(int fd, int (*real)(int))
{
    const struct rule *rule = strike(CALL_SYNC, kind_of(fd));
    if (!rule)
        return real(fd);
    return rule->what == WHAT_DROP ? 0 : fail(rule);
}

int fsync(int fd)
{
    return on_sync(fd, REAL(fsync));
}

int fdatasync(int fd)
{
    return on_sync(fd, REAL(fdatasync));
}

static ssize_t on_read(int fd, void *bytes, size_t size, off64_t at, bool positioned)
{
    const struct rule *rule = strike(CALL_READ, kind_of(fd));
    if (rule && rule->what == WHAT_FAIL)
        return fail(rule);
    const size_t asked = rule && rule->what == WHAT_SHORT ? (size + 1) / 2 : size;
    const ssize_t got =
        positioned ? REAL(pread64)(fd, bytes, asked, at) : REAL(read)(fd, bytes, asked);
    if (rule && rule->what == WHAT_FLIP && got > 0)
        ((unsigned char *)bytes)[got / 2] ^= 0x10;
    return got;
}

ssize_t read(int fd, void *bytes, size_t size)
{
    return kind_of(fd) == KIND_OTHER ? REAL(read)(fd, bytes, size)
                                     : on_read(fd, bytes, size, 0, false);
}

ssize_t pread(int fd, void *bytes, size_t size, off_t at)
{
    return on_read(fd, bytes, size, at, true);
}

ssize_t pread64(int fd, void *bytes, size_t size, off64_t at)
{
    return on_read(fd, bytes, size, at, true);
}

static ssize_t on_write(int fd, const void *bytes, size_t size, off64_t at, bool positioned)
{
    const struct rule *rule = strike(CALL_WRITE, kind_of(fd));
    if (rule && rule->what == WHAT_FAIL)
        return fail(rule);
    if (rule && rule->what == WHAT_DROP)
        return (ssize_t)size;
    const bool half = rule && (rule->what == WHAT_SHORT || rule->what == WHAT_HALF);
    const size_t asked = half ? (size + 1) / 2 : size;
    const ssize_t put =
        positioned ? REAL(pwrite64)(fd, bytes, asked, at) : REAL(write)(fd, bytes, asked);
    return half && rule->what == WHAT_HALF ? fail(rule) : put;
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    return kind_of(fd) == KIND_OTHER ? REAL(write)(fd, bytes, size)
                                     : on_write(fd, bytes, size, 0, false);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    return on_write(fd, bytes, size, at, true);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at)
{
    return on_write(fd, bytes, size, at, true);
}

static int on_truncate(int fd, off64_t size)
{
    const struct rule *rule = strike(CALL_TRUNCATE, kind_of(fd));
    return rule ? fail(rule) : REAL(ftruncate64)(fd, size);
}

int ftruncate(int fd, off_t size)
{
    return on_truncate(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
    return on_truncate(fd, size);
}

/* ---- the rest ---- */

ssize_t getrandom(void *bytes, size_t size, unsigned flags)
{
    const struct rule *rule = strike(CALL_RANDOM, KIND_OTHER);
    if (rule && rule->what == WHAT_FAIL)
        return fail(rule);
    return REAL(getrandom)(bytes, rule && rule->what == WHAT_SHORT ? size / 2 : size, flags);
}

/* What had been done to the disk before the first client could come. */
int listen(int fd, int backlog)
{
    if (control && atomic_fetch_add(&control->listens, 1) == 0) {
        for (int call = 0; call < CALLS; call++) {
            for (int kind = 0; kind < KINDS; kind++)
                atomic_store(&control->at_listen[call][kind],
                             atomic_load(&control->calls[call][kind]));
        }
    }
    return REAL(listen)(fd, backlog);
}
