// SPDX-License-Identifier: MIT
#include "base/point.h"

#ifdef TASKHOLD_POINTS

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The file that TASKHOLD_POINTS names is shared with a test. It has a row for each point, in any
 * order: a row without a name is taken by a point that finds none of its own. tests/fault/points.py
 * knows the same layout. A name is there at once; the counts are of all processes on the file. */
#define NAME_BYTES 48
#define ROWS       64

struct row {
    char name[NAME_BYTES];
    _Atomic uint32_t hits;
    _Atomic uint32_t armed; /* the so many-th from now on kills; 0: none */
    _Atomic uint32_t kills;
    uint32_t unused;
};

_Static_assert(POINT_COUNT <= ROWS, "room for all");
_Static_assert(sizeof(struct row) == 64, "as the tests have it");

_Thread_local bool point_checkpoints;

static struct row *rows[POINT_COUNT];
static int pages;

#define POINT_NAME(name, text) text,
static const char *const names[] = {POINTS(POINT_NAME)};

/* Before main(), and so before any thread and anything that limits what may be opened. */
__attribute__((constructor)) static void share_points(void)
{
    const char *path = getenv("TASKHOLD_POINTS");
    const char *number = getenv("TASKHOLD_POINT_PAGES");
    pages = number ? (int)strtol(number, NULL, 10) : 0;
    const int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    struct row *table =
        fd >= 0 && ftruncate(fd, ROWS * sizeof(struct row)) == 0
            ? mmap(NULL, ROWS * sizeof(struct row), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
            : MAP_FAILED;
    if (fd >= 0)
        close(fd);
    for (unsigned i = 0; table != MAP_FAILED && i < POINT_COUNT; i++) {
        struct row *row = table;
        while (row < table + ROWS && row->name[0] && strcmp(row->name, names[i]) != 0)
            row++;
        if (row == table + ROWS)
            abort();                                   /* another program's file */
        memcpy(row->name, names[i], strlen(names[i])); /* what follows is zero */
        rows[i] = row;
    }
}

int point_pages(int usual)
{
    return pages > 0 ? pages : usual;
}

void point_reach(enum point point)
{
    struct row *row = rows[point];
    if (!row)
        return;
    atomic_fetch_add(&row->hits, 1);
    uint32_t armed = atomic_load(&row->armed);
    while (armed > 0 && !atomic_compare_exchange_weak(&row->armed, &armed, armed - 1)) {
    }
    if (armed != 1)
        return;
    atomic_fetch_add(&row->kills, 1);
    (void)kill(getpid(), SIGKILL);
    for (;;)
        (void)pause();
}

#endif
