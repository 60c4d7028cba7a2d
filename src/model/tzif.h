// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_MODEL_TZIF_H
#define TASKHOLD_MODEL_TZIF_H

#include "base/slice.h"

/* The Time Zone Information Format, versions 1 to 4 (RFC 8536, RFC 9636): when the offset of a zone
 * from UTC changes. Names of offsets and what counts as summer time are not kept: nobody asks.
 *
 * Bytes come from anywhere. A file that breaks a rule of the RFC that concerns us is refused whole,
 * and so is one that counts leap seconds, because no clock here does. Pure functions. Times are
 * seconds since 1970 in UTC; offsets are seconds, east of Greenwich positive. */

#define TZIF_BYTES_MOST 65536

/* No offset is this large, in either direction (RFC 8536, 3.2). */
#define TZIF_OFFSET_LIMIT (26 * 3600)

struct tzif;

enum tzif_status {
    TZIF_READ,
    TZIF_BROKEN, /* no such file, or one that breaks a rule */
    TZIF_NO_MEMORY,
};

/* `*times` is set on TZIF_READ only; the caller destroys it. More than TZIF_BYTES_MOST is broken.
 */
enum tzif_status tzif_read(struct slice bytes, struct tzif **times)
    __attribute__((warn_unused_result));
void tzif_destroy(struct tzif **times);

/* What it takes in memory. */
size_t tzif_size(const struct tzif *times);

/* A time in which the offset is the same: `from` is included, `until` is not. INT64_MIN: since
 * ever; INT64_MAX: for ever. Two that follow each other may have the same offset. */
struct tzif_span {
    int64_t from;
    int64_t until;
    int32_t offset;
};

/* The one that `seconds` lies in. After the last change that the file lists its rule holds, up to
 * the year 9995. */
struct tzif_span tzif_span_at(const struct tzif *times, int64_t seconds);

/* A local time is what the zone's clock shows, in seconds since it showed 1970-01-01T00:00. Both
 * take any within the years that a clock shows with four digits.
 *
 * The first time at which the clock shows `local`, or skips it: that one is read with the offset
 * from before, and so moves forward by the gap (RFC 5545, 3.3.5). */
int64_t tzif_meant(const struct tzif *times, int64_t local);

/* The first time at which the clock shows `local` or something later. */
int64_t tzif_first(const struct tzif *times, int64_t local);

/* ---- the rule at the end of a file ---- */

/* A day of each year, and a time on it. */
struct tzif_date {
    enum { TZIF_JULIAN, TZIF_DAY, TZIF_MONTH } form;
    uint16_t day;   /* JULIAN: 1 to 365, never 29 February. DAY: 0 to 365. MONTH: 0 is Sunday */
    uint8_t month;  /* 1 to 12 */
    uint8_t week;   /* 1 to 5; 5 is the last */
    int32_t second; /* after 00:00 of that day, in the offset that ends; up to 167 hours each way */
};

struct tzif_rule {
    int32_t standard; /* an offset */
    int32_t daylight; /* the same as `standard` when nothing changes */
    bool changes;
    struct tzif_date start; /* of `daylight` */
    struct tzif_date end;
};

/* The value of TZ in POSIX with the extensions of RFC 8536, 3.3.1, such as
 * `CET-1CEST,M3.5.0,M10.5.0/3`. Summer time without its dates is refused. */
bool tzif_rule_read(struct slice text, struct tzif_rule *rule) __attribute__((warn_unused_result));

/* As tzif_span_at. */
struct tzif_span tzif_rule_span_at(const struct tzif_rule *rule, int64_t seconds);

#endif
