// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_LIST_CACHE_H
#define TASKHOLD_API_LIST_CACHE_H

#include <stdbool.h>

#include "base/slice.h"
#include "base/uuid.h"

/* Pages of lists as they were last answered, of one loop: no lock. A page is a pure function of the
 * user's tasks and the query, and every change of a task takes the user's next revision; so the
 * bytes made at a revision are the bytes for that revision, and an older page is never found.
 *
 * Memory is taken page by page, up to a ceiling, and used again; a page that does not fit is not
 * kept. What is not there costs only time. */
struct list_cache;

struct list_cache_key {
    struct uuid user;
    struct slice query; /* see task_query_key */
    int64_t revision;   /* the user's, of the snapshot that the page is read in */
};

struct list_cache_page {
    struct slice fields; /* field lines of the head, each ended by CRLF */
    struct slice body;
};

#define LIST_CACHE_PAGE_MOST ((size_t)32 * 1024) /* bytes of query, fields and body */

/* `slots`: how many pages at most, one for each hash of user and query. `most`: bytes of all pages.
 * NULL without memory. */
struct list_cache *list_cache_create(size_t slots, size_t most);
void list_cache_destroy(struct list_cache **cache);

/* Forgets all. */
void list_cache_clear(struct list_cache *cache);

/* Returns false when the page is not there. What `page` points to lives until the next put. */
bool list_cache_find(const struct list_cache *cache, const struct list_cache_key *key,
                     struct list_cache_page *page);

/* Keeps a copy, in the place of the page that had the slot. */
void list_cache_put(struct list_cache *cache, const struct list_cache_key *key,
                    const struct list_cache_page *page);

#endif
