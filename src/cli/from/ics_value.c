// SPDX-License-Identifier: MIT
#include "cli/from/ics_value.h"

#include <assert.h>

#include "cli/from/stamp.h"

bool ics_date_read(struct slice text, int32_t *day, int32_t *ms, bool *utc)
{
    assert(day && ms && utc);
    uint64_t date = 0;
    uint64_t time = 0;

    *utc = text.len == 16 && text.ptr[15] == 'Z';
    if ((text.len != 8 && text.len != 15 && !*utc) ||
        !slice_to_u64((struct slice){text.ptr, 8}, 99999999, &date) ||
        !stamp_day((int64_t)(date / 10000), (unsigned)(date / 100 % 100), (unsigned)(date % 100),
                   day)) {
        return false;
    }
    *ms = -1;
    if (text.len == 8) {
        return true;
    }
    if (text.ptr[8] != 'T' || !slice_to_u64((struct slice){text.ptr + 9, 6}, 235960, &time) ||
        time / 100 % 100 > 59 || time % 100 > 60) {
        return false;
    }
    const uint64_t second = time % 100 == 60 ? 59 : time % 100; /* a leap second */
    *ms = (int32_t)((time / 10000 * 60 + time / 100 % 100) * 60 + second) * 1000;
    return true;
}

bool ics_duration_read(struct slice text, int64_t *ms)
{
    assert(ms);
    bool time = false;
    int64_t sum = 0;

    if (text.len > 0 && text.ptr[0] == '+') {
        text = slice_from(text, 1);
    }
    if (text.len < 3 || ascii_lower(text.ptr[0]) != 'p') {
        return false;
    }
    text = slice_from(text, 1);
    while (text.len > 0) {
        uint64_t number = 0;
        size_t digits = 0;
        if (ascii_lower(text.ptr[0]) == 't' && !time) {
            time = true;
            text = slice_from(text, 1);
            continue;
        }
        while (digits < text.len && ascii_is_digit(text.ptr[digits])) {
            digits++;
        }
        if (digits == text.len ||
            !slice_to_u64((struct slice){text.ptr, digits}, 100000000, &number)) {
            return false;
        }
        const char unit = ascii_lower(text.ptr[digits]);
        const int64_t seconds = !time && unit == 'w'   ? 604800
                                : !time && unit == 'd' ? 86400
                                : time && unit == 'h'  ? 3600
                                : time && unit == 'm'  ? 60
                                : time && unit == 's'  ? 1
                                                       : 0;
        if (seconds == 0) {
            return false;
        }
        sum += (int64_t)number * seconds * 1000;
        if (sum >= WHEN_MS_MOST) {
            return false;
        }
        text = slice_from(text, digits + 1);
    }
    *ms = sum;
    return true;
}
