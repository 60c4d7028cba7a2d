// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_NEWS_H
#define TASKHOLD_STORE_POSTGRES_NEWS_H

#include "store/postgres/connect.h"
#include "store/store.h"

/* What the nodes tell each other of what they commit. A notification in the transaction of each
 * write would cost two thirds of the commits, because those that notify commit one after the other.
 * So the keeper announces what was committed afterwards, all that came together in NEWS_EVERY_MS in
 * few payloads, and only while another node has somebody who waits. What gets lost is found by
 * asking: once a second for the revisions of the spaces that this node waits for. */
struct news;

#define NEWS_CHANNEL  "taskhold_changes"
#define NEWS_EVERY_MS 25

/* `options` as the keeper has them; they outlive it. NULL without memory or descriptor. */
struct news *news_create(const struct store_options *options);
void news_destroy(struct news **news);

/* Any thread, after the commit: this node has changed the space. */
void news_add(struct news *news, struct uuid space, int64_t revision);

/* ---- for the keeper, on its thread ---- */

/* Readable when there is something to announce. */
int news_descriptor(const struct news *news);

/* When there is, by clock_mono_ms; INT64_MAX: nothing is due. */
int64_t news_due_ms(const struct news *news);

/* Announces what is due. False: the connection is of no use any more. */
bool news_announce(struct news *news, PGconn *connection, unsigned timeout_ms, int wake);

/* What another node has announced. */
void news_hear(struct news *news, struct slice payload);

/* Asks for the revisions of the spaces that this node waits for, and lets the others know that it
 * does. False: the connection is of no use any more. */
bool news_ask(struct news *news, PGconn *connection, unsigned timeout_ms, int wake);

/* Whether what this node said in news_ask has come back to it; once what has come was heard. */
bool news_is_heard(struct news *news);

#endif
