// SPDX-License-Identifier: MIT
#include "store/sqlite/writer.h"

#include <assert.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/point.h"
#include "base/thread.h"
#include "store/admission.h"
#include "store/sqlite/database.h"
#include "store/sqlite/file.h"
#include "store/sqlite/file_watch.h"
#include "store/sqlite/maintenance.h"
#include "store/sqlite/session.h"

#define QUEUE_LEAST        32
#define QUEUE_MOST         4096
#define LOOK_MS            1000    /* between two looks at whether the file was moved */
#define BUSY_LOOK_MS       5       /* the same before a commit, and after one of several writes */
#define WAIT_MOST_US       5000000 /* an operation that waited longer is refused, not run */
#define LARGE_WAITING_MOST 256
#define EXIT_SOFTWARE      70 /* of sysexits.h */

struct writer {
    sqlite3 *db;
    struct transaction transaction;
    struct maintenance maintenance;
    void (*sessions_ended)(void *context, struct uuid user);
    void (*committed)(void *context, struct uuid space, int64_t revision);
    void *context;
    struct admission admission;
    pthread_t thread;
    bool started;
    int last_error; /* logged once, not for each batch that meets it */
    int64_t looked_ms;
    struct file_watch watch;

    atomic_uint waiting; /* admitted and not yet taken */
    atomic_uint waiting_large;
    atomic_uint_fast64_t commits;
    atomic_bool writable;
    atomic_bool moved;
    atomic_bool damaged;

    pthread_mutex_t lock;
    pthread_cond_t sent;     /* or stopping */
    pthread_cond_t answered; /* for writer_wait */
    struct store_op *first;
    struct store_op **end;
    bool stopping;
};

bool writer_admit(struct writer *writer, const struct writer_work *work)
{
    /* The large ones have a queue of their own, as they have a share of their own. */
    atomic_uint *waiting = work->large ? &writer->waiting_large : &writer->waiting;
    unsigned before = atomic_fetch_add_explicit(waiting, 1, memory_order_relaxed);
    if (work->large ? before < LARGE_WAITING_MOST : admission_asks(&writer->admission, before)) {
        metrics_add(METRIC_STORE_QUEUE, 1);
        return true;
    }
    metrics_count(METRIC_STORE_REFUSED, "queue_full");
    atomic_fetch_sub_explicit(waiting, 1, memory_order_relaxed);
    return false;
}

void writer_send(struct writer *writer, struct store_session *session, struct store_op *first,
                 unsigned count)
{
    assert(session && session->writer == writer);
    assert(first && count > 0 && count <= writer->admission.most + LARGE_WAITING_MOST);
    struct store_op *last = first;
    while (last->next)
        last = last->next;
    pthread_mutex_lock(&writer->lock);
    bool was_empty = writer->first == NULL;
    *writer->end = first;
    writer->end = &last->next;
    session->mailbox.held += count;
    pthread_mutex_unlock(&writer->lock);
    if (was_empty)
        pthread_cond_signal(&writer->sent);
}

void writer_wait(struct writer *writer, const struct store_session *session)
{
    assert(session && session->writer == writer);
    assert(!session->outgoing); /* or it would wait for what was never sent */
    pthread_mutex_lock(&writer->lock);
    while (session->mailbox.held > 0)
        pthread_cond_wait(&writer->answered, &writer->lock);
    pthread_mutex_unlock(&writer->lock);
}

const atomic_uint_fast64_t *writer_commits(const struct writer *writer)
{
    assert(writer);
    return &writer->commits;
}

bool writer_writable(const struct writer *writer)
{
    assert(writer);
    return atomic_load_explicit(&writer->writable, memory_order_relaxed);
}

bool writer_moved(const struct writer *writer)
{
    assert(writer);
    return atomic_load_explicit(&writer->moved, memory_order_relaxed);
}

bool writer_damaged(const struct writer *writer)
{
    assert(writer);
    return atomic_load_explicit(&writer->damaged, memory_order_relaxed);
}

void writer_stop_writes(struct writer *writer, int rc)
{
    assert(rc != SQLITE_OK);
    atomic_store(&writer->damaged, true);
    if (atomic_exchange(&writer->writable, false))
        log_message(LOG_ERROR, "database_damaged",
                    "%s: writes are refused until it is repaired or restored", sqlite3_errstr(rc));
}

