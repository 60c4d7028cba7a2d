#ifndef TASKHOLD_API_FAILURES_H
#define TASKHOLD_API_FAILURES_H

#include "http/message.h"

/* The quota `failures`: wrong passwords for each account. An address from which the account's owner
 * logged in before has a quota of its own, so that strangers who fail elsewhere lock nobody out.
 * An e-mail without an account is counted like one with. */

#define FAILURES_KEY_MOST 512

struct failures {
    struct http_exchange *x;
    char key[FAILURES_KEY_MOST];
    size_t key_len;
};

/* `known_address`: as the store says. */
void failures_init(struct failures *failures, struct http_exchange *x, struct slice email,
                   bool known_address);

/* Looks, before a password is compared. Sends 429 and returns false when the quota is used up. */
bool failures_allow(const struct failures *failures) __attribute__((warn_unused_result));

/* The password was wrong, or right; adds the RateLimit fields to the answer to come. */
void failures_add(const struct failures *failures);
void failures_forget(const struct failures *failures);

#endif
