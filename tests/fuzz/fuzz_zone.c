// SPDX-License-Identifier: MIT
/* Files of time zones, and the rules at their ends: what does not begin as a file is a rule. */
#include <stdlib.h>

#include "base/buffer.h"
#include "model/tzif.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* What a clock shows at a time that it was set to, and next to it. */
static void check_local(const struct tzif *times, int64_t local)
{
    const int64_t first = tzif_first(times, local);
    const int64_t meant = tzif_meant(times, local);

    must(first + tzif_span_at(times, first).offset >= local);
    must(first - 1 + tzif_span_at(times, first - 1).offset < local);
    must(meant >= first);
    if (first + tzif_span_at(times, first).offset == local) {
        must(meant == first);
    } else {
        must(tzif_span_at(times, first).from == first); /* skipped by the change there */
    }
}

/* Spans join, and their offsets are none that no zone has. */
static void check_spans(const struct tzif *times, int64_t from)
{
    struct tzif_span span = tzif_span_at(times, from);

    for (unsigned i = 0; i < 50 && span.until != INT64_MAX; i++) {
        const int64_t at = span.until;
        span = tzif_span_at(times, at);
        must(span.from == at && span.until > at);
        must(span.offset > -TZIF_OFFSET_LIMIT && span.offset < TZIF_OFFSET_LIMIT);
        must(tzif_span_at(times, at - 1).until == at);
        if (at > -(INT64_C(1) << 36) && at < INT64_C(1) << 36) {
            check_local(times, at + span.offset);
            check_local(times, at + span.offset - 1);
            check_local(times, at + tzif_span_at(times, at - 1).offset);
        }
    }
}

static bool read_file(struct slice bytes)
{
    struct tzif *times = NULL;

    if (tzif_read(bytes, &times) != TZIF_READ) {
        return false;
    }
    must(tzif_size(times) <= 200 + 2 * TZIF_BYTES_MOST);
    check_spans(times, INT64_MIN);
    check_spans(times, 0);
    check_spans(times, INT64_C(32503000000));
    (void)tzif_span_at(times, INT64_MAX);
    tzif_destroy(&times);
    return true;
}

/* A file that has nothing but this rule takes it when the rule is one. */
static void read_rule(struct slice text)
{
    static const char half[44 + 6 + 1] = {
        'T', 'Z', 'i', 'f', '3', [39] = 1, [43] = 1,
    };
    struct tzif_rule rule;
    struct buffer file;
    const bool taken = tzif_rule_read(text, &rule);

    buffer_init(&file, 1 << 17);
    buffer_add(&file, (struct slice){half, sizeof half});
    buffer_add(&file, (struct slice){half, sizeof half});
    buffer_add_char(&file, '\n');
    buffer_add(&file, text);
    buffer_add_char(&file, '\n');
    if (!file.failed) {
        must(read_file(buffer_slice(&file)) == (taken || text.len == 0));
    }
    buffer_finish(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Copied to its exact size, so that ASan sees every byte read after the end. */
    char *copy = malloc(size > 0 ? size : 1);

    if (copy && size <= TZIF_BYTES_MOST) {
        if (size > 0) {
            memcpy(copy, data, size);
        }
        const struct slice bytes = {copy, size};
        if (slice_starts(bytes, SLICE("TZif"))) {
            (void)read_file(bytes);
        } else {
            read_rule(bytes);
        }
    }
    free(copy);
    return 0;
}
