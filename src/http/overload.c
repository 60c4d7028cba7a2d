#include "http/overload.h"

void overload_turn(struct overload *overload, int64_t now_us, int64_t wait_us)
{
    if (now_us >= overload->interval_end_us) {
        bool measured = overload->interval_end_us != 0 &&
                        now_us < overload->interval_end_us + OVERLOAD_INTERVAL_US;
        overload->standing = measured && overload->least_us > OVERLOAD_TARGET_US;
        overload->interval_end_us = now_us + OVERLOAD_INTERVAL_US;
        overload->least_us = wait_us;
        return;
    }
    if (wait_us < overload->least_us) {
        overload->least_us = wait_us;
        /* One short wait ends the overload at once. */
        overload->standing = overload->standing && wait_us > OVERLOAD_TARGET_US;
    }
}

bool overload_refuses(const struct overload *overload, int64_t wait_us)
{
    return overload->standing && wait_us > 2 * OVERLOAD_TARGET_US;
}
