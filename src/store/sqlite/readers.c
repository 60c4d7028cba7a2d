// SPDX-License-Identifier: MIT
#include "store/sqlite/readers.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/metrics.h"
#include "base/owner.h"
#include "base/thread.h"
#include "model/position.h"
#include "store/sqlite/item_rows.h"
#include "store/sqlite/session.h"

#define THREADS       2
#define WAITING_MOST  256
#define SPACE_MOST    32            /* of one space, what is being read included */
#define SAME_MOST     64            /* requests that one read answers */
#define SPACE_THREADS (THREADS - 1) /* so that there is one for somebody else */

#define JOB_MAGIC 0x5ad30b1eu

/* A read on its way. The loop makes and frees it; a reader fills in what it read. */
struct read_job {
    unsigned magic; /* JOB_MAGIC */
    struct uuid space;
    readers_read *run;           /* NULL: a page of a list */
    struct store_item_list read; /* a copy of what was asked for, which a reader runs */
    struct store_op *asked;      /* the first; those for the same page follow in its `next` */
    unsigned asked_count;
    struct inbox_message message;
    struct read_job *next;          /* that waits */
    struct read_job *session_next;  /* of the same session; the loop's own */
    struct read_job **session_link; /* what points to this one */
    unsigned turn;                  /* how many of the same space come before it */

    /* What was read: */
    int rc;
    struct arena *arena;                   /* of the rows and their texts */
    char *rows;                            /* items of the resource, one after the other */
    struct slice places[STORE_LIMIT_MOST]; /* of their lists, see store_item_list */
    unsigned count;
    size_t bytes;
};

struct reader {
    struct readers *readers;
    pthread_t thread;
    bool started;
    struct store_session *session; /* made with its first job */

    /* Under the lock; what `running` points to may be gone already. */
    bool busy;
    struct uuid space;
    const struct store_session *asker;
};

struct readers {
    struct writer *writer;
    const struct sql_texts *texts;
    const char *path;
    pthread_mutex_t lock;
    pthread_cond_t sent; /* or stopping */
    pthread_cond_t done;
    struct read_job *first; /* that waits, the oldest first */
    unsigned waiting;
    bool stopping;
    struct reader threads[THREADS];
};

/* ---- the queue; all with the lock ---- */

static unsigned running_of(const struct readers *readers, const struct uuid *space)
{
    unsigned count = 0;
    for (unsigned i = 0; i < THREADS; i++)
        count += readers->threads[i].busy && uuid_eq(readers->threads[i].space, *space);
    return count;
}

static bool queue_put(struct readers *readers, struct read_job *job)
{
    struct read_job **end = &readers->first;
    job->turn = running_of(readers, &job->space);
    for (; *end; end = &(*end)->next)
        job->turn += uuid_eq((*end)->space, job->space);
    if (readers->waiting >= WAITING_MOST || job->turn >= SPACE_MOST)
        return false;
    job->next = NULL;
    *end = job;
    readers->waiting++;
    return true;
}

/* The first of those whose spaces have had the fewest turns; NULL: none may be read now. */
static struct read_job *queue_take(struct readers *readers)
{
    struct read_job **best = NULL;
    for (struct read_job **place = &readers->first; *place; place = &(*place)->next) {
        if (running_of(readers, &(*place)->space) < SPACE_THREADS &&
            (!best || (*place)->turn < (*best)->turn))
            best = place;
    }
    if (!best)
        return NULL;
    struct read_job *job = *best;
    *best = job->next;
    readers->waiting--;
    return job;
}

/* ---- on a reader ---- */

static bool collect(struct store_item_list *read, const void *row)
{
    struct read_job *job = OWNER_OF(read, struct read_job, read, JOB_MAGIC);
    const struct resource *resource = read->resource;
    void *kept = job->rows + job->count * resource->size;
    memcpy(kept, row, resource->size);
    if (!item_rows_keep_texts(resource, kept, job->arena)) {
        job->rc = SQLITE_NOMEM;
        return false;
    }
    job->places[job->count] = read->place.ptr ? arena_copy(job->arena, read->place) : read->place;
    if (read->place.ptr && !job->places[job->count].ptr) {
        job->rc = SQLITE_NOMEM;
        return false;
    }
    job->count++;
    job->bytes += resource_text_bytes(resource, row);
    return job->bytes <= STORE_PAGE_BYTES;
}

