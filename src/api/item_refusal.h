// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_ITEM_REFUSAL_H
#define TASKHOLD_API_ITEM_REFUSAL_H

#include "api/respond.h"
#include "store/store.h"

/* What a write of an item that the store refused is answered with, alone or in a batch. */
struct item_refusal {
    enum error error;
    const char *detail; /* NULL: the error's */
    struct http_problem_errors more;
    char room[400];
};

/* Was it refused? Also one whose answer, which was kept, is gone with its task. */
bool item_is_refused(const struct store_item_write *write);

/* How; `kind`: what the preconditions of the write are about. */
void item_refusal_of(const struct http_exchange *x, const struct store_item_write *write,
                     enum tag_kind kind, struct item_refusal *refusal);

/* Sends it; for what is refused with a precondition, with the ETag of what is there. */
void item_refusal_send(struct http_exchange *x, const struct store_item_write *write,
                       enum tag_kind kind, const struct item_refusal *refusal);

/* Sends what a batch of writes as a whole came to, which is not ERROR_NONE. */
void item_refusal_send_whole(struct http_exchange *x, enum error result);

/* That of an item that is not there. */
void item_refusal_not_found(const struct resource *resource, struct item_refusal *refusal);

/* The errors of a body as those of a problem. */
void item_refusal_errors(const struct field_errors *errors, struct http_problem_errors *list);

#endif
