#ifndef TASKHOLD_HTTP_CORS_H
#define TASKHOLD_HTTP_CORS_H

#include "http/message.h"

/* Cross-origin requests (the Fetch standard, "CORS protocol"), without credentials. */
struct cors;

/* `origins`: exact origins such as `https://app.example`, comma separated, or `*`. NULL with `*why`
 * set when one is malformed or memory is out. */
struct cors *cors_create(const char *origins, const char **why);
void cors_destroy(struct cors **cors);

/* Adds to the head of an answer what the page of an allowed origin needs to read it. */
void cors_add(const struct cors *cors, struct http_exchange *x);

/* Adds to the answer of an OPTIONS request what a preflight asks for. `allow`: the methods of the
 * path, see http_match. */
void cors_add_preflight(const struct cors *cors, struct http_exchange *x, unsigned allow);

#endif
