// SPDX-License-Identifier: MIT
#include "model/scope.h"

#include <assert.h>
#include <string.h>

const struct slice scope_names[SCOPE_COUNT] = {
    {"tasks:read", 10}, {"tasks:write", 11}, {"account:read", 12}};

_Static_assert(10 + 1 + 11 + 1 + 12 == SCOPE_TEXT_MOST, "all names with a space between");

unsigned scope_named(struct slice name)
{
    for (unsigned i = 0; i < SCOPE_COUNT; i++) {
        if (slice_eq(name, scope_names[i])) {
            return 1U << i;
        }
    }
    return 0;
}

unsigned scope_read(struct slice strings)
{
    unsigned scopes = 0;
    struct slice rest = strings;
    assert(strings.len >= 2);
    (void)slice_next(&rest, '"');
    while (rest.ptr) {
        const unsigned scope = scope_named(slice_next(&rest, '"'));
        assert(scope != 0);
        scopes |= scope;
        (void)slice_next(&rest, '"'); /* what stands between two */
    }
    return scopes;
}

struct slice scope_write(unsigned scopes, char text[static SCOPE_TEXT_MOST])
{
    size_t len = 0;
    assert((scopes & ~(unsigned)SCOPE_ALL) == 0);
    for (unsigned i = 0; i < SCOPE_COUNT; i++) {
        if (scopes & 1U << i) {
            if (len > 0) {
                text[len++] = ' ';
            }
            memcpy(text + len, scope_names[i].ptr, scope_names[i].len);
            len += scope_names[i].len;
        }
    }
    return (struct slice){text, len};
}

bool scope_covers(unsigned held, unsigned needed)
{
    assert(((held | needed) & ~(unsigned)SCOPE_ALL) == 0);
    if (held & SCOPE_TASKS_WRITE) {
        held |= SCOPE_TASKS_READ;
    }
    return needed != 0 && (held & needed) == needed;
}
