// SPDX-License-Identifier: MIT
#include "http/overload.h"

void overload_turn(struct overload *overload, int64_t now_us, int64_t turn_us)
{
    if (turn_us < overload->least_us) {
        overload->least_us = turn_us;
    }
    if (turn_us <= OVERLOAD_TARGET_US) {
        overload->standing = false; /* one short turn ends the overload at once */
    }
    if (now_us >= overload->interval_end_us) {
        overload->standing = overload->least_us > OVERLOAD_TARGET_US;
        overload->interval_end_us = now_us + OVERLOAD_INTERVAL_US;
        overload->least_us = INT64_MAX;
    }
}

void overload_idle(struct overload *overload)
{
    overload->least_us = 0;
    overload->standing = false;
}

bool overload_refuses(const struct overload *overload, int64_t wait_us, bool expensive)
{
    return overload->standing && wait_us > (int64_t)OVERLOAD_TARGET_US * (expensive ? 2 : 8);
}
