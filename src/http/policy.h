// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_POLICY_H
#define TASKHOLD_HTTP_POLICY_H

#include <stdatomic.h>

#include "http/cors.h"
#include "http/proxies.h"

/* Whom a server trusts, made of settings that may change while it runs: each loop has a pointer to
 * the one in force. */
struct policy {
    struct cors *cors;       /* NULL: no origin is allowed */
    struct proxies *proxies; /* NULL: no proxy is trusted */
    char *texts[3];          /* what they were made of */
    atomic_flag origin_told; /* the log knows that a page was refused */
};

/* Any text may be NULL or empty. NULL with `*why` set when one is malformed or memory is out. */
struct policy *policy_create(const char *cors_origins, const char *trusted_proxies,
                             const char *client_address_header, const char **why);
void policy_destroy(struct policy **policy);

/* Says in the log, once, that the page which sent `request` may not read the answer, and what to
 * set. A page of the server itself needs no setting: of it nothing is said. Any thread. */
void policy_tell_refused(struct policy *policy, const struct http_request *request);

#endif
