// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <time.h>

#include "model/recurrence.h"

/* The first bytes are a start and a gap, the rest is a rule. Its days ascend and are those that the
 * contract knows; a walk that begins anew at one of them finds the same ones. */

#define HEADER    6
#define WALK      40
#define ALL_DAYS  376200 /* 1970 to 2999 */
#define MOST_CALL 50     /* milliseconds of the processor for one call, under the sanitizers */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition) {
        abort();
    }
}

static int64_t processor_ms(void)
{
    struct timespec now;
    must(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static bool next_of(const struct recurrence *rule, int32_t start, int32_t after, int32_t *next)
{
    const int64_t began = processor_ms();
    const bool found = recurrence_next(rule, start, after, next);
    must(processor_ms() - began <= MOST_CALL);
    return found;
}

static void walk(const struct recurrence *rule, int32_t start, int32_t after)
{
    int32_t day;
    int32_t same;

    for (unsigned i = 0; i < WALK && next_of(rule, start, after, &day); i++) {
        must(day > after && day >= start && day < ALL_DAYS);
        must(civil_of_day(day).year <= CIVIL_YEAR_MOST);
        must(day <= RECURRENCE_DAYS_MOST + (after < start ? start - 1 : after));
        /* from the day before: the same day */
        must(recurrence_next(rule, start, day - 1, &same) && same == day);
        after = day;
        if (i % 8 == 0 && next_of(rule, start, after, &day)) {
            must(recurrence_next(rule, after, after, &same) && same == day);
        }
    }
}

static void count_down(struct slice text, bool timed, struct recurrence *rule)
{
    char room[RECURRENCE_MOST];
    char problem[RECURRENCE_PROBLEM_ROOM];
    struct recurrence less;

    if (rule->count == 1) {
        must(recurrence_has_ended(rule, 1, 0, 0));
        return;
    }
    const struct slice written = recurrence_count_down(text, room);
    must(written.len <= text.len && recurrence_parse(written, timed, &less, problem));
    must(rule->count > 0 || slice_eq(written, text));
    if (rule->count > 0) {
        rule->count--;
    }
    must(memcmp(rule, &less, sizeof less) == 0);
}

static void run(struct slice text, bool timed, int32_t start, int32_t after)
{
    char problem[RECURRENCE_PROBLEM_ROOM] = "";
    struct recurrence rule;

    if (!recurrence_parse(text, timed, &rule, problem)) {
        const struct slice said = slice_of(problem);
        must(said.len > 0 && said.len < RECURRENCE_PROBLEM_ROOM - 1);
        must(said.ptr[said.len - 1] == '.' && !slice_has_control(said) && utf8_valid(said));
        return;
    }
    must(text.len <= RECURRENCE_MOST && problem[0] == '\0');
    walk(&rule, start, after);
    count_down(text, timed, &rule);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEADER || size > HEADER + 2 * RECURRENCE_MOST) {
        return 0;
    }
    const uint32_t first = (uint32_t)data[0] << 16 | (uint32_t)data[1] << 8 | data[2];
    const int32_t gap = data[4] << 8 | data[5];
    const int32_t start = (int32_t)(first % ALL_DAYS);
    /* Copied to its exact size, so that ASan sees every byte read after the end. */
    char *copy = malloc(size - HEADER + 1);
    if (copy) {
        memcpy(copy, data + HEADER, size - HEADER);
        run((struct slice){copy, size - HEADER}, data[3] & 1, start, start + gap - (gap & 1) * gap);
        free(copy);
    }
    return 0;
}
