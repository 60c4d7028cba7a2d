// SPDX-License-Identifier: MIT
#include "http/charges.h"

#include "base/clock.h"
#include "http/loop.h"

/* What an exchange takes at least, answer and buffers included. */
#define REQUEST_BYTES ((size_t)32 * 1024)

void charges_weigh(struct http_connection *c)
{
    size_t bytes = c->in.capacity + c->out.capacity;
    if (c->request_state) {
        bytes += request_state_held(c->request_state);
        bytes = bytes > c->request_state->reserved ? bytes : c->request_state->reserved;
    }
    if (bytes != c->held) {
        ledger_change(&c->loop->ledger, c->account, c->held, bytes);
        c->held = bytes;
    }
}

void charges_spend(struct http_connection *c)
{
    const int64_t now_us = clock_mono_us();
    ledger_spend(&c->loop->ledger, c->account, now_us - c->loop->charged_us);
    c->loop->charged_us = now_us;
}

void charges_bill(struct http_connection *c, uint64_t payer)
{
    struct ledger *ledger = &c->loop->ledger;
    if (c->account && c->account->payer == payer) {
        return;
    }
    struct account *account = ledger_open(ledger, payer);
    ledger_change(ledger, c->account, c->held, 0);
    ledger_close(ledger, c->account);
    ledger_change(ledger, account, 0, c->held);
    c->account = account;
}

enum ledger_room charges_admit(struct http_connection *c, size_t bytes)
{
    charges_weigh(c);
    const size_t typical = c->account ? c->account->typical : 0;
    return ledger_room(&c->loop->ledger, c->account, bytes + typical + REQUEST_BYTES);
}

bool charges_are_high(const struct http_connection *c)
{
    return ledger_expensive(&c->loop->ledger, c->account);
}
