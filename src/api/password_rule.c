// SPDX-License-Identifier: MIT
#include "api/password_rule.h"

#include <stdio.h>

#include "api/context.h"
#include "auth/password.h"

#define DETAIL_MOST 64

static const struct {
    const char *code;
    const char *detail;
} verdicts[] = {
    [PASSWORD_TOO_SHORT] = {"too_short", "Is too short."},
    [PASSWORD_TOO_LONG] = {"too_long", "Must have at most 1024 bytes."},
    [PASSWORD_COMMON] = {"password_common",
                         "Is one of the passwords that everybody tries first; choose another."},
    [PASSWORD_CONTAINS_EMAIL] = {"password_contains_email",
                                 "Must not hold the part of the e-mail address before the @."},
};

/* The least length is a setting. */
static const char *too_short(struct arena *arena, unsigned least)
{
    char text[DETAIL_MOST];
    snprintf(text, sizeof text, "Must have at least %u characters.", least);
    struct slice copy = arena_copy(arena, slice_of(text));
    return copy.ptr ? copy.ptr : verdicts[PASSWORD_TOO_SHORT].detail;
}

void password_rule_check(struct http_exchange *x, const char *pointer, struct slice password,
                         struct slice email, struct field_errors *errors)
{
    unsigned least = (unsigned)api_of(x)->options.settings->password_min_length;
    if (!password.ptr) {
        return;
    }
    enum password_verdict verdict = password_judge(password, email, least);
    if (verdict == PASSWORD_OK) {
        return;
    }
    const char *detail =
        verdict == PASSWORD_TOO_SHORT ? too_short(x->arena, least) : verdicts[verdict].detail;
    field_errors_add(errors, slice_of(pointer), verdicts[verdict].code, detail);
}