/* Nothing that this process still does can be believed by a client: end it before any answer. */
static _Noreturn void die(const struct writer *writer, const char *what, int rc)
{
    file_doubt(sqlite3_db_filename(writer->db, "main"), true);
    log_message(LOG_ERROR, "storage_failed", "%s: %s (%d); ending", what, sqlite3_errstr(rc), rc);
    log_stop();
    _exit(EXIT_SOFTWARE);
}

/* ---- is the file still there? ---- */

/* What was acknowledged goes into the file, wherever that is now: its WAL may not have gone along.
 * A failure of that is no other answer. */
static void stop_for_move(struct writer *writer)
{
    atomic_store(&writer->moved, true);
    atomic_store(&writer->writable, false);
    log_message(LOG_ERROR, "database_moved",
                "the database file was moved or removed: writes are refused; put it back and "
                "restart the server");
    (void)maintenance_checkpoint_all(&writer->maintenance);
}

static bool look(struct writer *writer)
{
    writer->looked_ms = clock_mono_ms();
    if (writer_writable(writer) && file_watch_is_moved(&writer->watch))
        stop_for_move(writer);
    return !writer_moved(writer);
}

/* As look(), but no more often than every BUSY_LOOK_MS. */
static bool look_if_due(struct writer *writer)
{
    if (clock_mono_ms() - writer->looked_ms < BUSY_LOOK_MS)
        return !writer_moved(writer);
    return look(writer);
}

/* After a commit and before it is answered; a look costs little beside one operation's answer, and
 * much beside those of hundreds. */
static bool look_after(struct writer *writer, const struct store_op *first)
{
    return first->next ? look_if_due(writer) : look(writer);
}

/* ---- answers ---- */

/* On the loop: completes every operation of the chain. */
static void complete(struct inbox_message *message)
{
    struct store_op *op = (struct store_op *)((char *)message - offsetof(struct store_op, message));
    while (op) {
        struct store_op *next = op->next; /* `op` belongs to the caller as soon as it is done */
        op->done(op);
        op = next;
    }
}

static struct store_session *sort_answers(struct store_op *first)
{
    struct store_session *sessions = NULL;
    for (struct store_op *op = first, *next; op; op = next) {
        struct writer_mailbox *box = &op->session->mailbox;
        next = op->next;
        op->next = NULL;
        if (box->answers) {
            box->last_answer->next = op;
        } else {
            box->answers = op;
            box->next = sessions;
            sessions = op->session;
        }
        box->last_answer = op;
        box->answer_count++;
    }
    return sessions;
}

/* One message for each session that has answers. */
static void answer(struct writer *writer, struct store_op *first)
{
    struct store_session *next = NULL;
    for (struct store_session *session = sort_answers(first); session; session = next) {
        struct writer_mailbox *box = &session->mailbox;
        struct store_op *answers = box->answers;
        unsigned count = box->answer_count;
        next = box->next;
        box->answers = NULL;
        box->answer_count = 0;
        answers->message.run = complete;
        POINT(SQLITE_BEFORE_ANSWER);
        inbox_post(session->inbox, &answers->message);
        pthread_mutex_lock(&writer->lock);
        box->held -= count;
        if (box->held == 0)
            pthread_cond_broadcast(&writer->answered);
        pthread_mutex_unlock(&writer->lock);
    }
}

/* ---- the transaction ---- */

void writer_note_ended(struct transaction *t, const struct uuid *user)
{
    assert(t->ended_count < WRITER_BATCH_MOST);
    t->ended[t->ended_count++] = *user;
}

void writer_note_change(struct transaction *t, const struct uuid *space, int64_t revision)
{
    struct space_news *last = t->news_count > 0 ? &t->news[t->news_count - 1] : NULL;
    if (last && uuid_eq(last->id, *space)) {
        last->revision = revision;
        return;
    }
    assert(t->news_count < WRITER_BATCH_MOST);
    t->news[t->news_count++] = (struct space_news){*space, revision};
}

static bool is_open(const struct transaction *t)
{
    return sqlite3_get_autocommit(t->statements.db) == 0;
}

