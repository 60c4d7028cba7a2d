// SPDX-License-Identifier: MIT
#include "failing.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

/* Set by the environment: SEED and EVERY, one of so many ways is tried; TESTS, one of so many tests
 * is; TEST, what the names of the tests hold; WAY, that one alone; DEPTH; SECONDS, after
 * which nothing is begun; PLANTED=1, the control. */
#define WAYS_MOST     65536
#define DEPTH         6  /* calls above the one that fails that tell one way from another */
#define ENDS_FAILED   1  /* the test failed */
#define ENDS_ENGINE   70 /* the engine ended the process, as it must after a failed commit */
#define ENDS_WRONG    98
#define HANGS_SECONDS 100 /* a test may wait for 20 s more than once */
#define SHOWN_BYTES   3000

extern const char __executable_start; // NOLINT(bugprone-reserved-identifier)
extern const char etext;

/* Shared by the parent and the run. */
struct shared {
    _Atomic uint64_t ways[WAYS_MOST]; /* 0: none */
    const char *names[WAYS_MOST];
    atomic_int struck[FAILING_KINDS];
    char place[FAILING_PLACE_BYTES];
};

struct group {
    const char *name;
    CMFixtureFunction setup;
    CMFixtureFunction teardown;
};

static struct shared *shared;
static bool noting;      /* this run notes the ways that it takes */
static uint64_t armed;   /* that one fails; 0: none */
static atomic_bool done; /* it has failed */
static uint64_t seed;
static uint64_t depth;
static int64_t ends_ms;
static uint64_t tried[WAYS_MOST]; /* ways of which a run was made; the parent's */
static size_t tried_count;
static unsigned long tests_done;
static unsigned long runs;
static unsigned long wrong;
static unsigned long failed; /* runs in which the test failed */
static unsigned long ended;  /* runs that the engine ended */
bool failing_planted;
char *failing_place;

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

