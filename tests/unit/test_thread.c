// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "sanitizers.h"

struct seen {
    char name[16];
    size_t stack;
    sigset_t blocked;
};

static void *look(void *argument)
{
    struct seen *seen = argument;
    pthread_attr_t attributes;

    (void)pthread_getname_np(pthread_self(), seen->name, sizeof seen->name);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &seen->blocked);
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        (void)pthread_attr_getstacksize(&attributes, &seen->stack);
        pthread_attr_destroy(&attributes);
    }
    return argument;
}

static void has_a_name_a_stack_and_no_signals(void **state)
{
    struct seen seen = {0};
    sigset_t before;
    sigset_t after;
    pthread_t thread;
    void *result = NULL;

    (void)state;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    assert_true(thread_start(&thread, "sixteen letters!", (size_t)512 * 1024, look, &seen));
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, &seen);
    assert_string_equal(seen.name, "sixteen letters");
    assert_in_range(seen.stack, 512 * 1024, 600 * 1024);
    assert_int_equal(sigismember(&seen.blocked, SIGTERM), 1);
    assert_int_equal(sigismember(&seen.blocked, SIGHUP), 1);
    /* Blocked, it would end the process before any handler could tell of it. */
    assert_int_equal(sigismember(&seen.blocked, SIGSEGV), 0);
    assert_int_equal(sigismember(&seen.blocked, SIGABRT), 0);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    for (int number = 1; number < 32; number++) {
        assert_int_equal(sigismember(&before, number), sigismember(&after, number));
    }
}

static void says_why_it_cannot_start(void **state)
{
    pthread_t thread;

    (void)state;
    assert_false(thread_start(&thread, "huge", (size_t)1 << 46, look, NULL));
    assert_int_not_equal(errno, 0);
}

static void waits_no_longer_than_it_may(void **state)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t condition;
    const int64_t until_ms = clock_mono_ms() + 30;

    (void)state;
    assert_true(thread_condition_init(&condition));
    pthread_mutex_lock(&lock);
    while (thread_wait_until(&condition, &lock, until_ms)) {
    }
    assert_true(clock_mono_ms() >= until_ms);
    assert_false(thread_wait_until(&condition, &lock, 0));
    pthread_mutex_unlock(&lock);
    pthread_cond_destroy(&condition);
}

/* ---- a call in every thread ---- */

struct herd {
    pthread_mutex_t lock;
    atomic_int calls;
    pthread_t seen[8];
};

static void *wait_in_herd(void *argument)
{
    struct herd *herd = argument;
    pthread_mutex_lock(&herd->lock);
    pthread_mutex_unlock(&herd->lock);
    return NULL;
}

static bool count_call(void *argument)
{
    struct herd *herd = argument;
    const int number = atomic_fetch_add(&herd->calls, 1);
    herd->seen[number] = pthread_self();
    return true;
}

static bool refuse_in_third(void *argument)
{
    struct herd *herd = argument;
    return atomic_fetch_add(&herd->calls, 1) != 2;
}

static void a_call_is_made_in_every_thread_once(void **state)
{
    struct herd herd = {.lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t threads[4];

    (void)state;
    if (UNDER_TSAN) {
        print_message("SKIPPED: ThreadSanitizer keeps signals from threads that wait\n");
        skip();
    }
    pthread_mutex_lock(&herd.lock);
    for (size_t i = 0; i < 4; i++) {
        assert_true(thread_start(&threads[i], "herd", 0, wait_in_herd, &herd));
    }
    assert_true(thread_run_everywhere(count_call, &herd));
    assert_int_equal(atomic_load(&herd.calls), 5);
    for (size_t i = 0; i < 4; i++) {
        unsigned found = 0;
        for (size_t j = 0; j < 5; j++) {
            found += pthread_equal(threads[i], herd.seen[j]) ? 1 : 0;
        }
        assert_int_equal(found, 1);
    }
    atomic_store(&herd.calls, 0);
    assert_false(thread_run_everywhere(refuse_in_third, &herd));
    assert_int_equal(atomic_load(&herd.calls), 5);
    pthread_mutex_unlock(&herd.lock);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    atomic_store(&herd.calls, 0);
    assert_true(thread_run_everywhere(count_call, &herd));
    assert_int_equal(atomic_load(&herd.calls), 1); /* who has ended is not asked */
}

/* How a thread shares a processor, as the kernel tells it: sched_getattr(2). */
struct shared {
    enum thread_share share;
    int nice;
    struct {
        uint32_t size;
        uint32_t policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime_ns;
        uint64_t others[2];
    } kept;
    bool told;
};

static void *share(void *argument)
{
    struct shared *shared = argument;

    thread_share(shared->share);
    shared->nice = getpriority(PRIO_PROCESS, (id_t)gettid());
    shared->told =
        syscall(SYS_sched_getattr, 0, &shared->kept, (unsigned)sizeof shared->kept, 0) == 0;
    return NULL;
}

static struct shared share_as(enum thread_share how)
{
    struct shared shared = {.share = how};
    pthread_t thread;

    assert_true(thread_start(&thread, "share", 0, share, &shared));
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(shared.told);
    return shared;
}

static void a_patient_thread_lets_others_go_first(void **state)
{
    (void)state;
    const int before = getpriority(PRIO_PROCESS, 0);
    assert_int_equal(share_as(THREAD_PATIENT).nice, before > 10 ? before : 10);
    assert_int_equal(getpriority(PRIO_PROCESS, 0), before);
}

static void a_prompt_thread_has_short_slices(void **state)
{
    (void)state;
    struct utsname system;
    int version[2] = {0};
    const struct shared shared = share_as(THREAD_PROMPT);

    assert_int_equal(shared.nice, getpriority(PRIO_PROCESS, 0));
    assert_int_equal(shared.kept.policy, sched_getscheduler(0));
    assert_int_equal(uname(&system), 0);
    char *rest = NULL;
    version[0] = (int)strtol(system.release, &rest, 10);
    version[1] = *rest == '.' ? (int)strtol(rest + 1, NULL, 10) : 0;
    if (version[0] < 6 || (version[0] == 6 && version[1] < 12)) {
        print_message("SKIPPED: Linux before 6.12 has one slice for all\n");
        skip();
    }
    assert_int_equal(shared.kept.runtime_ns, 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_a_name_a_stack_and_no_signals),
        cmocka_unit_test(says_why_it_cannot_start),
        cmocka_unit_test(waits_no_longer_than_it_may),
        cmocka_unit_test(a_call_is_made_in_every_thread_once),
        cmocka_unit_test(a_patient_thread_lets_others_go_first),
        cmocka_unit_test(a_prompt_thread_has_short_slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