/* Without memory it may stay open; then the next one tries again before it begins. */
static int roll_back(struct transaction *t)
{
    t->ended_count = 0;
    t->news_count = 0;
    t->deleted = false;
    item_rows_forget_spaces(t);
    return is_open(t) ? query_run_plain(&t->statements, SQL_ROLLBACK) : SQLITE_OK;
}

static int run_plain(struct transaction *t, struct store_op *op)
{
    const struct writer_work *work = op->work;
    op->result = ERROR_NONE;
    return work->run(t, op);
}

/* Runs one operation between savepoints. An error is the operation's own unless it took the whole
 * transaction with it or says that the disk fails. */
static int run_careful(struct transaction *t, struct store_op *op)
{
    const unsigned ended_count = t->ended_count;
    const unsigned news_count = t->news_count;
    const bool deleted = t->deleted;
    int rc = query_run_plain(&t->statements, SQL_SAVEPOINT);
    if (rc != SQLITE_OK)
        return rc;
    rc = run_plain(t, op);
    if (rc == SQLITE_OK)
        rc = item_rows_settle_spaces(t);
    if (rc == SQLITE_OK)
        return query_run_plain(&t->statements, SQL_RELEASE);
    item_rows_forget_spaces(t);
    if (!is_open(t) || database_is_corrupt(rc) || database_is_lost_write(rc))
        return rc;
    op->result = database_result(rc);
    t->ended_count = ended_count;
    t->news_count = news_count;
    t->deleted = deleted;
    rc = query_run_plain(&t->statements, SQL_ROLLBACK_TO);
    return rc == SQLITE_OK ? query_run_plain(&t->statements, SQL_RELEASE) : rc;
}

/* An operation whose `work` is NULL was answered before and is passed over. */
static int run_all(struct transaction *t, struct store_op *first, bool careful)
{
    int rc = roll_back(t);
    POINT(SQLITE_BEFORE_BEGIN);
    if (rc == SQLITE_OK)
        rc = query_run_plain(&t->statements, SQL_BEGIN_WRITE);
    POINT(SQLITE_AFTER_BEGIN);
    for (struct store_op *op = first; op && rc == SQLITE_OK; op = op->next) {
        if (op->work)
            rc = careful ? run_careful(t, op) : run_plain(t, op);
        POINT(SQLITE_BETWEEN_OPERATIONS);
    }
    return rc == SQLITE_OK ? item_rows_settle_spaces(t) : rc;
}

/* Runs a batch in one transaction and sets each `result`. SQLITE_OK: the commit is on stable
 * storage. Else nothing was written, no result counts, and `*at_commit` says whether it was the
 * commit itself that failed.
 *
 * It runs without savepoints first. When a statement fails, all is rolled back, which nobody has
 * been told of, and all run again with a savepoint each: the failing ones are answered with their
 * error and their neighbours are not touched. */
static int run_transaction(struct transaction *t, struct store_op *first, bool *at_commit,
                           struct admission_batch *took)
{
    const int64_t from_us = clock_mono_us();
    int rc = run_all(t, first, false);
    if (rc != SQLITE_OK && is_open(t) && !database_is_corrupt(rc) && !database_is_lost_write(rc))
        rc = run_all(t, first, true);
    *at_commit = rc == SQLITE_OK;
    const int64_t begun_us = clock_mono_us();
    took->ran_us = begun_us - from_us;
    if (*at_commit) {
        POINT(SQLITE_BEFORE_COMMIT);
        rc = query_run_plain(&t->statements, SQL_COMMIT);
        took->fixed_us = clock_mono_us() - begun_us;
        metrics_observe(METRIC_STORE_COMMIT, took->fixed_us);
    }
    if (rc != SQLITE_OK)
        (void)roll_back(t);
    return rc;
}

/* ---- batches ---- */

static void refuse(struct store_op *first, enum error result)
{
    for (struct store_op *op = first; op; op = op->next)
        op->result = result;
}

/* Judges an error that is not one operation's own. A commit that failed for any fault of the disk
 * is not believed; elsewhere a read may fail without harm. */
