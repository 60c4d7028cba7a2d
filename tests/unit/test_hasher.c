// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <sodium.h>

#include "auth/hasher.h"

#define PASSWORD SLICE("correct horse \0 b\xc3\xa4ttery staple")

struct loop {
    struct inbox *inbox;
    unsigned done;
};

static void count_done(struct password_job *job)
{
    struct loop *loop = job->caller;

    loop->done++;
}

/* Runs the inbox until so many jobs are done. */
static void wait_for(struct loop *loop, unsigned done)
{
    struct pollfd readable = {.fd = inbox_fd(loop->inbox), .events = POLLIN};

    while (loop->done < done) {
        if (poll(&readable, 1, 60000) <= 0) {
            fail_msg("only %u of %u jobs are done after a minute", loop->done, done);
        }
        inbox_run(loop->inbox);
    }
}

static struct password_job job_for(struct loop *loop, enum password_work work,
                                   struct slice password, const char *hash)
{
    struct password_job job = {
        .inbox = loop->inbox,
        .work = work,
        .password = password,
        .done = count_done,
        .caller = loop,
        .ok = true, /* rubbish that must not survive */
        .failed = true,
        .outdated = true,
    };

    snprintf(job.hash, sizeof job.hash, "%s", hash);
    return job;
}

static struct password_job run(struct hasher *hasher, struct loop *loop, enum password_work work,
                               struct slice password, const char *hash)
{
    struct password_job job = job_for(loop, work, password, hash);

    assert_true(hasher_submit(hasher, &job));
    wait_for(loop, loop->done + 1);
    return job;
}

struct fixture {
    struct hasher *hasher;
    struct loop loop;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    f->loop.inbox = inbox_create();
    f->hasher = hasher_create(1, 4);
    assert_non_null(f->loop.inbox);
    assert_non_null(f->hasher);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    hasher_destroy(&f->hasher);
    assert_null(f->hasher);
    inbox_destroy(&f->loop.inbox);
    free(f);
    return 0;
}

static void a_hash_verifies(void **state)
{
    static const struct slice others[] = {
        SLICE("correct horse "),
        SLICE("correct horse \0 b\xc3\xa4ttery stapl"),
        SLICE("correct horse \0 b\xc3\xa4ttery staple "),
        SLICE("Correct horse \0 b\xc3\xa4ttery staple"),
        {NULL, 0},
    };
    struct fixture *f = *state;
    const struct password_job made = run(f->hasher, &f->loop, PASSWORD_HASH, PASSWORD, "");
    struct password_job job;

    assert_true(made.ok && !made.failed);
    assert_memory_equal(made.hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31);
    job = run(f->hasher, &f->loop, PASSWORD_VERIFY, PASSWORD, made.hash);
    assert_true(job.ok && !job.failed && !job.outdated);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        job = run(f->hasher, &f->loop, PASSWORD_VERIFY, others[i], made.hash);
        assert_true(!job.ok && !job.failed && !job.outdated);
    }
}

static void every_hash_has_its_own_salt(void **state)
{
    struct fixture *f = *state;
    const struct password_job a = run(f->hasher, &f->loop, PASSWORD_HASH, PASSWORD, "");
    const struct password_job b = run(f->hasher, &f->loop, PASSWORD_HASH, PASSWORD, "");

    assert_string_not_equal(a.hash, b.hash);
}

static void no_password_at_all_is_hashed_too(void **state)
{
    struct fixture *f = *state;
    const struct slice nothing = {NULL, 0};
    const struct password_job made = run(f->hasher, &f->loop, PASSWORD_HASH, nothing, "");

    assert_true(made.ok);
    assert_true(run(f->hasher, &f->loop, PASSWORD_VERIFY, nothing, made.hash).ok);
    assert_false(run(f->hasher, &f->loop, PASSWORD_VERIFY, PASSWORD, made.hash).ok);
}

