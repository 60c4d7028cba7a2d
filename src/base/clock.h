// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_CLOCK_H
#define TASKHOLD_BASE_CLOCK_H

#include <stdint.h>

#include "base/buffer.h"

/* A difference up to this is a correction; a larger one is a step. */
#define CLOCK_STEP_MS 5000

/* Milliseconds since 1970-01-01T00:00:00Z, as the machine's clock says. When that is set back by
 * CLOCK_STEP_MS or less it stands still until the clock has caught up; a larger step is followed.
 */
int64_t clock_wall_ms(void);

/* The same, but no step changes it: what the machine's clock said when the process first asked, run
 * on by a clock that nobody sets. Ages are counted by it (sessions, kept answers, what the purge
 * deletes), so that a step deletes nothing early and keeps nothing alive. Corrections are followed.
 */
int64_t clock_steady_ms(void);

/* What a clock says that several processes share, a database's: the first call sets
 * clock_steady_ms, later ones correct it. A step of that clock is not believed either. It was read
 * `age_most_ms` ago at most (at least 0): where the machine's own clock may be right within that,
 * it is believed, so that one machine's times of both kinds have one order. */
void clock_steady_tell(int64_t reference_ms, int64_t age_most_ms);

/* Milliseconds and microseconds of a clock that no one can set; for timers and durations. */
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);

/* Length of `2026-11-22T15:04:05.123Z`. */
#define CLOCK_RFC3339_LEN 24

/* Writes RFC 3339 in UTC with milliseconds, no NUL. `ms` outside the years 0 to 9999 is taken as
 * the nearest moment inside. */
void clock_format_rfc3339(int64_t ms, char text[static CLOCK_RFC3339_LEN]);

/* Parses RFC 3339 with any offset and any number of fraction digits (cut to milliseconds).
 * Returns false on anything else. A leap second (:60 at the end of a day in UTC) counts as :59.999.
 */
bool clock_parse_rfc3339(struct slice text, int64_t *ms);

/* Length of `Sun, 22 Nov 2026 15:04:05 GMT` (IMF-fixdate, RFC 9110 section 5.6.7). */
#define CLOCK_HTTP_DATE_LEN 29
void clock_add_http_date(struct buffer *out, int64_t ms);

#endif
