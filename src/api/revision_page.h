// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_REVISION_PAGE_H
#define TASKHOLD_API_REVISION_PAGE_H

#include "api/precondition.h"

/* A page of what is answered from the newest back: the history of a task, the trash. Its cursor
 * names the revision before which the next page begins, and whose history it is. */
struct revision_page {
    struct http_conditions conditions;
    struct uuid thing; /* all zero: the trash */
    unsigned limit;
    int64_t before; /* INT64_MAX without a cursor */
};

/* Reads query and header values. False: 400 with all that is wrong was answered; `wrong_cursor` is
 * what is said of a cursor that is of something else. */
bool revision_page_read(struct http_exchange *x, struct uuid thing, const char *wrong_cursor,
                        struct revision_page *page);

/* The cursor of the page after one that ends with the revision `last`, in the request's arena; ptr
 * NULL without memory. */
struct slice revision_page_cursor(struct http_exchange *x, const struct revision_page *page,
                                  int64_t last);

/* Sends the page whose body is written. The tag is made of what is answered: names and what is in
 * the trash come and go without a change of a task. `path`: where it is, for the link to the next
 * one; `cursor` of that, ptr NULL: there is none. */
void revision_page_answer(struct http_exchange *x, const struct revision_page *page,
                          struct slice path, struct slice cursor);

#endif