static void weaker_parameters_are_outdated(void **state)
{
    static const struct {
        unsigned passes;
        unsigned mebibytes;
        bool outdated;
    } cases[] = {{1, 19, true},  {3, 8, true},  {3, 19, false},
                 {1, 46, false}, {3, 12, true}, {4, 10, false}};
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char hash[PASSWORD_HASH_MOST];
        struct password_job job;
        assert_int_equal(crypto_pwhash_str_alg(hash, PASSWORD.ptr, PASSWORD.len, cases[i].passes,
                                               (size_t)cases[i].mebibytes * 1024 * 1024,
                                               crypto_pwhash_ALG_ARGON2ID13),
                         0);
        job = run(f->hasher, &f->loop, PASSWORD_VERIFY, PASSWORD, hash);
        assert_true(job.ok && !job.failed);
        assert_int_equal(job.outdated, cases[i].outdated);
        job = run(f->hasher, &f->loop, PASSWORD_VERIFY, SLICE("another"), hash);
        assert_true(!job.ok && !job.outdated && !job.failed);
    }
}

/* CPU time of the whole process, in microseconds. */
static int64_t cpu_us(void)
{
    struct rusage usage;

    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * INT64_C(1000000) +
           usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

/* An unknown user must cost what a known one costs; without the work it would be a thousandth. */
static void what_is_no_hash_costs_the_same_and_matches_nothing(void **state)
{
    static const char *const hashes[] = {
        "",
        "!",
        "$argon2id$",
        "$2b$12$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyz0123456",
    };
    struct fixture *f = *state;
    const struct password_job made = run(f->hasher, &f->loop, PASSWORD_HASH, PASSWORD, "");
    int64_t start = cpu_us();
    int64_t known = 0;

    assert_false(run(f->hasher, &f->loop, PASSWORD_VERIFY, SLICE("another"), made.hash).ok);
    known = cpu_us() - start;
    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++) {
        struct password_job job;
        start = cpu_us();
        job = run(f->hasher, &f->loop, PASSWORD_VERIFY, PASSWORD, hashes[i]);
        assert_true(!job.ok && !job.failed && !job.outdated);
        assert_true(cpu_us() - start > known / 4);
    }
}

/* ---- the queue ---- */

/* Jobs take milliseconds, submitting them does not: so many that the pool cannot keep up. */
#define MANY 512

static void a_full_queue_refuses(void **state)
{
    struct fixture *f = *state;
    struct password_job jobs[MANY];
    unsigned taken = 0;

    for (unsigned i = 0; i < MANY; i++) {
        jobs[i] = job_for(&f->loop, PASSWORD_HASH, PASSWORD, "");
        if (!hasher_submit(f->hasher, &jobs[i])) {
            break;
        }
        taken++;
        assert_in_range(hasher_waiting(f->hasher), 0, 4);
    }
    assert_in_range(taken, 4, MANY - 1);
    wait_for(&f->loop, taken);
    assert_int_equal(hasher_waiting(f->hasher), 0);
    for (unsigned i = 0; i < taken; i++) {
        assert_true(jobs[i].ok);
    }
    /* There is room again. */
    assert_true(run(f->hasher, &f->loop, PASSWORD_HASH, PASSWORD, "").ok);
}

static void the_end_drops_what_waits(void **state)
{
    struct loop loop = {inbox_create(), 0};
    struct hasher *hasher = hasher_create(1, MANY);
    struct password_job jobs[MANY];

    (void)state;
    for (unsigned i = 0; i < MANY; i++) {
        jobs[i] = job_for(&loop, PASSWORD_HASH, PASSWORD, "");
        assert_true(hasher_submit(hasher, &jobs[i]));
    }
    hasher_destroy(&hasher);
    assert_null(hasher);
    inbox_run(loop.inbox);
    assert_in_range(loop.done, 0, MANY - 1);
    inbox_destroy(&loop.inbox);
}

struct submitter {
    struct hasher *hasher;
    struct loop loop;
    struct password_job jobs[4];
};

static void *submit_some(void *argument)
{
    struct submitter *submitter = argument;

    for (int i = 0; i < 4; i++) {
        submitter->jobs[i] = job_for(&submitter->loop, PASSWORD_HASH, PASSWORD, "");
        assert_true(hasher_submit(submitter->hasher, &submitter->jobs[i]));
    }
    wait_for(&submitter->loop, 4);
    return NULL;
}

