// SPDX-License-Identifier: MIT
#include "store/transfer/move.h"

#include <stdio.h>

#include "store/sqlite/own.h"
#include "store/store.h"
#include "store/transfer/side.h"

#define STEP 256 /* rows between two looks at the progress */

struct moving {
    const struct move_options *options;
    struct side *from;
    struct side *to;
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

static bool begin(struct moving *m, const char *doing)
{
    m->progress.doing = doing;
    m->progress.rows = 0;
    return go_on(m);
}

/* Reads a table of `side`, writes it to `into` (may be NULL), and answers what it read. */
static bool pass_rows(struct moving *m, struct side *side, struct side *into,
                      const struct table *table, struct move_side *found)
{
    struct table_value values[TABLE_COLUMNS_MOST];
    struct digest digest;
    enum side_next next = SIDE_ROW;
    digest_init(&digest);
    if (!side->engine->read(side, table, NULL))
        return false;
    while ((next = side->engine->next(side, values)) == SIDE_ROW) {
        digest_row(&digest, table, values);
        if (into && !into->engine->put(into, values))
            return false;
        if (++m->progress.rows % STEP == 0 && !go_on(m))
            return false;
    }
    found->rows = digest.rows;
    digest_finish(&digest, found->digest);
    return next == SIDE_END;
}

static bool copy_tables(struct moving *m, struct move_report *report)
{
    if (!begin(m, "copying"))
        return false;
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (!m->to->engine->write(m->to, &tables[i]) ||
            !pass_rows(m, m->from, m->to, &tables[i], &report->from[i]) ||
            !m->to->engine->written(m->to))
            return false;
    }
    return go_on(m);
}

static bool read_tables(struct moving *m, const char *doing, struct side *side,
                        struct move_side *found)
{
    if (!begin(m, doing))
        return false;
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (!pass_rows(m, side, NULL, &tables[i], &found[i]))
            return false;
    }
    return go_on(m);
}

/* Names the first table that differs. */
static bool compare(struct moving *m, struct move_report *report)
{
    report->compared = true;
    report->same = true;
    for (size_t i = 0; i < TABLE_COUNT && report->same; i++) {
        report->same = report->from[i].rows == report->to[i].rows &&
                       strcmp(report->from[i].digest, report->to[i].digest) == 0;
        if (!report->same)
            (void)snprintf(m->why, m->why_size, "the two sides differ in %s%s", tables[i].name,
                           m->copies ? "; the target is left empty" : "");
    }
    return report->same;
}

static bool count_tables(struct moving *m, struct side *side, int64_t rows[TABLE_COUNT])
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (!side->engine->count(side, &tables[i], NULL, &rows[i]))
            return false;
        m->progress.total += side == m->from ? rows[i] : 0;
    }
    return true;
}

/* Opens the target for reading, when it looks as if this move had come to its end before somebody
 * could be told. */
static bool open_moved(struct moving *m, const int64_t from[TABLE_COUNT])
{
    int64_t to[TABLE_COUNT] = {0};
    m->to = side_open(m->options->to, SIDE_READ_ALONE, m->why, m->why_size);
    if (m->to && count_tables(m, m->to, to) && to[TABLE_USERS] > 0 &&
        memcmp(from, to, sizeof to) == 0)
        return true;
    side_close(&m->to);
    return false;
}

/* Is the file of `other`, if it has one, a file of the database of `url`? */
static bool is_of(const char *url, const char *other, const struct moving *m)
{
    const struct store_engine *engine = store_engine_for(other);
    const char *file = engine ? engine->url_file(other) : NULL;
    return file && own_refuse(url, file, m->why, m->why_size);
}

static bool open_sides(struct moving *m)
{
    const struct move_options *o = m->options;
    int64_t rows[TABLE_COUNT] = {0};
    if (is_of(o->from, o->to, m) || is_of(o->to, o->from, m))
        return false;
    m->from = side_open(o->from, SIDE_READ_ALONE, m->why, m->why_size);
    if (!m->from || !count_tables(m, m->from, rows))
        return false;
    m->copies = !o->compare && !open_moved(m, rows);
    if (!m->to)
        m->to = side_open(o->to, o->compare ? SIDE_READ_ALONE : SIDE_MOVE, m->why, m->why_size);
    return m->to != NULL;
}

bool move_run(const struct move_options *options, struct move_report *report, char *why,
              size_t why_size)
{
    struct moving m = {.options = options, .why = why, .why_size = why_size};
    *report = (struct move_report){0};
    (void)snprintf(why, why_size, "libsodium cannot be used");
    bool done = sodium_init() >= 0 && open_sides(&m);
    if (done)
        done =
            m.copies ? copy_tables(&m, report) : read_tables(&m, "reading", m.from, report->from);
    done = done && read_tables(&m, "comparing", m.to, report->to) && compare(&m, report);
    if (done && m.copies)
        done = report->copied = m.to->engine->finish(m.to);
    side_close(&m.to);
    side_close(&m.from);
    return done;
}
