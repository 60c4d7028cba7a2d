// SPDX-License-Identifier: MIT
/* Loss of power under the SQLite engine, played on a disk that remembers (disk.h).
 *
 *   power exhaustive [SEED [N]]    a script of 200 writes, power lost at each thing that it did to
 * the disk power random SECONDS [SEED]    other scripts, and power lost once more while the store
 * recovers power flush SECONDS [SEED]     a flush fails, the store is started again, power is lost
 *   power control WHICH [SEED]     what is planted must be found: a disk that is `lying` about
 * flushes of the database, a start that does `overlook` the WAL of a run whose flush failed
 *
 * What must hold: the store opens, without a hand; the database is what it was after the last write
 * that was answered, or after the one that was under way too, all of it; it is sound; a create
 * under a key has had its effect once. Ends with 1 when it did not. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "script.h"
#include "store/sqlite/database.h"

#define STEPS       200
#define TELL_MOST   5
#define ENOUGH      200 /* faults after which nothing more is to be learnt */
#define SEEN_MOST   (1U << 20)
#define KEYED_BACK  12 /* how far back a create is looked for that is repeated */
#define EXIT_FAILED 70 /* of the store, after a flush that failed */
#define SCRIPT_CUTS 600
#define FAIL_STEPS  45

enum verdict { GOOD, LOST, WRONG };

struct seen {
    uint64_t digest;
    uint64_t contents;
};

struct tally {
    unsigned cuts;
    unsigned opened;
    unsigned lost;
    unsigned wrong;
    unsigned torn; /* cuts at which something was not flushed */
    unsigned told;
};

/* What may be found. */
struct allowed {
    uint64_t contents[2];
    unsigned count; /* 0: anything that opens */
    int keyed;      /* number of a step to be repeated; -1 */
    bool before;
};

struct run {
    struct disk *disk;
    struct disk *inner;
    struct script script;
    char folder[64]; /* of the script */
    char image[64];
    char second[64];
    pid_t remover; /* see start_remover */
    int living;
    uint64_t seed;
    struct tally tally;
    struct seen *seen;
};

static const char *why_not; /* of the last verdict */

/* ---- one image ---- */

static bool allows(const struct allowed *allowed, uint64_t contents)
{
    return allowed->count == 0 || contents == allowed->contents[0] ||
           (allowed->count == 2 && contents == allowed->contents[1]);
}

static enum verdict judge(const struct run *run, const struct allowed *allowed, uint64_t contents)
{
    if (allows(allowed, contents))
        return GOOD;
    for (unsigned i = 0; i < *run->script.count; i++) {
        if (run->script.marks[i].contents == contents) {
            why_not = "an older state: acknowledged and lost";
            return LOST;
        }
    }
    why_not = "a state that never was";
    return WRONG;
}

/* Opens the store in `folder` and looks at all of it. */
static enum verdict look(const struct run *run, const char *folder, const struct allowed *allowed,
                         uint64_t *contents)
{
    static char why[512];
    struct loop loop;
    bool whole = false;
    struct store *store = script_open(folder, &loop, why, sizeof why);
    *contents = 0;
    if (!store) {
        why_not = why;
        return WRONG;
    }
    *contents = script_contents(folder, &whole);
    enum verdict verdict = judge(run, allowed, *contents);
    if (!whole) {
        why_not = "integrity_check, a foreign key, or what a space holds";
        verdict = WRONG;
    }
    if (verdict == GOOD && allowed->keyed >= 0) {
        const struct script_mark *mark = &run->script.marks[allowed->keyed];
        if (!script_repeat(&loop, mark, (unsigned)allowed->keyed, allowed->before)) {
            why_not = "a key had another effect, or none";
            verdict = WRONG;
        }
    }
    script_close(&loop, &store);
    return verdict;
}

static struct seen *find(struct run *run, uint64_t digest)
{
    size_t at = digest % SEEN_MOST;
    while (run->seen[at].digest != 0 && run->seen[at].digest != digest)
        at = (at + 1) % SEEN_MOST;
    return &run->seen[at];
}

static void tell(struct run *run, unsigned cut, enum disk_survival how, enum verdict verdict)
{
    run->tally.lost += verdict == LOST;
    run->tally.wrong += verdict == WRONG;
    if (verdict == GOOD || run->tally.told++ >= TELL_MOST)
        return;
    printf("seed %" PRIu64 ": power lost before event %u, survives: %s: %s\n", run->seed, cut,
           disk_survival_names[how], why_not);
}