static void read_page(struct reader *reader, struct read_job *job)
{
    const struct resource *resource = job->read.resource;
    /* For a page of the most texts and its last row, each with what the arena needs beside it. */
    job->arena = arena_create(STORE_PAGE_BYTES + resource->text_most + 64 +
                              job->read.limit *
                                  (resource->size + 32 * resource->count + POSITION_MOST + 32));
    if (job->arena)
        job->rows = arena_alloc(job->arena, job->read.limit * resource->size);
    job->rc = job->rows ? SQLITE_OK : SQLITE_NOMEM;
    if (job->rc != SQLITE_OK)
        return;
    job->read.op.session = reader->session;
    job->read.each = collect;
    const int rc = item_rows_read_page(&job->read);
    job->rc = job->rc != SQLITE_OK ? job->rc : rc;
}

static void read_job(struct reader *reader, struct read_job *job)
{
    struct readers *readers = reader->readers;
    if (!reader->session) {
        struct store_session *session =
            session_create(readers->writer, NULL, readers->texts, readers->path, NULL);
        pthread_mutex_lock(&readers->lock);
        reader->session = session;
        pthread_mutex_unlock(&readers->lock);
    }
    job->rc = SQLITE_NOMEM;
    if (!reader->session)
        return;
    if (job->run)
        job->rc = job->run(reader->session, job->asked);
    else
        read_page(reader, job);
    session_turn_end(reader->session);
}

static void run_one(struct reader *reader, struct read_job *job)
{
    struct readers *readers = reader->readers;
    struct store_session *asker = job->asked->session;
    reader->busy = true;
    reader->space = job->space;
    reader->asker = asker;
    pthread_mutex_unlock(&readers->lock);
    read_job(reader, job);
    inbox_post(asker->inbox, &job->message); /* and from now on the loop may free it */
    pthread_mutex_lock(&readers->lock);
    reader->busy = false;
    /* The space's others move up. */
    for (struct read_job *other = readers->first; other; other = other->next)
        other->turn -= other->turn > 0 && uuid_eq(other->space, reader->space);
    pthread_cond_broadcast(&readers->done);
    pthread_cond_signal(&readers->sent); /* one of that space may have waited for this */
}

static void *run_thread(void *argument)
{
    struct reader *reader = argument;
    struct readers *readers = reader->readers;
    thread_share(THREAD_PATIENT); /* loops and the writer come first */
    pthread_mutex_lock(&readers->lock);
    while (!readers->stopping) {
        struct read_job *job = queue_take(readers);
        if (job)
            run_one(reader, job);
        else
            (void)pthread_cond_wait(&readers->sent, &readers->lock);
    }
    pthread_mutex_unlock(&readers->lock);
    session_destroy(&reader->session);
    return NULL;
}

/* ---- on the loop ---- */

static void job_destroy(struct read_job *job)
{
    arena_destroy(&job->arena);
    OWNER_END(job);
    free(job);
}

/* Do both ask for the same page of the same revision? */
static bool is_same_page(const struct store_item_list *a, const struct store_item_list *b)
{
    uint8_t shapes[2][SQL_SHAPE_LEN];
    struct sql_value values[2][SQL_LIST_VALUES_MOST];
    if (!uuid_eq(a->space, b->space) || a->revision != b->revision || a->limit != b->limit)
        return false;
    sql_list_shape(a, shapes[0]);
    sql_list_shape(b, shapes[1]);
    if (memcmp(shapes[0], shapes[1], SQL_SHAPE_LEN) != 0)
        return false;
    const unsigned count = sql_list_values(a, values[0]);
    (void)sql_list_values(b, values[1]);
    for (unsigned i = 0; i < count; i++) {
        const struct field_value *x = &values[0][i].value;
        const struct field_value *y = &values[1][i].value;
        if (x->number != y->number || !slice_eq(x->bytes, y->bytes))
            return false;
    }
    return true;
}

/* Adds `op` to those that a read which is on its way will answer. */
static bool join(const struct store_session *session, struct store_item_list *op)
{
    struct read_job *job = session->reading;
    while (job && (job->run || job->asked_count == SAME_MOST ||
                   !is_same_page((struct store_item_list *)job->asked, op)))
        job = job->session_next;
    if (!job)
        return false;
    job->asked_count++;
    op->op.next = job->asked->next;
    job->asked->next = &op->op;
    return true;
}

/* Gives the rows, unless a later revision says that none are wanted after all. */
static void give_rows(struct store_item_list *op, const struct read_job *job)
{
    const bool later = op->revision != job->read.revision;
    op->revision = job->read.revision;
    op->total = job->read.total;
    op->more = job->read.more;
    if (later && op->begin && !op->begin(op))
        return;
    for (unsigned i = 0; i < job->count; i++) {
        op->place = job->places[i];
        if (!op->each(op, job->rows + i * op->resource->size) && i + 1 < job->count) {
            op->more = true;
            return;
        }
    }
}

