// SPDX-License-Identifier: MIT
/* A file of settings (`.env`, --env-file). */
#include <stdlib.h>
#include <string.h>

#include "base/settings_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* What a source says lies in the text and ends in it. */
static void judge(const char *value, const char *text, size_t size)
{
    must(!value || (value >= text && value <= text + size && strlen(value) <= size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct settings settings = {0};
    struct settings_source source = {0};
    char *text = malloc(size + 1);

    must(text != NULL);
    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    if (strlen(text) == size) {
        settings_parse_env(&settings, &source, "file", text);
        for (unsigned id = 0; id < SETTING_COUNT; id++) {
            judge(source.values[id], text, size);
            judge(source.files[id], text, size);
        }
    }
    settings_finish(&settings);
    free(text);
    return 0;
}
