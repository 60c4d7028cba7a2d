// SPDX-License-Identifier: MIT
#include "store/postgres/news.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define SPACES_MOST  4096 /* that wait to be announced; more are announced as `all` */
#define PLACES       8192 /* a power of two, twice as many */
#define PAYLOAD_MOST 7900 /* bytes; the server takes 7,999 */
#define ENTRY_MOST   (UUID_TEXT_LEN + 1 + 20 + 1)
#define ASK_MOST     512 /* spaces in one question */

/* That somebody waits is believed for so long after it was said, which is once a second. */
#define BELIEVE_MS 10000
#define LATE_MS    700 /* an answer that is not there by then may never come */

struct changed_space {
    struct uuid space;
    int64_t revision;
    bool used;
};

struct news {
    const struct store_options *options;
    char node[UUID_TEXT_LEN + 1]; /* of this process: its own words come back to it */
    int ready;
    atomic_bool wanted; /* another node has somebody who waits */

    pthread_mutex_t lock;
    struct changed_space places[PLACES]; /* by the last bytes of the id, which are random */
    unsigned count;
    bool all; /* there were too many */

    /* The keeper's: */
    int64_t wanted_until_ms;
    int64_t announced_ms;
    bool echo; /* our own word has come back */
    atomic_bool due;
};

struct news *news_create(const struct store_options *options)
{
    struct news *news = calloc(1, sizeof *news);
    if (!news) {
        return NULL;
    }
    news->options = options;
    uuid_format(uuid_make_v7_unordered(), news->node);
    news->ready = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (news->ready < 0) {
        free(news);
        return NULL;
    }
    pthread_mutex_init(&news->lock, NULL);
    return news;
}

void news_destroy(struct news **news)
{
    struct news *gone = *news;
    if (!gone)
        return;
    *news = NULL;
    close(gone->ready);
    pthread_mutex_destroy(&gone->lock);
    free(gone);
}

void news_add(struct news *news, struct uuid space, int64_t revision)
{
    const uint64_t one = 1;
    if (!atomic_load_explicit(&news->wanted, memory_order_relaxed))
        return;
    pthread_mutex_lock(&news->lock);
    unsigned place = ((unsigned)space.bytes[14] << 8 | space.bytes[15]) % PLACES;
    while (news->places[place].used && !uuid_eq(news->places[place].space, space))
        place = (place + 1) % PLACES;
    struct changed_space *found = &news->places[place];
    if (!found->used && news->count == SPACES_MOST) {
        news->all = true;
    } else {
        news->count += found->used ? 0 : 1;
        revision = found->used && found->revision > revision ? found->revision : revision;
        *found = (struct changed_space){space, revision, true};
    }
    pthread_mutex_unlock(&news->lock);
    if (!atomic_exchange(&news->due, true)) {
        const ssize_t written = write(news->ready, &one, sizeof one);
        (void)written; /* full is readable, which is all that is wanted */
    }
}

int news_descriptor(const struct news *news)
{
    return news->ready;
}

int64_t news_due_ms(const struct news *news)
{
    return atomic_load(&news->due) ? news->announced_ms + NEWS_EVERY_MS : INT64_MAX;
}

/* ---- what is told ---- */

static const char notify_statement[] = "SELECT pg_notify('" NEWS_CHANNEL "', $1)";

/* The channel and the node are ours, and what follows is digits and signs. */
static bool notify(PGconn *connection, const char *payload, unsigned timeout_ms, int wake)
{
    const struct sql_value values[] = {SQL_TEXT(slice_of(payload))};
    PGresult *result = connect_ask(connection, notify_statement, values, 1, timeout_ms, wake);
    const bool lost = !result;
    if (result && PQresultStatus(result) != PGRES_TUPLES_OK) {
        char why[256];
        connect_reason(connection, why, sizeof why);
        log_message(LOG_WARN, "news_failed", "other nodes hear of changes later: %s", why);
    }
    PQclear(result);
    return !lost;
}

/* Takes out what fits a payload, from `*place` on; with the lock. Over the holes that it leaves one
 * space may get two places: it is then told twice. */
static void take_payload(struct news *news, unsigned *place, char *payload)
{
    size_t len = (size_t)snprintf(payload, PAYLOAD_MOST, "%s", news->node);
    for (; *place < PLACES && len + ENTRY_MOST < PAYLOAD_MOST; ++*place) {
        struct changed_space *found = &news->places[*place];
        if (!found->used)
            continue;
        char id[UUID_TEXT_LEN];
        uuid_format(found->space, id);
        len += (size_t)snprintf(payload + len, PAYLOAD_MOST - len, " %.*s=%lld", UUID_TEXT_LEN, id,
                                (long long)found->revision);
        found->used = false;
        news->count--;
    }
}

