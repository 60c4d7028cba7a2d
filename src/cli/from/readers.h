// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_FROM_READERS_H
#define TASKHOLD_CLI_FROM_READERS_H

#include "cli/from/intake.h"

/* One for each format; `text` is the whole file without a byte order mark, and not blank. False:
 * the intake has the result. All but that of iCalendar, whose lines may be folded within a
 * character, are given valid UTF-8. */
bool csv_tasks_read(struct intake *in, struct slice text);
bool google_read(struct intake *in, struct slice text);
bool ics_read(struct intake *in, struct slice text);
bool microsoft_read(struct intake *in, struct slice text);
bool outlook_read(struct intake *in, struct slice text); /* of microsoft: not JSON */
bool ticktick_read(struct intake *in, struct slice text);
bool todoist_read(struct intake *in, struct slice text);
bool vikunja_read(struct intake *in, struct slice text);

#endif
