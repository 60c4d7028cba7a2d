// SPDX-License-Identifier: MIT
/* What another node announces, as the payload of a notification: anybody who may connect to the
 * database can send one. */
#include <stdlib.h>

#include "store/postgres/news.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct slice payload; /* the bytes again */
static unsigned committed;
static unsigned doubted;

static void must(bool condition)
{
    if (!condition) {
        abort();
    }
}

static unsigned count_of(char byte)
{
    unsigned count = 0;
    for (size_t i = 0; i < payload.len; i++) {
        count += payload.ptr[i] == byte;
    }
    return count;
}

/* What is told stands in the payload: ` SPACE=REVISION`. */
static void on_commit(void *context, struct uuid space, int64_t revision)
{
    char entry[1 + UUID_TEXT_LEN + 1] = " ";
    const struct slice name = {entry, sizeof entry};
    bool found = false;
    (void)context;
    uuid_format(space, entry + 1);
    entry[1 + UUID_TEXT_LEN] = '=';
    must(revision >= 0);
    for (size_t i = 0; i < payload.len && !found; i++) {
        struct slice rest = slice_from(payload, i);
        uint64_t number = 0;
        if (slice_starts(rest, name)) {
            rest = slice_from(rest, name.len);
            found = slice_to_u64(slice_next(&rest, ' '), INT64_MAX, &number) &&
                    number == (uint64_t)revision;
        }
    }
    must(found);
    committed++;
}

static void on_doubt(void *context)
{
    (void)context;
    doubted++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct store_options options = {.committed = on_commit, .doubted = on_doubt};
    static struct news *news;
    if (!news) {
        news = news_create(&options);
        must(news != NULL);
    }
    /* Copied to its exact size, so that ASan sees every byte read after the end. */
    char *copy = malloc(size > 0 ? size : 1);
    if (copy && size <= 8000) { /* the server takes 7,999 */
        if (size > 0) {
            memcpy(copy, data, size);
        }
        payload = (struct slice){copy, size};
        committed = doubted = 0;
        news_hear(news, payload);
        must(committed <= count_of('='));
        must(doubted <= count_of('*'));
        /* The fuzzer learns the name of this node from what is compared; it is its own echo then.
         */
        must(!news_is_heard(news) || committed + doubted == 0);
        must(news_due_ms(news) == INT64_MAX);
    }
    free(copy);
    return 0;
}
