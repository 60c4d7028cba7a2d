// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_WEBURL_H
#define TASKHOLD_BASE_WEBURL_H

#include "base/slice.h"

/* URLs in settings. */

/* SCHEME://HOST[:PORT] as browsers send an origin (RFC 6454 section 6.2): lower case, no path, and
 * not the port that http or https has anyway. The scheme is any: apps in a web view have their own
 * (`capacitor://localhost`, `app://-`). */
bool weburl_is_origin(struct slice text);

#define WEBURL_MOST 512 /* bytes of a public URL */

/* What clients ask instead of this server: an origin of http or https, and maybe a path,
 * whose last slash is ignored. No query, no fragment; nothing that would have to be
 * escaped, in a URL or in HTML; no segment of the path is empty, `.` or `..`. */
bool weburl_is_public(struct slice text);

/* Of a URL for which weburl_is_public holds (or NULL): all but a last slash; and its path without a
 * last slash, empty when there is none. Both point into `url`. */
struct slice weburl_base(const char *url);
struct slice weburl_path(const char *url);

#endif