static void each_loop_gets_its_own_answers(void **state)
{
    struct hasher *hasher = hasher_create(2, 0);
    struct submitter submitters[3];
    pthread_t threads[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        submitters[i] = (struct submitter){.hasher = hasher, .loop = {inbox_create(), 0}};
        assert_int_equal(pthread_create(&threads[i], NULL, submit_some, &submitters[i]), 0);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(submitters[i].loop.done, 4);
        for (int j = 0; j < 4; j++) {
            assert_true(submitters[i].jobs[j].ok);
        }
        inbox_destroy(&submitters[i].loop.inbox);
    }
    hasher_destroy(&hasher);
    hasher_destroy(&hasher); /* nothing */
}

/* ---- memory; a sanitizer has its own ---- */

#ifndef TASKHOLD_SANITIZED

/* Pages of the process: all, or those in memory. */
static long pages(bool resident)
{
    char text[128] = "";
    FILE *file = fopen("/proc/self/statm", "r");
    char *end = NULL;
    long size = 0;

    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    size = strtol(text, &end, 10);
    return resident ? strtol(end, NULL, 10) : size;
}

static void memory_goes_back_after_a_hash(void **state)
{
    struct fixture *f = *state;
    const long mebibyte = 1024 * 1024 / sysconf(_SC_PAGESIZE);
    long before = 0;

    assert_true(run(f->hasher, &f->loop, PASSWORD_HASH, PASSWORD, "").ok);
    before = pages(true);
    for (int i = 0; i < 5; i++) {
        const struct password_job made = run(f->hasher, &f->loop, PASSWORD_HASH, PASSWORD, "");
        assert_true(run(f->hasher, &f->loop, PASSWORD_VERIFY, PASSWORD, made.hash).ok);
    }
    assert_true(pages(true) - before < mebibyte);
    assert_true(before < 19 * mebibyte);
}

/* Without memory nothing is known: neither made nor another password. */
static void no_memory_is_a_failure_and_no_answer(void **state)
{
    struct fixture *f = *state;
    const struct password_job made = run(f->hasher, &f->loop, PASSWORD_HASH, PASSWORD, "");
    struct rlimit usual;
    struct rlimit tight;
    struct password_job jobs[3];

    assert_int_equal(getrlimit(RLIMIT_AS, &usual), 0);
    tight = usual;
    tight.rlim_cur = (rlim_t)(pages(false) * sysconf(_SC_PAGESIZE)) + 4 * 1024 * 1024;
    assert_int_equal(setrlimit(RLIMIT_AS, &tight), 0);
    jobs[0] = run(f->hasher, &f->loop, PASSWORD_HASH, PASSWORD, "");
    jobs[1] = run(f->hasher, &f->loop, PASSWORD_VERIFY, PASSWORD, made.hash);
    jobs[2] = run(f->hasher, &f->loop, PASSWORD_VERIFY, PASSWORD, "");
    assert_int_equal(setrlimit(RLIMIT_AS, &usual), 0);
    for (int i = 0; i < 3; i++) {
        assert_true(jobs[i].failed && !jobs[i].ok && !jobs[i].outdated);
    }
    assert_true(run(f->hasher, &f->loop, PASSWORD_VERIFY, PASSWORD, made.hash).ok);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_hash_verifies, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_hash_has_its_own_salt, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_password_at_all_is_hashed_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(weaker_parameters_are_outdated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_hash_costs_the_same_and_matches_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_full_queue_refuses, set_up, tear_down),
        cmocka_unit_test(the_end_drops_what_waits),
        cmocka_unit_test(each_loop_gets_its_own_answers),
#ifndef TASKHOLD_SANITIZED
        cmocka_unit_test_setup_teardown(memory_goes_back_after_a_hash, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_memory_is_a_failure_and_no_answer, set_up, tear_down),
#endif
    };

    return cmocka_run_group_tests_name("hasher", tests, NULL, NULL);
}