bool news_announce(struct news *news, PGconn *connection, unsigned timeout_ms, int wake)
{
    char payload[PAYLOAD_MOST];
    uint64_t times = 0;
    unsigned place = 0;
    bool good = true;
    const ssize_t got = read(news->ready, &times, sizeof times);
    (void)got;
    atomic_store(&news->due, false);
    news->announced_ms = clock_mono_ms();
    while (good && place < PLACES) {
        pthread_mutex_lock(&news->lock);
        const bool all = news->all;
        news->all = false;
        take_payload(news, &place, payload);
        pthread_mutex_unlock(&news->lock);
        if (strlen(payload) > UUID_TEXT_LEN)
            good = notify(connection, payload, timeout_ms, wake);
        if (all && good) {
            (void)snprintf(payload, sizeof payload, "%s *", news->node);
            good = notify(connection, payload, timeout_ms, wake);
        }
    }
    return good;
}

/* ---- what is heard ---- */

void news_hear(struct news *news, struct slice payload)
{
    const struct store_options *options = news->options;
    const struct slice node = slice_next(&payload, ' ');
    if (slice_eq(node, slice_of(news->node))) {
        news->echo = true;
        return;
    }
    while (payload.ptr) {
        struct slice revision = slice_next(&payload, ' ');
        const struct slice id = slice_next(&revision, '=');
        struct uuid space;
        uint64_t number = 0;
        if (slice_eq(id, SLICE("?"))) {
            news->wanted_until_ms = clock_mono_ms() + BELIEVE_MS;
            atomic_store(&news->wanted, true);
        } else if (slice_eq(id, SLICE("*")) && options->doubted) {
            options->doubted(options->context);
        } else if (options->committed && revision.ptr && uuid_parse(id, &space) &&
                   slice_to_u64(revision, INT64_MAX, &number)) {
            options->committed(options->context, space, (int64_t)number);
        }
    }
}

/* ---- what is asked ---- */

/* The text of an array of ids. */
static size_t list_spaces(const struct uuid *spaces, size_t count, char *text)
{
    size_t len = 0;
    text[len++] = '{';
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            text[len++] = ',';
        uuid_format(spaces[i], text + len);
        len += UUID_TEXT_LEN;
    }
    text[len++] = '}';
    return len;
}

static bool ask_some(const struct news *news, PGconn *connection, const struct uuid *spaces,
                     size_t count, unsigned timeout_ms, int wake)
{
    static const char statement[] =
        "SELECT space_id, revision FROM spaces WHERE space_id = ANY ($1::text::uuid[])";
    const struct store_options *options = news->options;
    char text[ASK_MOST * (UUID_TEXT_LEN + 1) + 2];
    const struct sql_value values[] = {
        SQL_TEXT(((struct slice){text, list_spaces(spaces, count, text)}))};
    PGresult *result = connect_ask(connection, statement, values, 1, timeout_ms, wake);
    const int rows = PQresultStatus(result) == PGRES_TUPLES_OK ? PQntuples(result) : 0;
    for (int i = 0; i < rows; i++) {
        struct uuid space;
        if (uuid_parse(slice_of(PQgetvalue(result, i, 0)), &space))
            options->committed(options->context, space,
                               strtoll(PQgetvalue(result, i, 1), NULL, 10));
    }
    const bool lost = !result;
    PQclear(result);
    return !lost;
}

/* Says that somebody waits here, to the others and to ourselves: what does not come back says that
 * nothing does. Sessions that others ended must be noticed in time, so a late answer is not waited
 * for before they are doubted. */
static bool say_awaited(struct news *news, PGconn *connection, unsigned timeout_ms, int wake)
{
    const struct store_options *options = news->options;
    char payload[UUID_TEXT_LEN + 3];
    const struct sql_value values[] = {SQL_TEXT(((struct slice){payload, UUID_TEXT_LEN + 2}))};
    (void)snprintf(payload, sizeof payload, "%s ?", news->node);
    if (!connect_send(connection, notify_statement, values, 1))
        return false;
    if (!connect_wait(connection, LATE_MS, wake) && options->doubted)
        options->doubted(options->context);
    PGresult *result = connect_take(connection, timeout_ms, wake);
    const bool lost = !result;
    PQclear(result);
    return !lost;
}

bool news_is_heard(struct news *news)
{
    const bool heard = news->echo;
    news->echo = false;
    return heard;
}

bool news_ask(struct news *news, PGconn *connection, unsigned timeout_ms, int wake)
{
    const struct store_options *options = news->options;
    struct uuid spaces[ASK_MOST];
    size_t place = 0;
    size_t count = 0;
    bool good = true;
    const int64_t now_ms = clock_mono_ms();
    if (now_ms >= news->wanted_until_ms)
        atomic_store(&news->wanted, false);
    news->echo = false;
    if (options->awaited && options->committed)
        count = options->awaited(options->context, &place, spaces, ASK_MOST);
    if (count == 0) {
        news->echo = true; /* nobody is there who could miss anything */
        return true;
    }
    good = say_awaited(news, connection, timeout_ms, wake);
    while (good && count > 0) {
        good = ask_some(news, connection, spaces, count, timeout_ms, wake);
        count = options->awaited(options->context, &place, spaces, ASK_MOST);
    }
    return good;
}