static uint64_t mix(uint64_t hash, uint64_t number)
{
    hash = (hash ^ number) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

/* ---- in the run ---- */

static bool is_core(uintptr_t address)
{
    return address >= (uintptr_t)failing_core_begins && address < (uintptr_t)&etext;
}

static uintptr_t top_of_stack(void)
{
    static _Thread_local uintptr_t top;
    pthread_attr_t attributes;
    void *lowest = NULL;
    size_t size = 0;
    if (top == 0 && pthread_getattr_np(pthread_self(), &attributes) == 0) {
        (void)pthread_attr_getstack(&attributes, &lowest, &size);
        (void)pthread_attr_destroy(&attributes);
        top = (uintptr_t)lowest + size;
    }
    return top;
}

/* Fills in who called, who called that, and so on, by the frames that each function keeps. */
static unsigned callers_of(const void *frame, uintptr_t *callers, unsigned most)
{
    const uintptr_t top = top_of_stack();
    const uintptr_t *at = frame;
    unsigned count = 0;
    while (count < most && (uintptr_t)at <= top - 2 * sizeof *at) {
        callers[count++] = at[1];
        if (at[0] <= (uintptr_t)at)
            break;
        at = (const uintptr_t *)at[0];
    }
    return count;
}

/* 0: not from the program under test. */
static uint64_t way_of(const char *name, const void *frame)
{
    uintptr_t callers[32] = {0};
    const unsigned most = depth < 32 ? (unsigned)depth : 32;
    const unsigned count = callers_of(frame, callers, most);
    uint64_t way = 1;
    for (const char *letter = name; *letter; letter++)
        way = mix(way, (unsigned char)*letter);
    if (count == 0 || !is_core(callers[0]))
        return 0;
    for (unsigned i = 0; i < count && is_core(callers[i]); i++)
        way = mix(way, callers[i] - (uintptr_t)&__executable_start);
    return way == 0 ? 1 : way;
}

static void note(uint64_t way, const char *name)
{
    for (size_t i = 0; i < WAYS_MOST; i++) {
        const size_t at = (way + i) % WAYS_MOST;
        uint64_t there = atomic_load(&shared->ways[at]);
        if (there == 0 && atomic_compare_exchange_strong(&shared->ways[at], &there, way)) {
            shared->names[at] = name;
            return;
        }
        if (there == way)
            return;
    }
}

bool failing_now(enum failing_kind kind, const char *name, const void *frame)
{
    if (!noting && armed == 0)
        return false;
    const int error = errno;
    const uint64_t way = way_of(name, frame);
    errno = error;
    if (noting && way != 0)
        note(way, name);
    if (armed == 0 || way != armed || atomic_exchange(&done, true))
        return false;
    atomic_store(&shared->struck[kind], 1);
    return true;
}

bool failing_struck(enum failing_kind kind)
{
    return shared && atomic_load(&shared->struck[kind]) != 0;
}

bool failing_is_first(void)
{
    return tests_done == 0;
}

void failing_wrong(const char *what)
{
    (void)fprintf(stderr, "failing: %s\n", what);
    _exit(ENDS_WRONG);
}

void failing_assert(const void *frame)
{
    uintptr_t callers[2] = {0};
    if (atomic_load(&done) && callers_of(frame, callers, 2) == 2 && !is_core(callers[1]))
        _exit(ENDS_FAILED);
}

/* ---- in the parent ---- */

static void begin(void)
{
    if (shared)
        return;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        abort();
    failing_place = shared->place;
    failing_planted = setting("PLANTED", 0) != 0;
    seed = setting("SEED", 1);
    depth = setting("DEPTH", DEPTH);
    ends_ms = clock_mono_ms() + 1000 * (int64_t)setting("SECONDS", 86400);
}

static bool is_tried(uint64_t way)
{
    size_t at = way % WAYS_MOST;
    while (tried[at] != 0 && tried[at] != way)
        at = (at + 1) % WAYS_MOST;
    if (tried[at] == way || tried_count >= WAYS_MOST / 2)
        return true;
    tried[at] = way;
    tried_count++;
    return false;
}

static bool is_chosen(uint64_t way)
{
    const uint64_t only = setting("WAY", 0);
    const uint64_t every = setting("EVERY", 1);
    return way != 0 && (only != 0 ? only == way : every == 0 || (mix(way, seed) >> 8) % every == 0);
}

static bool is_wanted(const char *test)
{
    const char *part = getenv("TEST");
    const uint64_t of = setting("TESTS", 1);
    uint64_t hash = 1;
    for (const char *letter = test; *letter; letter++)
        hash = mix(hash, (unsigned char)*letter);
    return (!part || strstr(test, part)) && (of == 0 || (mix(hash, seed) >> 8) % of == 0);
}

int __real__cmocka_run_group_tests(const char *group, const struct CMUnitTest *tests, size_t count,
                                   CMFixtureFunction setup, CMFixtureFunction teardown);
int __wrap__cmocka_run_group_tests(const char *group, const struct CMUnitTest *tests, size_t count,
                                   CMFixtureFunction setup, CMFixtureFunction teardown);

static void run_child(const struct group *group, const struct CMUnitTest *test, uint64_t way,
                      int output)
{
    (void)!ftruncate(output, 0);
    (void)lseek(output, 0, SEEK_SET);
    (void)dup2(output, STDOUT_FILENO);
    (void)dup2(output, STDERR_FILENO);
    (void)alarm(HANGS_SECONDS);
    noting = way == 0;
    armed = way;
    const int bad =
        __real__cmocka_run_group_tests(group->name, test, 1, group->setup, group->teardown);
    noting = false;
    armed = 0;
    (void)fflush(NULL);
    _exit(bad ? ENDS_FAILED : 0);
}

/* Runs one test in a process of its own; gives how that ended, as waitpid says. */
static int run(const struct group *group, const struct CMUnitTest *test, uint64_t way, int output)
{
    int status = 0;
    for (unsigned i = 0; i < FAILING_KINDS; i++)
        atomic_store(&shared->struck[i], 0);
    shared->place[0] = '\0';
    (void)fflush(NULL);
    const pid_t child = fork();
    if (child == 0)
        run_child(group, test, way, output);
    if (child < 0 || waitpid(child, &status, 0) != child)
        abort();
    return status;
}

static void show(int output)
{
    char text[SHOWN_BYTES];
    struct stat status;
    const off_t len = fstat(output, &status) == 0 ? status.st_size : 0;
    const ssize_t got = pread(output, text, SHOWN_BYTES, len > SHOWN_BYTES ? len - SHOWN_BYTES : 0);
    (void)fwrite(text, 1, got > 0 ? (size_t)got : 0, stdout);
}

/* cmocka turns a crash into a test that failed. */
static bool has_crashed(int output)
{
    static char text[65536];
    const ssize_t got = pread(output, text, sizeof text - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    return strstr(text, "failed with exception") != NULL;
}

static void judge(const struct CMUnitTest *test, const char *name, uint64_t way, int status,
                  int output)
{
    const char *left = shared->place[0] && failing_judge ? failing_judge(shared->place) : NULL;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (code == ENDS_FAILED && has_crashed(output))
        code = ENDS_WRONG;
    runs += way != 0;
    ended += code == ENDS_ENGINE;
    failed += code == ENDS_FAILED;
    if (!left && (code == 0 || (way != 0 && (code == ENDS_FAILED || code == ENDS_ENGINE))))
        return;
    wrong++;
    (void)printf("WRONG: %s, %s fails (WAY=%llu): it ended with %d; %s\n", test->name, name,
                 (unsigned long long)way, code, left ? left : "");
    show(output);
}

static void try_test(const struct group *group, const struct CMUnitTest *test, int output)
{
    memset(shared->names, 0, sizeof shared->names);
    for (size_t i = 0; i < WAYS_MOST; i++)
        atomic_store(&shared->ways[i], 0);
    judge(test, "nothing", 0, run(group, test, 0, output), output);
    for (size_t i = 0; i < WAYS_MOST && clock_mono_ms() < ends_ms; i++) {
        const uint64_t way = atomic_load(&shared->ways[i]);
        if (is_chosen(way) && !is_tried(way))
            judge(test, shared->names[i], way, run(group, test, way, output), output);
    }
    tests_done++;
}

int __wrap__cmocka_run_group_tests(const char *group, const struct CMUnitTest *tests, size_t count,
                                   CMFixtureFunction setup, CMFixtureFunction teardown)
{
    const struct group whole = {group, setup, teardown};
    const int output = memfd_create("output", MFD_CLOEXEC);
    begin();
    if (output < 0)
        abort();
    const unsigned long before = wrong;
    for (size_t i = 0; i < count; i++) {
        if (clock_mono_ms() < ends_ms && is_wanted(tests[i].name))
            try_test(&whole, &tests[i], output);
    }
    (void)close(output);
    (void)printf("%s: %lu tests, %lu calls failed, %lu wrong; the test failed with %lu, the engine "
                 "ended the process with %lu\n",
                 group, tests_done, runs, wrong, failed, ended);
    (void)fflush(stdout);
    return (int)(wrong - before);
}
