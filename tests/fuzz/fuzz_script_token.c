// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "auth/script_token.h"

/* What arrives after `Bearer`: any bytes. What is taken has the form, and a wrong digit in its
 * checksum makes it none. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool what)
{
    if (!what) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice input = {(const char *)data, size};
    const bool whole = script_token_is_whole(input);

    require(!whole || slice_starts(input, SLICE(SCRIPT_TOKEN_PREFIX)));
    require(!whole || size == SCRIPT_TOKEN_LEN);
    if (whole) {
        char text[SCRIPT_TOKEN_LEN];
        memcpy(text, data, sizeof text);
        text[sizeof text - 1] = text[sizeof text - 1] == '0' ? '1' : '0';
        require(!script_token_is_whole((struct slice){text, sizeof text}));
    }
    /* The same bytes after the prefix, or its checks would seldom be passed. */
    if (size >= SCRIPT_TOKEN_LEN - 4) {
        char text[SCRIPT_TOKEN_LEN];
        memcpy(text, SCRIPT_TOKEN_PREFIX, 4);
        memcpy(text + 4, data, sizeof text - 4);
        for (size_t i = 4; i < sizeof text; i++) {
            require(ascii_is_alnum(text[i]) ||
                    !script_token_is_whole((struct slice){text, sizeof text}));
        }
    }
    return 0;
}
