// SPDX-License-Identifier: MIT
#include "store_contract.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>

#include "model/task.h"
#include "store_contract_parts.h"
#include "store_fixture.h"

/* cmocka gives a group no argument of its own. */
static const struct store_contract *running;

static void on_sessions_ended(void *context, struct uuid user)
{
    struct contract_state *state = context;
    /* A shared engine hears of its own commits too, a little later and on a thread of its own. */
    if (running->engine->shared && !pthread_equal(pthread_self(), state->thread))
        return;
    if (state->ended_count < CONTRACT_ENDED_MOST)
        state->ended[state->ended_count++] = user;
}

void contract_open_loop(void **pointer, struct loop *loop)
{
    struct contract_state *state = *pointer;
    loop_open(loop, state->contract->engine, state->store);
}

struct uuid contract_open_with_user(void **pointer, struct loop *loop)
{
    contract_open_loop(pointer, loop);
    return make_user(loop, "ann");
}

int contract_setup(void **pointer)
{
    char why[256];
    struct contract_state *state = calloc(1, sizeof *state);
    assert_non_null(state);
    state->contract = running;
    state->thread = pthread_self();
    state->options = (struct store_options){
        .url = running->make_database(),
        .queue_most = CONTRACT_QUEUE_MOST,
        .unprepared = running->unprepared,
        .sessions_ended = on_sessions_ended,
        .context = state,
    };
    state->store = running->engine->open(&state->options, why, sizeof why);
    if (!state->store)
        fail_msg("%s", why);
    *pointer = state;
    return 0;
}

int contract_teardown(void **pointer)
{
    struct contract_state *state = *pointer;
    running->engine->close(&state->store);
    assert_null(state->store);
    running->drop_database();
    free(state);
    return 0;
}

/* From the one that counts anew: `UPDATE spaces SET (COLUMNS) = (SELECT ...)`. */
void contract_make_drift(struct buffer *out, enum sql_dialect dialect)
{
    struct buffer recount;
    buffer_init(out, 16384);
    buffer_init(&recount, 16384);
    sql_recount(&recount, dialect);
    struct slice rest = slice_from(buffer_slice(&recount), strlen("UPDATE spaces SET "));
    buffer_add_text(out, "SELECT count(*) FROM spaces WHERE ");
    buffer_add(out, slice_next(&rest, '='));
    buffer_add_text(out, "<>");
    buffer_add(out, rest);
    buffer_add_char(out, '\0');
    buffer_finish(&recount);
}

int store_contract_run(const struct store_contract *contract)
{
    running = contract;
    fixture_resource = contract->resource ? contract->resource : &task_resource;
    int failed = store_contract_items();
    failed += store_contract_changes();
    failed += store_contract_history();
    failed += store_contract_keys();
    failed += store_contract_lists();
    failed += store_contract_usage();
    failed += store_contract_moves();
    if (contract->resource)
        return failed;
    failed += store_contract_accounts();
    failed += store_contract_operator();
    failed += store_contract_sessions();
    failed += store_contract_tokens();
    failed += store_contract_loops();
    failed += store_contract_trash();
    failed += store_contract_trees();
    failed += store_contract_batch();
    return failed;
}
