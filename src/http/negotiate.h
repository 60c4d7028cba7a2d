#ifndef TASKHOLD_HTTP_NEGOTIATE_H
#define TASKHOLD_HTTP_NEGOTIATE_H

#include "http/route.h"

/* Content negotiation (RFC 9110 sections 8.3, 8.4 and 12.5.1). */

/* Whether Accept lets a body of `produces` (`type/subtype`, maybe with parameters) through.
 * Elements that are malformed are ignored, as if they were not there. */
bool negotiate_accepts(const struct http_request *request, struct slice produces);

/* Whether Accept-Encoding lets gzip through (RFC 9110 section 12.5.3). No field is no restriction;
 * an empty one allows nothing. Malformed elements are ignored. */
bool negotiate_accepts_gzip(const struct http_request *request);

/* Whether the body's Content-Type and Content-Encoding are among `consumes` (bits of enum
 * http_consumes). No Content-Type counts as JSON. */
bool negotiate_consumes(const struct http_request *request, unsigned consumes);

#endif
