// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_CORS_H
#define TASKHOLD_HTTP_CORS_H

#include "http/message.h"

/* Cross-origin requests (the Fetch standard, "CORS protocol"), without credentials. */
struct cors;

/* `origins`: exact origins such as `https://app.example`, comma separated, or `*`. NULL with `*why`
 * set when one is malformed or memory is out. */
struct cors *cors_create(const char *origins, const char **why);
void cors_destroy(struct cors **cors);

/* Adds to the head of an answer what the page of an allowed origin needs to read it. False: the
 * page of this origin may not, or there is no origin. */
bool cors_add(const struct cors *cors, struct http_exchange *x);

/* Whether a browser asks here, for a page, what it may send. */
bool cors_is_preflight(const struct http_request *request);

/* Adds to the answer of a preflight what it asks for. */
void cors_add_preflight(const struct cors *cors, struct http_exchange *x);

#endif
