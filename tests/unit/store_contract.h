// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_TESTS_STORE_CONTRACT_H
#define TASKHOLD_TESTS_STORE_CONTRACT_H

#include <pthread.h>

#include "store/sql.h"
#include "store/store.h"

/* What store.h promises, tested on any engine. */
struct store_contract {
    const struct store_engine *engine;
    /* The URL of a fresh, empty database, made for each test. */
    const char *(*make_database)(void);
    void (*drop_database)(void);
    /* The number that a statement on the test's database gives. */
    int64_t (*number)(const char *sql);
    const char *drift;               /* see contract_make_drift */
    bool unprepared;                 /* as in store_options */
    const struct resource *resource; /* whose items alone are tested; NULL: tasks, and all else */
};

/* Makes the statement that counts the spaces whose usage is another than counting gives. */
void contract_make_drift(struct buffer *out, enum sql_dialect dialect);

/* Runs the suite and returns how many tests failed. */
int store_contract_run(const struct store_contract *contract);

/* For the suite's own files: what each test gets as its state. */
#define CONTRACT_ENDED_MOST 1024

struct contract_state {
    const struct store_contract *contract;
    struct store *store;
    struct store_options options;
    pthread_t thread;                       /* that runs the test */
    struct uuid ended[CONTRACT_ENDED_MOST]; /* users named by sessions_ended; read after answers */
    unsigned ended_count;
};

#endif
