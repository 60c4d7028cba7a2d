// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_IMPORT_REPORT_H
#define TASKHOLD_CLI_IMPORT_REPORT_H

#include "cli/import_plan.h"

/* What `taskhold import --from` prints: a line for each thing that did not come along, and then
 * numbers; or the same as one JSON object. On a terminal it shows meanwhile how far it is. */

/* All zero but for the first two. */
struct import_report {
    bool json;
    bool dry_run;
    unsigned lines;
    unsigned refused; /* of `lines` */
    bool painted;     /* the progress stands on the terminal */
    int64_t painted_ms;
};

void import_report_begin(struct import_report *report);

void import_report_note(struct import_report *report, size_t line, struct slice text);

void import_report_refused(struct import_report *report, const struct import_entry *entry,
                           struct slice why);

void import_report_progress(struct import_report *report, uint32_t done, uint32_t total);

/* `read`: the file was read to its end; else the numbers of a text would say nothing. */
void import_report_end(struct import_report *report, const struct import_plan *plan, bool read);

#endif
