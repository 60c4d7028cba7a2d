// SPDX-License-Identifier: MIT
#include "script.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "kinds.h"
#include "store/sqlite/engine.h"

unsigned script_kind_count(void)
{
    return kind_count;
}

const char *script_kind_name(unsigned kind)
{
    assert(kind < kind_count);
    return kinds[kind].name;
}

static unsigned choose(struct world *w)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < kind_count; i++)
        sum += kinds[i].weight;
    unsigned at = (unsigned)world_below(w, sum);
    for (unsigned i = 0; i < kind_count; i++) {
        if (at < kinds[i].weight)
            return i;
        at -= kinds[i].weight;
    }
    return 0;
}

/* ---- the run ---- */

struct script script_create(void)
{
    const size_t size = SCRIPT_STEPS_MOST * sizeof(struct script_mark) + sizeof(unsigned);
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert(memory != MAP_FAILED);
    struct script_mark *marks = memory;
    return (struct script){.marks = marks,
                           .count = (unsigned *)(void *)(marks + SCRIPT_STEPS_MOST)};
}

void script_folder(char path[64])
{
    (void)snprintf(path, 64, "%s/taskhold-power-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(path))
        abort();
}

struct store *script_open(const char *folder, struct loop *loop, char *why, size_t why_size)
{
    char url[128];
    (void)snprintf(url, sizeof url, "sqlite:%s/t.db", folder);
    const struct store_options options = {.url = url};
    struct store *store = sqlite_engine.open(&options, why, why_size);
    if (store)
        loop_open(loop, &sqlite_engine, store);
    return store;
}

void script_close(struct loop *loop, struct store **store)
{
    loop_close(loop);
    sqlite_engine.close(store);
}

static void begin_mark(struct world *w, struct script *script, const struct disk *disk,
                       unsigned kind)
{
    assert(*script->count < SCRIPT_STEPS_MOST);
    w->number = *script->count;
    w->mark = &script->marks[w->number];
    *w->mark = (struct script_mark){.begun = disk_count(disk), .answered = UINT_MAX, .kind = kind};
    (*script->count)++;
}

static void end_mark(struct world *w, const struct script *script, const struct disk *disk)
{
    bool whole = true;
    w->mark->answered = disk_count(disk);
    arena_reset(w->loop.arena);
    if (w->number + 1 < script->fail_step)
        return;
    w->mark->contents = script_contents(w->folder, &whole);
    assert(w->mark->contents != 0 && whole);
}

void script_run(struct script *script, const struct disk *disk, const char *folder, unsigned steps,
                uint64_t seed)
{
    static struct world world;
    struct world *w = &world;
    *w = (struct world){.folder = folder, .seed = seed, .now = clock_wall_ms()};
    *script->count = 0;
    begin_mark(w, script, disk, kind_count);
    world_open(w);
    end_mark(w, script, disk);
    for (unsigned i = 0; i < steps; i++) {
        /* At first everybody is made, and each kind has its turn. */
        const bool turn = script->fail_step == 0 && i < USERS + kind_count;
        const unsigned kind = i < USERS ? 0 : turn ? i - USERS : choose(w);
        begin_mark(w, script, disk, kind);
        w->now += 1 + (int64_t)world_below(w, 1000);
        w->who = &w->people[world_below(w, USERS)];
        for (unsigned other = 0; other < USERS && !w->who->there; other++)
            w->who = &w->people[other];
        if (w->number == script->fail_step) {
            world_reopen(w);
            disk_fail_sync(DISK_WAL, script->fail_nth);
        } else {
            kinds[w->who->there ? kind : 0].run(w);
        }
        end_mark(w, script, disk);
    }
    script_close(&w->loop, &w->store);
}

bool script_repeat(struct loop *loop, const struct script_mark *mark, unsigned number, bool before)
{
    char key[32];
    struct write write = write_of(STORE_CREATE, mark->space, uuid_make_v7(), clock_wall_ms());
    (void)snprintf(key, sizeof key, "key-%u", number);
    write.op.idempotency.key = slice_of(key);
    const enum error result = write_run(loop, &write);
    if (result == ERROR_NOT_FOUND)
        return !before; /* its user is gone, or was never made */
    if (result != ERROR_NONE || (before && !write.op.replayed))
        return false;
    if (write.op.replayed && !uuid_eq(write.op.item_id, mark->id))
        return false;
    struct write again = write_of(STORE_CREATE, mark->space, uuid_make_v7(), clock_wall_ms());
    again.op.idempotency.key = slice_of(key);
    return write_run(loop, &again) == ERROR_NONE && again.op.replayed &&
           uuid_eq(again.op.item_id, write.op.item_id);
}