static void answer(struct inbox_message *message)
{
    struct read_job *job = OWNER_OF(message, struct read_job, message, JOB_MAGIC);
    struct store_op *next = job->asked;
    /* Who asks from now on is not answered by it. */
    *job->session_link = job->session_next;
    if (job->session_next)
        job->session_next->session_link = job->session_link;
    while (next) {
        struct store_op *op = next;
        next = op->next; /* it belongs to its caller as soon as it is done */
        if (job->rc == SQLITE_OK && !job->run)
            give_rows((struct store_item_list *)op, job);
        session_read_done(op->session, op, job->rc, true);
    }
    job_destroy(job);
}

/* `job` NULL: without memory. */
static void begin(struct readers *readers, struct read_job *job, struct store_op *op,
                  const struct uuid *space)
{
    struct store_session *session = op->session;
    bool queued = false;
    op->next = NULL;
    if (job) {
        OWNER_SET(job, JOB_MAGIC);
        job->space = *space;
        job->asked = op;
        job->asked_count = 1;
        job->message.run = answer;
        pthread_mutex_lock(&readers->lock);
        queued = queue_put(readers, job);
        if (queued) {
            /* Before the lock is given up: the answer may come at once, though only this thread
             * runs it. */
            job->session_next = session->reading;
            job->session_link = &session->reading;
            if (session->reading)
                session->reading->session_link = &job->session_next;
            session->reading = job;
        }
        pthread_mutex_unlock(&readers->lock);
    }
    if (queued) {
        pthread_cond_signal(&readers->sent);
        return;
    }
    free(job);
    metrics_count(METRIC_STORE_REFUSED, "queue_full");
    op->result = ERROR_OVERLOADED;
    op->done(op);
}

void readers_list(struct readers *readers, struct store_item_list *op)
{
    assert(readers && op->op.session->readers == readers && op->limit <= STORE_LIMIT_MOST);
    if (join(op->op.session, op))
        return;
    struct read_job *job = calloc(1, sizeof *job);
    if (job)
        job->read = *op;
    begin(readers, job, &op->op, &op->space);
}

void readers_run(struct readers *readers, struct store_op *op, const struct uuid *space,
                 readers_read *read)
{
    assert(readers && op->session->readers == readers && read);
    struct read_job *job = calloc(1, sizeof *job);
    if (job)
        job->run = read;
    begin(readers, job, op, space);
}

static bool is_reading(struct readers *readers, const struct store_session *session)
{
    bool reading = false;
    for (unsigned i = 0; i < THREADS; i++) {
        struct reader *reader = &readers->threads[i];
        if (reader->busy && reader->asker == session) {
            reading = true;
            if (reader->session)
                sqlite3_interrupt(reader->session->db);
        }
    }
    return reading;
}

void readers_forget(struct readers *readers, struct store_session *session)
{
    pthread_mutex_lock(&readers->lock);
    for (struct read_job **place = &readers->first; *place;) {
        if ((*place)->asked->session == session) {
            *place = (*place)->next;
            readers->waiting--;
        } else {
            place = &(*place)->next;
        }
    }
    while (is_reading(readers, session))
        (void)pthread_cond_wait(&readers->done, &readers->lock);
    pthread_mutex_unlock(&readers->lock);
    /* Those that were read and not answered too: the inbox is not run again. */
    struct read_job *job = session->reading;
    session->reading = NULL;
    while (job) {
        struct read_job *next = job->session_next;
        job_destroy(job);
        job = next;
    }
}

struct readers *readers_create(struct writer *writer, const struct sql_texts *texts,
                               const char *path)
{
    struct readers *readers = calloc(1, sizeof *readers);
    assert(writer && texts && path);
    if (!readers)
        return NULL;
    readers->writer = writer;
    readers->texts = texts;
    readers->path = path;
    pthread_mutex_init(&readers->lock, NULL);
    pthread_cond_init(&readers->sent, NULL);
    pthread_cond_init(&readers->done, NULL);
    for (unsigned i = 0; i < THREADS; i++) {
        struct reader *reader = &readers->threads[i];
        reader->readers = readers;
        reader->started = thread_start(&reader->thread, "reader", 0, run_thread, reader);
        if (!reader->started) {
            readers_destroy(&readers);
            return NULL;
        }
    }
    return readers;
}

void readers_destroy(struct readers **readers)
{
    struct readers *r = *readers;
    if (!r)
        return;
    *readers = NULL;
    pthread_mutex_lock(&r->lock);
    assert(!r->first);
    r->stopping = true;
    pthread_mutex_unlock(&r->lock);
    pthread_cond_broadcast(&r->sent);
    for (unsigned i = 0; i < THREADS; i++) {
        if (r->threads[i].started)
            (void)pthread_join(r->threads[i].thread, NULL);
    }
    pthread_cond_destroy(&r->sent);
    pthread_cond_destroy(&r->done);
    pthread_mutex_destroy(&r->lock);
    free(r);
}
