#ifndef TASKHOLD_HTTP_POLICY_H
#define TASKHOLD_HTTP_POLICY_H

#include "http/cors.h"
#include "http/proxies.h"

/* Whom a server trusts, made of settings that may change while it runs: each loop has a pointer to
 * the one in force. */
struct policy {
    struct cors *cors;       /* NULL: no origin is allowed */
    struct proxies *proxies; /* NULL: no proxy is trusted */
    char *texts[3];          /* what they were made of */
};

/* Any text may be NULL or empty. NULL with `*why` set when one is malformed or memory is out. */
struct policy *policy_create(const char *cors_origins, const char *trusted_proxies,
                             const char *client_address_header, const char **why);
void policy_destroy(struct policy **policy);

#endif