static void judge(struct writer *writer, int rc, bool at_commit)
{
    if (database_is_lost_write(rc) || (at_commit && (rc & 0xff) == SQLITE_IOERR))
        die(writer, at_commit ? "commit" : "write", rc);
    if (database_is_corrupt(rc))
        writer_stop_writes(writer, rc);
    else if (rc != writer->last_error)
        log_message(LOG_WARN, "storage_error", "%s (%d)", sqlite3_errstr(rc), rc);
    writer->last_error = rc;
}

/* Those that waited too long are answered without being run: their clients have gone, and the
 * queue gets shorter. Gives how many there are and how long the oldest waited. */
static struct admission_batch drop_late(struct store_op *first)
{
    int64_t now = clock_mono_us();
    struct admission_batch batch = {.waited_us = now - first->queued_us};
    for (struct store_op *op = first; op; op = op->next) {
        batch.count++;
        batch.large += op->large;
        if (now - op->queued_us > WAIT_MOST_US) {
            op->work = NULL;
            op->result = ERROR_OVERLOADED;
            metrics_count(METRIC_STORE_REFUSED, "late");
        }
    }
    return batch;
}

static void run_batch(struct writer *writer, struct store_op *first)
{
    bool at_commit = false;
    if (!look_if_due(writer) || !writer_writable(writer)) {
        refuse(first, ERROR_UNAVAILABLE);
        return;
    }
    struct admission_batch batch = drop_late(first);
    int rc = run_transaction(&writer->transaction, first, &at_commit, &batch);
    POINT(SQLITE_AFTER_COMMIT);
    admission_note(&writer->admission, clock_mono_us(), &batch);
    if (rc != SQLITE_OK) {
        judge(writer, rc, at_commit);
        refuse(first, database_result(rc));
        return;
    }
    writer->last_error = SQLITE_OK;
    if (!look_after(writer, first))
        refuse(first, ERROR_OUTCOME_UNKNOWN);
    atomic_fetch_add_explicit(&writer->commits, 1, memory_order_release);
    if (writer->transaction.deleted)
        maintenance_expect(&writer->maintenance);
    for (unsigned i = 0; writer->sessions_ended && i < writer->transaction.ended_count; i++)
        writer->sessions_ended(writer->context, writer->transaction.ended[i]);
    for (unsigned i = 0; writer->committed && i < writer->transaction.news_count; i++)
        writer->committed(writer->context, writer->transaction.news[i].id,
                          writer->transaction.news[i].revision);
}

/* Called with the lock. */
static struct store_op *take(struct writer *writer)
{
    struct store_op *first =
        admission_take(&writer->admission, &writer->first, &writer->end, WRITER_BATCH_MOST);
    unsigned count = 0;
    unsigned large = 0;
    for (const struct store_op *op = first; op; op = op->next) {
        large += op->large;
        count++;
    }
    atomic_fetch_sub_explicit(&writer->waiting, count - large, memory_order_relaxed);
    atomic_fetch_sub_explicit(&writer->waiting_large, large, memory_order_relaxed);
    metrics_add(METRIC_STORE_QUEUE, -(int64_t)count);
    metrics_observe(METRIC_STORE_BATCH, count);
    return first;
}

/* ---- the thread ---- */

static int on_commit(void *context, sqlite3 *db, const char *name, int pages)
{
    struct writer *writer = context;
    (void)db;
    (void)name;
    writer->maintenance.wal_pages = pages;
    metrics_set(METRIC_STORE_WAL_PAGES, pages);
    return SQLITE_OK;
}

static void after_batch(struct writer *writer)
{
    struct maintenance *m = &writer->maintenance;
    const int more = m->wal_pages - m->tried_pages;
    const int rc = more < 0 || more >= POINT_PAGES(MAINTENANCE_STEP_PAGES)
                       ? maintenance_checkpoint(m)
                       : SQLITE_OK;
    if (rc != SQLITE_OK)
        judge(writer, rc, false);
}

static void maintain(struct writer *writer, bool busy)
{
    struct maintenance *m = &writer->maintenance;
    const int64_t now = clock_mono_ms();
    if (!writer_writable(writer) || now < m->due_ms ||
        (busy && now - m->stepped_ms < MAINTENANCE_BUSY_MS))
        return;
    int rc = maintenance_step(m);
    atomic_fetch_add_explicit(&writer->commits, 1, memory_order_release);
    if (rc != SQLITE_OK)
        judge(writer, rc, false);
    else
        after_batch(writer);
}

