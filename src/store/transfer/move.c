// SPDX-License-Identifier: MIT
#include "store/transfer/move.h"

#include <stdio.h>

#include "store/sqlite/file.h"
#include "store/store.h"
#include "store/transfer/transfer_db.h"

#define STEP 256 /* rows between two looks at the progress */

struct moving {
    const struct move_options *options;
    struct transfer_db *from;
    struct transfer_db *to;
    bool copies; /* and does not only compare */
    struct move_progress progress;
    char *why;
    size_t why_size;
};

static bool go_on(struct moving *m)
{
    if (m->options->progress(m->options->context, &m->progress))
        return true;
    (void)snprintf(m->why, m->why_size,
                   m->copies ? "interrupted; the target is empty: run the same again to move"
                             : "interrupted");
    return false;
}

/* Reads all tables of `db`, writes them to `into` (may be NULL), and says what it read. */
static bool pass_tables(struct moving *m, const char *doing, struct transfer_db *db,
                        struct transfer_db *into, struct digest_sum *found)
{
    struct field_value values[TABLE_COLUMNS_MOST];
    struct digest digest;
    m->progress.doing = doing;
    m->progress.rows = 0;
    if (!go_on(m))
        return false;
    for (const struct table *table = NULL; (table = table_next(table));) {
        enum transfer_next next = TRANSFER_ROW;
        digest_init(&digest);
        if (!db->engine->read(db, table, NULL))
            return false;
        while ((next = db->engine->next(db, values)) == TRANSFER_ROW) {
            digest_row(&digest, table, values);
            if (into && !into->engine->put(into, table, values))
                return false;
            if (++m->progress.rows % STEP == 0 && !go_on(m))
                return false;
        }
        if (next != TRANSFER_END)
            return false;
        digest_finish(&digest, &found[table - tables]);
    }
    return go_on(m);
}

/* Names the first table that differs. */
static bool compare(struct moving *m, struct move_report *report)
{
    report->compared = true;
    report->same = true;
    for (const struct table *table = NULL; report->same && (table = table_next(table));) {
        report->same = digest_sum_eq(&report->from[table - tables], &report->to[table - tables]);
        if (!report->same)
            (void)snprintf(m->why, m->why_size, "the two sides differ in %s%s", table->name,
                           m->copies ? "; the target is left empty" : "");
    }
    return report->same;
}

static bool count_tables(struct moving *m, struct transfer_db *db, int64_t rows[TABLES_MOST])
{
    for (const struct table *table = NULL; (table = table_next(table));) {
        int64_t *count = &rows[table - tables];
        if (!db->engine->count(db, table, NULL, count))
            return false;
        m->progress.total += db == m->from ? *count : 0;
    }
    return true;
}

/* Is the file of `other`, if it has one, a file of the database of `url`? */
static bool is_of(const char *url, const char *other, const struct moving *m)
{
    const struct store_engine *engine = store_engine_for(other);
    const char *file = engine ? engine->url_file(other) : NULL;
    return file && file_refuse_own(url, file, -1, m->why, m->why_size);
}

static bool open_databases(struct moving *m)
{
    const struct move_options *o = m->options;
    int64_t from[TABLES_MOST] = {0};
    int64_t to[TABLES_MOST] = {0};
    if (is_of(o->from, o->to, m) || is_of(o->to, o->from, m))
        return false;
    m->from = transfer_db_open(o->from, TRANSFER_READ_ALONE, m->why, m->why_size);
    if (!m->from || !count_tables(m, m->from, from))
        return false;
    m->to = transfer_db_open(o->to, TRANSFER_READ_ALONE, m->why, m->why_size);
    if (o->compare)
        return m->to;
    /* Does it look as if this move had come to its end before somebody could be told? Then it is
     * only read. */
    m->copies = !m->to || !count_tables(m, m->to, to) || to[TABLE_USERS] == 0 ||
                memcmp(from, to, sizeof to) != 0;
    if (m->copies) {
        transfer_db_close(&m->to);
        m->to = transfer_db_open(o->to, TRANSFER_MOVE, m->why, m->why_size);
        if (m->to)
            m->to->epoch = m->from->epoch;
    }
    return m->to;
}

bool move_run(const struct move_options *options, struct move_report *report, char *why,
              size_t why_size)
{
    assert(options->from && options->to && options->progress && why_size > 0);
    struct moving m = {.options = options, .why = why, .why_size = why_size};
    *report = (struct move_report){0};
    (void)snprintf(why, why_size, "libsodium cannot be used");
    bool done = sodium_init() >= 0 && open_databases(&m) &&
                pass_tables(&m, m.copies ? "copying" : "reading", m.from, m.copies ? m.to : NULL,
                            report->from) &&
                pass_tables(&m, "comparing", m.to, NULL, report->to) && compare(&m, report);
    if (done && m.copies)
        done = report->copied = m.to->engine->finish(m.to);
    transfer_db_close(&m.to);
    transfer_db_close(&m.from);
    return done;
}
