// SPDX-License-Identifier: MIT
#include "model/when.h"

#include <assert.h>

#include "model/civil.h"

#define DAY_MS   INT64_C(86400000)
#define DATE_LEN 10 /* of `2026-12-01` */

static bool is_in_range(const struct when *when)
{
    return when->kind == WHEN_DATE ? when->day >= 0 && when->day <= WHEN_MS_MOST / DAY_MS
                                   : when->kind == WHEN_INSTANT && when->ms >= WHEN_MS_LEAST &&
                                         when->ms <= WHEN_MS_MOST;
}

/* A date is read as its midnight in UTC, so that there is one reader of dates. */
bool when_read(struct slice text, struct when *when)
{
    char midnight[] = "0000-00-00T00:00:00Z";
    struct when read = {0};
    int64_t ms = 0;

    assert(when);
    if (text.len == DATE_LEN) {
        memcpy(midnight, text.ptr, DATE_LEN);
        if (!clock_parse_rfc3339(slice_of(midnight), &ms) || ms < WHEN_MS_LEAST) {
            return false;
        }
        read = (struct when){.kind = WHEN_DATE, .day = (int32_t)(ms / DAY_MS)};
    } else {
        /* base/clock.h takes a leap second, which no instant of ours can show. */
        const bool leap = text.len > 19 && text.ptr[17] == '6';
        if (leap || !clock_parse_rfc3339(text, &ms)) {
            return false;
        }
        read = (struct when){.kind = WHEN_INSTANT, .ms = ms};
    }
    if (!is_in_range(&read)) {
        return false;
    }
    *when = read;
    return true;
}

/* No fraction is worth more digits than this has room for. */
bool when_read_query(struct slice text, struct when *when)
{
    char copy[64];

    if (text.len < 6 || text.len > sizeof copy || text.ptr[text.len - 6] != ' ') {
        return when_read(text, when);
    }
    memcpy(copy, text.ptr, text.len);
    copy[text.len - 6] = '+';
    return when_read((struct slice){copy, text.len}, when);
}

struct slice when_write(const struct when *when, char room[static WHEN_TEXT_MOST])
{
    assert(when && is_in_range(when));
    const bool date = when->kind == WHEN_DATE;

    clock_format_rfc3339(date ? when->day * DAY_MS : when->ms, room);
    return (struct slice){room, date ? DATE_LEN : CLOCK_RFC3339_LEN};
}

int64_t when_pack(const struct when *when)
{
    assert(when && is_in_range(when));
    return when->kind == WHEN_DATE ? when->day * DAY_MS * 2 + 1 : when->ms * 2;
}

bool when_unpack(int64_t number, struct when *when)
{
    assert(when);
    if (number < 0 || number > WHEN_MS_MOST * 2 + 1) {
        return false;
    }
    const bool date = number % 2 == 1;
    if (date && number / 2 % DAY_MS != 0) {
        return false;
    }
    if (date) {
        *when = (struct when){.kind = WHEN_DATE, .day = (int32_t)(number / 2 / DAY_MS)};
    } else {
        *when = (struct when){.kind = WHEN_INSTANT, .ms = number / 2};
    }
    return true;
}

int64_t when_begins(const struct when *start, const struct zone *zone)
{
    assert(start && is_in_range(start));
    return start->kind == WHEN_DATE ? zone_day_begin(zone, start->day) : start->ms;
}

int64_t when_ends(const struct when *due, const struct zone *zone)
{
    assert(due && is_in_range(due));
    return due->kind == WHEN_DATE ? zone_day_begin(zone, due->day + 1) : due->ms;
}

bool when_in_order(const struct when *start, const struct when *due, const struct zone *zone)
{
    if (start->kind == WHEN_DATE && due->kind == WHEN_DATE) {
        return start->day <= due->day;
    }
    const int64_t begins = when_begins(start, zone);
    const int64_t ends = when_ends(due, zone);

    return due->kind == WHEN_DATE ? begins < ends : begins <= ends;
}