/* One that was opened before is only judged. Answers what it held. */
static uint64_t try_image(struct run *run, const struct disk_image *image, const char *folder,
                          unsigned cut, enum disk_survival how, const struct allowed *allowed)
{
    const uint64_t digest = disk_image_digest(image) | 1;
    struct seen *seen = find(run, digest);
    uint64_t contents = seen->contents;
    enum verdict verdict = GOOD;
    run->tally.cuts++;
    if (seen->digest == digest) {
        verdict = judge(run, allowed, contents);
    } else {
        disk_image_write(image, folder, digest & 2);
        verdict = look(run, folder, allowed, &contents);
        run->tally.opened++;
        if (verdict == GOOD)
            *seen = (struct seen){digest, contents};
    }
    tell(run, cut, how, verdict);
    return contents;
}

/* ---- what may be found after a cut ---- */

static struct allowed allowed_at(const struct script *script, unsigned cut)
{
    struct allowed allowed = {.keyed = -1};
    unsigned answered = 0;
    while (answered < *script->count && script->marks[answered].answered <= cut)
        answered++;
    if (answered == 0)
        return allowed; /* it was not open yet */
    allowed.contents[allowed.count++] = script->marks[answered - 1].contents;
    const bool under_way = answered < *script->count && script->marks[answered].begun <= cut;
    if (under_way && script->marks[answered].answered != UINT_MAX)
        allowed.contents[allowed.count++] = script->marks[answered].contents;
    if (under_way && script->marks[answered].keyed) {
        allowed.keyed = (int)answered;
        return allowed;
    }
    for (unsigned i = answered; i-- > 1 && i + KEYED_BACK > answered;) {
        /* Who was erased meanwhile has no keys. */
        if (script->marks[i].keyed) {
            allowed.keyed = (int)i;
            break;
        }
    }
    return allowed;
}

/* ---- the ways ---- */

