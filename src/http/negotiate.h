// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_NEGOTIATE_H
#define TASKHOLD_HTTP_NEGOTIATE_H

#include "http/route.h"

/* Content negotiation (RFC 9110 sections 8.3, 8.4 and 12.5.1). */

/* Whether Accept lets a body of `produces` (`type/subtype`, maybe with parameters) through.
 * Elements that are malformed are ignored, as if they were not there. Read leniently, for clients
 * that send what RFC 9110 does not allow: a lone `*` is any type, a weight may be `.2` or have more
 * digits than three. */
bool negotiate_accepts(const struct http_request *request, struct slice produces);

/* Sends 406 that names the type that there is. */
void negotiate_refuse_accept(struct http_exchange *x, const char *produces);

/* Whether Accept-Encoding lets gzip through (RFC 9110 section 12.5.3). No field is no restriction;
 * an empty one allows nothing. Malformed elements are ignored. */
bool negotiate_accepts_gzip(const struct http_request *request);

enum negotiate_body {
    NEGOTIATE_GOOD,
    NEGOTIATE_CODING,    /* a Content-Encoding */
    NEGOTIATE_REPEATED,  /* more than one Content-Type */
    NEGOTIATE_TYPE,      /* another media type */
    NEGOTIATE_CHARSET,   /* another charset */
    NEGOTIATE_PARAMETER, /* a parameter that the type does not have */
};

/* Whether the body's Content-Type and Content-Encoding are among `consumes` (bits of enum
 * http_consumes), and what is wrong. No Content-Type counts as JSON. An empty parameter (`;` at the
 * end) and `utf8` for the charset are let through: clients write them. */
enum negotiate_body negotiate_consumes(const struct http_request *request, unsigned consumes);

#endif
