// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_CHARGES_H
#define TASKHOLD_HTTP_CHARGES_H

#include "http/connection.h"

/* What a connection holds and costs, on the account of who pays for it (http/ledger.h). */

/* Tells the ledger what it holds now. */
void charges_weigh(struct http_connection *c);

/* The loop's time since somebody was last charged was for this connection. */
void charges_spend(struct http_connection *c);

/* What it holds and costs is from now on `payer`'s. */
void charges_bill(struct http_connection *c, uint64_t payer);

/* Whether there is room for an exchange that takes `bytes` besides the usual. */
enum ledger_room charges_admit(struct http_connection *c, size_t bytes);

/* Whether who pays for it has cost more of late than others. */
bool charges_are_high(const struct http_connection *c);

#endif
