// SPDX-License-Identifier: MIT
#include "base/error.h"

#include <assert.h>

#define ERROR_ROW(constant, code, status, title, meaning, advice)                                  \
    [ERROR_##constant] = {(code), (status), (title), (meaning), (advice), meaning " " advice},

static const struct error_row rows[ERROR_COUNT] = {ERROR_LIST(ERROR_ROW)};

const struct error_row *error_row(enum error error)
{
    assert(error > ERROR_NONE && error < ERROR_COUNT);
    return &rows[error];
}