/* Called with the lock. Waits for operations; NULL: to stop, and none is left. */
static struct store_op *wait_for_work(struct writer *writer)
{
    while (!writer->first && !writer->stopping) {
        const int64_t now = clock_mono_ms();
        admission_idle(&writer->admission);
        int64_t at = writer->maintenance.due_ms;
        if (writer_writable(writer) && now >= at) {
            pthread_mutex_unlock(&writer->lock);
            maintain(writer, false);
            pthread_mutex_lock(&writer->lock);
            continue;
        }
        if (writer_writable(writer) && now - writer->looked_ms >= LOOK_MS) {
            pthread_mutex_unlock(&writer->lock);
            (void)look(writer);
            pthread_mutex_lock(&writer->lock);
            continue;
        }
        if (!writer_writable(writer))
            at = now + 60000;
        else if (at > writer->looked_ms + LOOK_MS)
            at = writer->looked_ms + LOOK_MS;
        (void)thread_wait_until(&writer->sent, &writer->lock, at);
    }
    return writer->first ? take(writer) : NULL;
}

static void *run_thread(void *context)
{
    struct writer *writer = context;
    thread_share(THREAD_PROMPT);
    pthread_mutex_lock(&writer->lock);
    for (struct store_op *first; (first = wait_for_work(writer)) != NULL;) {
        pthread_mutex_unlock(&writer->lock);
        run_batch(writer, first);
        answer(writer, first);
        POINT(SQLITE_AFTER_ANSWER);
        after_batch(writer);
        maintain(writer, true);
        pthread_mutex_lock(&writer->lock);
    }
    pthread_mutex_unlock(&writer->lock);
    return NULL;
}

struct writer *writer_create(sqlite3 *db, const struct sql_texts *texts,
                             const struct store_options *options)
{
    assert(db && sqlite3_get_autocommit(db));
    assert(options && options->queue_most <= UINT_MAX);
    struct writer *writer = calloc(1, sizeof *writer);
    assert(db && texts);
    if (!writer) {
        database_close(&db);
        return NULL;
    }
    writer->db = db;
    writer->end = &writer->first;
    writer->sessions_ended = options->sessions_ended;
    writer->committed = options->committed;
    writer->context = options->context;
    admission_init(&writer->admission, QUEUE_LEAST,
                   options->queue_most ? (unsigned)options->queue_most : QUEUE_MOST);
    atomic_init(&writer->writable, true);
    pthread_mutex_init(&writer->lock, NULL);
    pthread_cond_init(&writer->answered, NULL);
    writer->transaction.limits =
        usage_limits_of(options->user_tasks_most, options->user_bytes_most);
    writer->transaction.zones = options->zones;
    if (!statements_init(&writer->transaction.statements, db, texts->list, texts->count)) {
        writer_destroy(&writer);
        return NULL;
    }
    maintenance_init(&writer->maintenance, &writer->transaction.statements, options->keep_seconds);
    sqlite3_wal_hook(db, on_commit, writer);
    file_watch_init(&writer->watch, sqlite3_db_filename(db, "main"));
    writer->started = thread_condition_init(&writer->sent) &&
                      thread_start(&writer->thread, "writer", 0, run_thread, writer);
    if (!writer->started)
        writer_destroy(&writer);
    return writer;
}

static void stop(struct writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    writer->stopping = true;
    pthread_mutex_unlock(&writer->lock);
    pthread_cond_signal(&writer->sent);
    pthread_join(writer->thread, NULL);
    int rc = SQLITE_OK;
    if (writer_writable(writer) || writer_moved(writer))
        rc = maintenance_checkpoint_all(&writer->maintenance);
    if (rc != SQLITE_OK)
        judge(writer, rc, false);
    pthread_cond_destroy(&writer->sent);
}

void writer_destroy(struct writer **writer)
{
    assert(writer);
    struct writer *w = *writer;
    if (!w)
        return;
    *writer = NULL;
    if (w->started)
        stop(w);
    statements_finish(&w->transaction.statements);
    file_watch_finish(&w->watch);
    database_close(&w->db);
    pthread_cond_destroy(&w->answered);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
