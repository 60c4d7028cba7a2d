// SPDX-License-Identifier: MIT
#include "base/thread.h"

#include <assert.h>
#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/crash.h"

/* Tells a thread to make a call; see thread_run_everywhere. The C library keeps two below it. */
#define THREAD_SIGNAL SIGRTMIN

#define PROMPT_SLICE_NS 100000 /* the least that the kernel takes */
#define PATIENT_NICE    10
#define KEEP_POLICY     0x08 /* SCHED_FLAG_KEEP_POLICY */

#define NAME_LEN 16 /* with its NUL; pthread_setname_np takes no more */

/* What a new thread needs to begin, and what is known of it while it runs. */
struct beginning {
    void *(*run)(void *);
    void *argument;
    char name[NAME_LEN];
    pthread_t thread;
    struct beginning *next; /* of `running` */
};

/* Every thread that thread_start has made and that has not come to its end. */
static pthread_mutex_t running_lock = PTHREAD_MUTEX_INITIALIZER;
static struct beginning *running;

static void forget_thread(const struct beginning *gone)
{
    pthread_mutex_lock(&running_lock);
    struct beginning **link = &running;
    while (*link != gone) {
        link = &(*link)->next;
    }
    *link = gone->next;
    pthread_mutex_unlock(&running_lock);
}

static void *begin(void *argument)
{
    struct beginning *beginning = argument;
    struct crash_stack stack;

    (void)pthread_setname_np(pthread_self(), beginning->name);
    crash_stack_begin(&stack);
    void *result = beginning->run(beginning->argument);
    crash_stack_end(&stack);
    forget_thread(beginning);
    free(beginning);
    return result;
}

bool thread_start(pthread_t *thread, const char *name, size_t stack_bytes, void *(*run)(void *),
                  void *argument)
{
    struct beginning *beginning = NULL;
    pthread_attr_t attributes;
    sigset_t blocked;
    sigset_t before;

    assert(thread && name && run);
    errno = pthread_attr_init(&attributes);
    if (errno != 0) {
        return false;
    }
    if (stack_bytes > 0) {
        errno = pthread_attr_setstacksize(&attributes, stack_bytes);
        assert(errno == 0); /* it is above PTHREAD_STACK_MIN */
    }
    int result = ENOMEM;
    beginning = malloc(sizeof *beginning);
    if (beginning) {
        *beginning = (struct beginning){.run = run, .argument = argument};
        (void)snprintf(beginning->name, sizeof beginning->name, "%s", name);
        sigfillset(&blocked);
        crash_let_through(&blocked);
        sigdelset(&blocked, THREAD_SIGNAL);
        pthread_sigmask(SIG_SETMASK, &blocked, &before);
        pthread_mutex_lock(&running_lock);
        result = pthread_create(thread, &attributes, begin, beginning);
        if (result == 0) {
            beginning->thread = *thread;
            beginning->next = running;
            running = beginning;
        }
        pthread_mutex_unlock(&running_lock);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    pthread_attr_destroy(&attributes);
    if (result != 0) {
        free(beginning);
    }
    errno = result;
    return result == 0;
}

/* ---- a call in every thread ---- */

static bool (*everywhere)(void *argument);
static void *everywhere_argument;
static atomic_bool everywhere_failed;
static sem_t everywhere_done;

static void on_everywhere(int number)
{
    const int before = errno;

    (void)number;
    if (!everywhere(everywhere_argument)) {
        atomic_store(&everywhere_failed, true);
    }
    sem_post(&everywhere_done);
    errno = before;
}

bool thread_run_everywhere(bool (*run)(void *argument), void *argument)
{
    const struct sigaction told = {.sa_handler = on_everywhere, .sa_flags = (int)SA_RESTART};
    const struct sigaction ignored = {.sa_handler = SIG_IGN};
    bool good = true;

    assert(run);
    /* While it is locked no thread is made and none ends; one that is made later has what its maker
     * has. */
    pthread_mutex_lock(&running_lock);
    everywhere = run;
    everywhere_argument = argument;
    atomic_store(&everywhere_failed, false);
    sem_init(&everywhere_done, 0, 0);
    sigaction(THREAD_SIGNAL, &told, NULL);
    for (const struct beginning *at = running; at; at = at->next) {
        if (pthread_equal(at->thread, pthread_self())) {
            continue;
        }
        if (pthread_kill(at->thread, THREAD_SIGNAL) != 0) {
            good = false;
            continue;
        }
        while (sem_wait(&everywhere_done) != 0) {
        }
    }
    sigaction(THREAD_SIGNAL, &ignored, NULL);
    sem_destroy(&everywhere_done);
    good = run(argument) && good && !atomic_load(&everywhere_failed);
    pthread_mutex_unlock(&running_lock);
    return good;
}

/* sched_setattr(2), for which the C library has no call. */
struct attributes {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns; /* the slice, since Linux 6.12 */
    uint64_t deadline_ns;
    uint64_t period_ns;
};

_Static_assert(sizeof(struct attributes) == 48, "SCHED_ATTR_SIZE_VER0");

void thread_share(enum thread_share share)
{
    const int nice_before = getpriority(PRIO_PROCESS, (id_t)gettid()); /* of this thread alone */
    if (share == THREAD_PATIENT) {
        if (nice_before < PATIENT_NICE) {
            (void)setpriority(PRIO_PROCESS, (id_t)gettid(), PATIENT_NICE);
        }
        return;
    }
    const struct attributes prompt = {
        .size = sizeof prompt,
        .flags = KEEP_POLICY,
        .nice = nice_before,
        .runtime_ns = PROMPT_SLICE_NS,
    };
    (void)syscall(SYS_sched_setattr, 0, &prompt, 0);
}

bool thread_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    assert(condition);
    errno = pthread_condattr_init(&attributes);
    if (errno == 0) {
        errno = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        errno = errno == 0 ? pthread_cond_init(condition, &attributes) : errno;
        pthread_condattr_destroy(&attributes);
    }
    return errno == 0;
}