static void empty(const char *folder)
{
    static const char *const names[] = {"t.db", "t.db-wal", "t.db-shm", "t.db-journal",
                                        "t.db.lock"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[96];
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
}

/* Removes the folders when this process and its children have ended, however they did: they hold
 * the other end of its pipe. It is in a session of its own, so that what ends a group spares it. */
static void start_remover(struct run *run)
{
    const char *const folders[] = {run->folder, run->image, run->second};
    int ends[2];
    char byte;
    const int made = pipe(ends);
    assert(made == 0);
    (void)made;
    run->remover = fork();
    assert(run->remover >= 0);
    run->living = ends[1];
    if (run->remover != 0) {
        (void)close(ends[0]);
        return;
    }
    (void)setsid();
    for (int i = 0; i < 3; i++) { /* who reads what the run prints does not wait for this */
        (void)close(i);
    }
    (void)close(ends[1]);
    while (read(ends[0], &byte, 1) < 0 && errno == EINTR) {
    }
    for (unsigned i = 0; i < 3; i++) {
        empty(folders[i]);
        (void)rmdir(folders[i]);
    }
    _exit(0);
}

static void set_up(struct run *run, uint64_t seed)
{
    *run = (struct run){.seed = seed, .disk = disk_create(), .inner = disk_create()};
    run->script = script_create();
    run->seen = calloc(SEEN_MOST, sizeof *run->seen);
    assert(run->seen);
    script_folder(run->folder);
    script_folder(run->image);
    script_folder(run->second);
    start_remover(run);
}

static void tear_down(struct run *run)
{
    (void)close(run->living);
    (void)waitpid(run->remover, NULL, 0);
    free(run->seen);
}

static void record(struct run *run, unsigned steps)
{
    empty(run->folder);
    memset(run->seen, 0, SEEN_MOST * sizeof *run->seen);
    disk_watch(run->disk, run->folder);
    script_run(&run->script, run->disk, run->folder, steps, run->seed);
    disk_unwatch();
}

/* Every thing that happened, and each way of what survives; or each `share`th, in turn. */
static void cut_everywhere(struct run *run, unsigned share)
{
    struct disk_image image = {0};
    struct disk_walk *walk = disk_walk_create(run->disk, run->seed);
    uint64_t seed = run->seed;
    for (unsigned cut = 0; cut <= disk_count(run->disk); cut++) {
        const struct allowed allowed = allowed_at(&run->script, cut);
        if (run->tally.lost + run->tally.wrong >= ENOUGH)
            break;
        disk_walk_to(walk, cut);
        const unsigned pending = disk_walk_pending(walk);
        const unsigned ways = pending == 0 ? 1 : SURVIVES_COUNT;
        run->tally.torn += pending > 0;
        for (unsigned how = pending == 0 ? 0 : cut % share; how < ways; how += share) {
            disk_walk_image(walk, (enum disk_survival)how, disk_random(&seed), &image);
            (void)try_image(run, &image, run->image, cut, (enum disk_survival)how, &allowed);
        }
    }
    disk_walk_destroy(&walk);
    disk_image_finish(&image);
}

/* Opens what survived on a disk that remembers, and loses power while that recovers. */
static void cut_again(struct run *run, const struct disk_image *image, uint64_t contents,
                      unsigned cut, uint64_t *seed)
{
    struct disk_image second = {0};
    struct loop loop;
    char why[512];
    const struct allowed allowed = {.contents = {contents}, .count = 1, .keyed = -1};
    disk_image_write(image, run->image, false);
    disk_watch(run->inner, run->image);
    struct store *store = script_open(run->image, &loop, why, sizeof why);
    assert(store);
    script_close(&loop, &store);
    disk_unwatch();
    struct disk_walk *walk = disk_walk_create(run->inner, *seed);
    const unsigned count = disk_count(run->inner);
    for (unsigned at = 0; at <= count; at += 1 + (unsigned)(disk_random(seed) % (1 + count / 8))) {
        const enum disk_survival how = (enum disk_survival)(disk_random(seed) % SURVIVES_COUNT);
        disk_walk_to(walk, at);
        disk_walk_image(walk, how, disk_random(seed), &second);
        (void)try_image(run, &second, run->second, cut, how, &allowed);
    }
    disk_walk_destroy(&walk);
    disk_image_finish(&second);
}

static void cut_at_random(struct run *run)
{
    struct disk_image image = {0};
    struct disk_walk *walk = disk_walk_create(run->disk, run->seed);
    uint64_t seed = run->seed;
    const unsigned count = disk_count(run->disk);
    unsigned cut = 0;
    while (cut <= count) {
        const struct allowed allowed = allowed_at(&run->script, cut);
        const enum disk_survival how = (enum disk_survival)(disk_random(&seed) % SURVIVES_COUNT);
        disk_walk_to(walk, cut);
        run->tally.torn += disk_walk_pending(walk) > 0;
        disk_walk_image(walk, how, disk_random(&seed), &image);
        const uint64_t contents = try_image(run, &image, run->image, cut, how, &allowed);
        if (contents != 0 && allowed.count > 0 && disk_random(&seed) % 8 == 0)
            cut_again(run, &image, contents, cut, &seed);
        cut += 1 + (unsigned)(disk_random(&seed) % (1 + 2 * count / SCRIPT_CUTS));
    }
    disk_walk_destroy(&walk);
    disk_image_finish(&image);
}

/* ---- a flush that fails ---- */

/* In a child, which the store ends. Answers whether it did. */
static bool run_until_failure(struct run *run)
{
    int status = 0;
    empty(run->folder);
    memset(run->seen, 0, SEEN_MOST * sizeof *run->seen);
    disk_watch(run->disk, run->folder);
    const pid_t child = fork();
    if (child == 0) {
        (void)!freopen("/dev/null", "w", stderr);
        script_run(&run->script, run->disk, run->folder, FAIL_STEPS, run->seed);
        _exit(0);
    }
    const pid_t ended = waitpid(child, &status, 0);
    assert(ended == child && WIFEXITED(status));
    (void)ended;
    const int code = WEXITSTATUS(status);
    assert(code == 0 || code == EXIT_FAILED || code == SCRIPT_NOT_OPENED);
    return code != 0;
}

/* The next start, on the same disk; and power is lost amid it and after it. It writes over what is
 * there, so no sector may become noise: a disk that fails in both ways at once keeps nothing. */
static void start_and_cut(struct run *run)
{
    struct disk_image image = {0};
    struct loop loop;
    char why[512];
    const unsigned failed = disk_count(run->disk);
    const struct allowed before = allowed_at(&run->script, failed);
    struct store *store = script_open(run->folder, &loop, why, sizeof why);
    assert(store);
    const unsigned open = disk_count(run->disk);
    const uint64_t contents = script_contents(run->folder, NULL);
    script_close(&loop, &store);
    disk_unwatch();
    struct disk_walk *walk = disk_walk_create(run->disk, run->seed);
    uint64_t seed = run->seed;
    for (unsigned cut = failed; cut <= disk_count(run->disk); cut++) {
        struct allowed allowed = before;
        allowed.count = before.count == 0 ? 0 : 2;
        allowed.contents[1] = contents;
        if (cut >= open)
            allowed = (struct allowed){.contents = {contents}, .count = 1};
        allowed.keyed = -1;
        disk_walk_to(walk, cut);
        run->tally.torn += disk_walk_pending(walk) > 0;
        for (unsigned i = 0; i < 3; i++) {
            const enum disk_survival how =
                (enum disk_survival)(disk_random(&seed) % SURVIVES_GARBAGE);
            disk_walk_image(walk, how, disk_random(&seed), &image);
            (void)try_image(run, &image, run->image, cut, how, &allowed);
        }
    }
    disk_walk_destroy(&walk);
    disk_image_finish(&image);
}

/* `enough`: it ends with the first fault. */
static void fail_flushes(struct run *run, int64_t until_ms, bool enough)
{
    unsigned failures = 0;
    uint64_t seed = run->seed;
    while (clock_mono_ms() < until_ms && !(enough && run->tally.wrong > 0)) {
        run->seed = disk_random(&seed);
        run->script.fail_step = 5 + (unsigned)(run->seed % 20);
        run->script.fail_nth = 1 + (unsigned)(run->seed / 32 % 6);
        if (run_until_failure(run)) {
            start_and_cut(run);
            failures++;
        } else {
            disk_unwatch();
        }
    }
    printf("%u flushes failed\n", failures);
}

/* ---- the command ---- */

static int report(const struct run *run, const char *what)
{
    const struct tally *tally = &run->tally;
    printf("%s, seed %" PRIu64 ": %u cuts, %u amid what was not flushed, %u images opened, %u "
           "acknowledged and lost, %u wrong\n",
           what, run->seed, tally->cuts, tally->torn, tally->opened, tally->lost, tally->wrong);
    printf("torture: %u cuts, %u images opened, %u lost, %u wrong\n", tally->cuts, tally->opened,
           tally->lost, tally->wrong);
    return tally->lost + tally->wrong > 0;
}

static void list_kinds(const struct script *script)
{
    unsigned counts[64] = {0};
    unsigned same = 0;
    for (unsigned i = 1; i < *script->count; i++) {
        counts[script->marks[i].kind]++;
        same += script->marks[i].contents == script->marks[i - 1].contents;
    }
    printf("writes:");
    for (unsigned i = 0; i < script_kind_count(); i++)
        printf(" %u %s", counts[i], script_kind_name(i));
    printf("; %u changed nothing\n", same);
}

static int run_exhaustive(uint64_t seed, unsigned share)
{
    struct run run;
    set_up(&run, seed);
    record(&run, STEPS);
    list_kinds(&run.script);
    cut_everywhere(&run, share);
    tear_down(&run);
    return report(&run, "exhaustive");
}

static int run_random(uint64_t seed, int64_t seconds)
{
    struct run run;
    const int64_t until_ms = clock_mono_ms() + seconds * 1000;
    set_up(&run, seed);
    uint64_t next = seed;
    unsigned scripts = 0;
    do {
        run.seed = disk_random(&next);
        record(&run, STEPS);
        cut_at_random(&run);
        scripts++;
    } while (clock_mono_ms() < until_ms);
    printf("%u scripts of %u writes\n", scripts, STEPS);
    run.seed = seed;
    tear_down(&run);
    return report(&run, "random");
}

static int run_flush(uint64_t seed, int64_t seconds, bool overlook)
{
    struct run run;
    set_up(&run, seed);
    disk_overlook(overlook);
    fail_flushes(&run, clock_mono_ms() + seconds * 1000, overlook);
    run.seed = seed;
    tear_down(&run);
    return report(&run, overlook ? "flush, control" : "flush");
}

/* The run must be wrong. */
static int expect(int found, const char *what)
{
    printf("%s: %s\n", what, found ? "found, as it must be" : "NOT FOUND");
    return !found;
}

static int run_control(const char *which, uint64_t seed)
{
    if (strcmp(which, "lying") == 0) {
        disk_lie(DISK_DATABASE, true);
        return expect(run_exhaustive(seed, 1), "a checkpoint that is not flushed");
    }
    return expect(run_flush(seed, 90, true), "a start that does not write the WAL again");
}

int main(int argc, char **argv)
{
    const char *way = argc > 1 ? argv[1] : "";
    const bool timed = strcmp(way, "random") == 0 || strcmp(way, "flush") == 0;
    const bool control = strcmp(way, "control") == 0 && argc > 2;
    const int at = timed || control ? 3 : 2;
    const uint64_t seed = argc > at ? strtoull(argv[at], NULL, 10)
                          : timed   ? (uint64_t)time(NULL)
                                    : 1;
    const int64_t seconds = timed && argc > 2 ? strtol(argv[2], NULL, 10) : 10;
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    database_setup();
    if (strcmp(way, "exhaustive") == 0)
        return run_exhaustive(seed, argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 1);
    if (strcmp(way, "random") == 0)
        return run_random(seed, seconds);
    if (strcmp(way, "flush") == 0)
        return run_flush(seed, seconds, false);
    if (control)
        return run_control(argv[2], seed);
    (void)fprintf(stderr,
                  "usage: power exhaustive [SEED [N]] | random SECONDS [SEED] | flush SECONDS "
                  "[SEED] | control lying|overlook [SEED]\n");
    return 2;
}
