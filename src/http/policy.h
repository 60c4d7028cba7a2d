// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_POLICY_H
#define TASKHOLD_HTTP_POLICY_H

#include <stdatomic.h>

#include "http/message.h"
#include "http/proxies.h"

/* Whom a server trusts, made of settings that may change while it runs: each loop has a pointer to
 * the policy in force. Pages of other origins are let in as the Fetch standard ("CORS protocol")
 * says, without credentials. */
struct policy {
    struct slice origins;    /* exact origins, comma separated; ptr NULL: none is allowed */
    bool any_origin;         /* `*` */
    struct proxies *proxies; /* NULL: no proxy is trusted */
    char *texts[3];          /* what it was made of */
    atomic_flag origin_told; /* the log knows that a page was refused */
};

/* Any text may be NULL or empty; `cors_origins`: origins such as `https://app.example`, or `*`.
 * NULL with `*why` set when one is malformed or memory is out. */
struct policy *policy_create(const char *cors_origins, const char *trusted_proxies,
                             const char *client_address_header, const char **why);
void policy_destroy(struct policy **policy);

/* Whether a browser asks, for a page of another origin, what it may send; where origins are allowed
 * at all. */
bool policy_is_preflight(const struct policy *policy, const struct http_request *request);

/* Adds to the answer of a preflight what it asks for. */
void policy_add_preflight(const struct policy *policy, struct http_exchange *x);

/* Adds to an answer what the page of an allowed origin needs to read it. Of another page's request
 * the log is told, once, with what to set; but not of a page of the server itself. Any thread. */
void policy_add_origin(struct policy *policy, struct http_exchange *x);

#endif
