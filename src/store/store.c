// SPDX-License-Identifier: MIT
#include "store/store.h"

#include <assert.h>
#include <stdio.h>

#include "store/postgres/engine.h"
#include "store/sqlite/engine.h"

static const struct {
    const char *scheme;
    const struct store_engine *engine;
} engines[] = {
    {"sqlite:", &sqlite_engine},
    {"postgres://", &postgres_engine},
    {"postgresql://", &postgres_engine},
};

const struct store_engine *store_engine_for(const char *url)
{
    assert(url);
    for (size_t i = 0; i < sizeof engines / sizeof engines[0]; i++) {
        if (strncmp(url, engines[i].scheme, strlen(engines[i].scheme)) == 0)
            return engines[i].engine;
    }
    return NULL;
}

bool store_url_judge(const char *url, char *why, size_t why_size)
{
    const struct store_engine *engine = store_engine_for(url);
    if (!engine)
        (void)snprintf(why, why_size, "DATABASE_URL names no engine that is built in");
    return engine && engine->url_judge(url, why, why_size);
}

void store_summary_clear(struct store_summary *op)
{
    assert(op->lists);
    memset(op->tasks, 0, sizeof op->tasks);
    op->overdue_count = 0;
    op->today_count = 0;
    op->blocked_count = 0;
    op->list_count = 0;
}

void store_summary_add(struct store_summary *op, const struct store_summary_row *row)
{
    assert(op->list_count < STORE_SUMMARY_LISTS_MOST);
    for (unsigned i = 0; i < TASK_STATUS_COUNT; i++)
        op->tasks[i] += row->tasks[i];
    op->overdue_count += row->overdue;
    op->today_count += row->today;
    op->blocked_count = row->blocked;
    op->lists[op->list_count++] = (struct store_summary_list){
        .id = row->list,
        .open = row->tasks[TASK_PENDING] + row->tasks[TASK_IN_PROGRESS],
        .overdue = row->overdue,
    };
}