bool thread_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until_ms)
{
    const struct timespec until = {.tv_sec = (time_t)(until_ms / 1000),
                                   .tv_nsec = (long)(until_ms % 1000) * 1000000};

    assert(condition && lock && until_ms >= 0);
    return pthread_cond_timedwait(condition, lock, &until) != ETIMEDOUT;
}

/* ---- the inbox of a loop ---- */

/* A stack that many threads push to and one empties at once; the reader reverses it, which
 * restores the order of posting. */
struct inbox {
    _Atomic(struct inbox_message *) newest;
    int fd;
};

struct inbox *inbox_create(void)
{
    struct inbox *inbox = malloc(sizeof *inbox);

    if (!inbox) {
        return NULL;
    }
    atomic_init(&inbox->newest, NULL);
    inbox->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (inbox->fd < 0) {
        free(inbox);
        return NULL;
    }
    return inbox;
}

void inbox_destroy(struct inbox **inbox)
{
    assert(inbox);
    if (*inbox) {
        close((*inbox)->fd);
        free(*inbox);
        *inbox = NULL;
    }
}

int inbox_fd(const struct inbox *inbox)
{
    assert(inbox);
    return inbox->fd;
}

void inbox_post(struct inbox *inbox, struct inbox_message *message)
{
    assert(inbox && message && message->run);
    const uint64_t one = 1;
    const int fd = inbox->fd;
    struct inbox_message *below = atomic_load_explicit(&inbox->newest, memory_order_relaxed);

    do {
        message->next = below;
    } while (!atomic_compare_exchange_weak_explicit(&inbox->newest, &below, message,
                                                    memory_order_release, memory_order_relaxed));
    /* Full (EAGAIN) means readable, which is all that is wanted. */
    while (!below && write(fd, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

bool inbox_run(struct inbox *inbox)
{
    assert(inbox);
    struct inbox_message *oldest = NULL;
    uint64_t posts = 0;

    /* The eventfd first: a message posted after the exchange then makes it readable again. */
    while (read(inbox->fd, &posts, sizeof posts) < 0 && errno == EINTR) {
    }
    struct inbox_message *newest =
        atomic_exchange_explicit(&inbox->newest, NULL, memory_order_acquire);
    const bool any = newest != NULL;
    while (newest) {
        struct inbox_message *below = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = below;
    }
    while (oldest) {
        /* Read before the run, which may free the message. */
        struct inbox_message *next = oldest->next;
        oldest->run(oldest);
        oldest = next;
    }
    return any;
}
