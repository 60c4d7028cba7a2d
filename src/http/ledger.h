// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_LEDGER_H
#define TASKHOLD_HTTP_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who holds how much of one loop's memory and spends how much of its time, and whether that is too
 * much. Every call belongs to the loop's thread. */

/* ---- Shares: bytes are bounded for the loop, and half of that for each account; time is only
 * compared ---- */

#define LEDGER_BUCKETS     512 /* a power of two */
#define LEDGER_INTERVAL_US 100000

/* One who asks: a user, or an address while no user is known. */
struct account {
    struct account *next; /* of the bucket */
    uint64_t payer;
    unsigned users;    /* who have it open */
    uint32_t interval; /* that `spent_us` is of */
    uint32_t spent_us;
    uint32_t before_us; /* in the interval before */
    size_t held;
    size_t typical; /* bytes of their large answers, as the last ones were */
};

struct ledger {
    size_t most; /* bytes of the whole loop */
    size_t held;
    uint32_t interval;
    unsigned sweep;    /* the bucket to look at next */
    unsigned spenders; /* accounts that spent something in this interval */
    unsigned spenders_before;
    int64_t interval_end_us;
    struct account *buckets[LEDGER_BUCKETS];
};

void ledger_init(struct ledger *ledger, size_t most);
void ledger_finish(struct ledger *ledger);

/* The account of `payer`, until ledger_close. NULL without memory; every call below takes NULL, and
 * then only the loop's bounds hold. */
struct account *ledger_open(struct ledger *ledger, uint64_t payer);
void ledger_close(struct account *account);

/* Says that what was `before` bytes are `after` bytes now: what is there is there, so this cannot
 * be refused. */
void ledger_change(struct ledger *ledger, struct account *account, size_t before, size_t after);

enum ledger_room { LEDGER_ROOM, LEDGER_FULL, LEDGER_ACCOUNT_FULL };

/* Whether `bytes` more are within the loop's bound and the account's. */
enum ledger_room ledger_room(const struct ledger *ledger, const struct account *account,
                             size_t bytes);

/* An answer of so many bytes was made. */
void ledger_answered(const struct ledger *ledger, struct account *account, size_t bytes);

/* The loop has worked `us` microseconds for them. */
void ledger_spend(struct ledger *ledger, struct account *account, int64_t us);

/* Whether they have spent more of late than `times` what would be theirs if all who ask had the
 * same. */
bool ledger_expensive(const struct ledger *ledger, const struct account *account, unsigned times);

/* Whether they have spent less of late than a quarter of that. */
bool ledger_light(const struct ledger *ledger, const struct account *account);

/* To be called now and then: moves the intervals on, and forgets accounts that nobody needs. */
void ledger_tick(struct ledger *ledger, int64_t now_us);

/* ---- Overload: how long a loop's turns take, from the end of one wait to the beginning of the
 * next, or how long somebody has waited for their turn (http/ready.h), whichever is longer ----
 *
 * As with CoDel a queue that empties now and then is fine however long it gets; one that never gets
 * shorter than OVERLOAD_TARGET_US in OVERLOAD_INTERVAL_US is too much work. That it is empty is
 * told by a wait that finds nothing; after a turn longer than the target somebody has to look.
 *
 * An overload lasts until there is nothing to do for OVERLOAD_IDLE_US, or until an interval has a
 * short turn and no refusal: as long as there are refusals, it is they that make turns short. */

#define OVERLOAD_TARGET_US   5000
#define OVERLOAD_INTERVAL_US 100000
#define OVERLOAD_IDLE_US     1000
#define OVERLOAD_TURNS_LEAST 3 /* fewer are a moment in which the machine gave us no processor */

struct overload {
    int64_t interval_end_us;
    int64_t least_us;    /* the shortest turn of this interval; 0: it was idle in between */
    uint64_t long_turns; /* in a row */
    bool standing;       /* the last interval never fell below the target, or did by refusals */
    bool refused;        /* somebody, in this interval */
};

/* A turn that began `turn_us` ago is over. */
void overload_turn(struct overload *overload, int64_t now_us, int64_t turn_us);

/* Somebody has waited too long and is refused. */
void overload_refused(struct overload *overload);

/* A wait found nothing to do. */
void overload_idle(struct overload *overload);

/* Whether new work that has waited `wait_us` in this turn is to be refused. One who spends much
 * (`expensive`) is refused first; the others only when that does not help. */
bool overload_refuses(const struct overload *overload, int64_t wait_us, bool expensive);

#endif
