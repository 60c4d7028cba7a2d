// SPDX-License-Identifier: MIT
#include "http/ledger.h"

#include <assert.h>
#include <stdlib.h>

#define SWEPT_AT_ONCE 8 /* buckets an interval */
#define SPENT_MOST    ((int64_t)1 << 30)

void ledger_init(struct ledger *ledger, size_t most)
{
    assert(most > 0);
    *ledger = (struct ledger){.most = most};
}

void ledger_finish(struct ledger *ledger)
{
    for (unsigned i = 0; i < LEDGER_BUCKETS; i++) {
        while (ledger->buckets[i]) {
            struct account *account = ledger->buckets[i];
            ledger->buckets[i] = account->next;
            free(account);
        }
    }
}

struct account *ledger_open(struct ledger *ledger, uint64_t payer)
{
    struct account **bucket =
        &ledger->buckets[(payer * 0x9e3779b97f4a7c15U) >> 32 & (LEDGER_BUCKETS - 1)];
    struct account *account = *bucket;
    while (account && account->payer != payer) {
        account = account->next;
    }
    if (!account) {
        account = calloc(1, sizeof *account);
        if (!account) {
            return NULL;
        }
        account->payer = payer;
        account->interval = ledger->interval - 2; /* nothing spent */
        account->next = *bucket;
        *bucket = account;
    }
    account->users++;
    return account;
}

/* It stays for a while: who comes again on another connection is no newcomer. */
void ledger_close(struct account *account)
{
    if (account) {
        assert(account->users > 0);
        account->users--;
        assert(account->users > 0 || account->held == 0);
    }
}

void ledger_change(struct ledger *ledger, struct account *account, size_t before, size_t after)
{
    assert(ledger->held >= before);
    ledger->held += after - before;
    if (account) {
        assert(account->held >= before);
        account->held += after - before;
    }
}

enum ledger_room ledger_room(const struct ledger *ledger, const struct account *account,
                             size_t bytes)
{
    if (account && (bytes > ledger->most / 2 || account->held > ledger->most / 2 - bytes)) {
        return LEDGER_ACCOUNT_FULL;
    }
    return bytes <= ledger->most && ledger->held <= ledger->most - bytes ? LEDGER_ROOM
                                                                         : LEDGER_FULL;
}

void ledger_answered(const struct ledger *ledger, struct account *account, size_t bytes)
{
    const size_t most = ledger->most / 8; /* however large one was, the next one is tried */
    if (account) {
        bytes = bytes < most ? bytes : most;
        account->typical =
            bytes > account->typical ? bytes : account->typical - (account->typical - bytes) / 16;
    }
}

/* ---- Time ---- */

void ledger_spend(struct ledger *ledger, struct account *account, int64_t us)
{
    if (!account || us <= 0) {
        return;
    }
    if (account->interval != ledger->interval) {
        account->before_us = account->interval + 1 == ledger->interval ? account->spent_us : 0;
        account->spent_us = 0;
        account->interval = ledger->interval;
        ledger->spenders++;
    }
    const int64_t sum = account->spent_us + us;
    account->spent_us = (uint32_t)(sum < SPENT_MOST ? sum : SPENT_MOST);
}

/* What would be theirs in an interval if all who ask had the same. */
static uint32_t share_of(const struct ledger *ledger)
{
    const unsigned spenders =
        ledger->spenders > ledger->spenders_before ? ledger->spenders : ledger->spenders_before;
    return LEDGER_INTERVAL_US / (spenders + 1);
}

/* In this interval and the one before. */
static uint32_t spent_of(const struct ledger *ledger, const struct account *account)
{
    if (account->interval == ledger->interval) {
        return account->before_us + account->spent_us;
    }
    return account->interval + 1 == ledger->interval ? account->spent_us : 0;
}

bool ledger_expensive(const struct ledger *ledger, const struct account *account, unsigned times)
{
    return !account || spent_of(ledger, account) > times * share_of(ledger);
}

bool ledger_light(const struct ledger *ledger, const struct account *account)
{
    return account && spent_of(ledger, account) < share_of(ledger) / 4;
}

void ledger_tick(struct ledger *ledger, int64_t now_us)
{
    if (now_us < ledger->interval_end_us) {
        return;
    }
    /* After a pause nothing of before counts. */
    const bool late = now_us >= ledger->interval_end_us + LEDGER_INTERVAL_US;
    ledger->interval += late ? 2 : 1;
    ledger->spenders_before = late ? 0 : ledger->spenders;
    ledger->spenders = 0;
    ledger->interval_end_us = now_us + LEDGER_INTERVAL_US;
    for (unsigned i = 0; i < SWEPT_AT_ONCE; i++) {
        struct account **link = &ledger->buckets[ledger->sweep];
        while (*link) {
            struct account *account = *link;
            if (account->users == 0 && ledger->interval - account->interval > 1) {
                *link = account->next;
                free(account);
            } else {
                link = &account->next;
            }
        }
        ledger->sweep = (ledger->sweep + 1) % LEDGER_BUCKETS;
    }
}

/* ---- Overload ---- */

void overload_turn(struct overload *overload, int64_t now_us, int64_t turn_us)
{
    if (turn_us < overload->least_us) {
        overload->least_us = turn_us;
    }
    overload->long_turns = turn_us > OVERLOAD_TARGET_US ? overload->long_turns + 1 : 0;
    if (now_us >= overload->interval_end_us) {
        const bool late =
            overload->least_us > OVERLOAD_TARGET_US && overload->long_turns >= OVERLOAD_TURNS_LEAST;
        overload->standing = late || (overload->standing && overload->refused);
        overload->refused = false;
        overload->interval_end_us = now_us + OVERLOAD_INTERVAL_US;
        overload->least_us = INT64_MAX;
    }
}

void overload_refused(struct overload *overload)
{
    overload->refused = true;
}

void overload_idle(struct overload *overload)
{
    overload->least_us = 0;
    overload->long_turns = 0;
    overload->standing = overload->refused = false;
}

bool overload_refuses(const struct overload *overload, int64_t wait_us, bool expensive)
{
    return overload->standing && wait_us > (int64_t)OVERLOAD_TARGET_US * (expensive ? 2 : 8);
}
