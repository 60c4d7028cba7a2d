// SPDX-License-Identifier: MIT
#include "store/decision.h"

#include <assert.h>

/* What calls about accounts and sessions come to. */

/* ---- accounts ---- */

enum error user_decide_change(const struct user *user, struct slice verified)
{
    assert(verified.ptr);
    if (!user)
        return ERROR_NOT_FOUND;
    if (!slice_eq(user->password_hash, verified))
        return ERROR_WRONG_PASSWORD;
    return user->disabled_at != 0 ? ERROR_NOT_FOUND : ERROR_NONE;
}

enum error user_decide_login(const struct user *user, struct slice verified)
{
    assert(verified.ptr);
    return user_decide_change(user, verified) == ERROR_NONE ? ERROR_NONE
                                                            : ERROR_INVALID_CREDENTIALS;
}

void user_touch(struct user *user, int64_t now)
{
    assert(user && now > 0);
    user->updated_at = now > user->updated_at ? now : user->updated_at;
}

bool user_decide_profile(struct store_user_set_profile *op, const struct user *user)
{
    assert(user && op->now > 0);
    op->user = *user;
    op->verdict = store_precondition_judge(&op->precondition, true, user_version(user));
    if (op->verdict != STORE_HOLDS) {
        op->op.result = ERROR_PRECONDITION_FAILED;
        return false;
    }
    if (op->sets_name)
        op->user.name = op->name;
    if (op->sets_time_zone)
        op->user.time_zone = user_time_zone(op->time_zone);
    user_touch(&op->user, op->now);
    return true;
}

bool user_decide_govern(struct store_user_govern *op)
{
    assert(op->now > 0);
    switch (op->verb) {
    case STORE_USER_DISABLE:
        op->user.disabled_at = op->user.disabled_at ? op->user.disabled_at : op->now;
        break;
    case STORE_USER_ENABLE: op->user.disabled_at = 0; return false;
    case STORE_USER_SET_PASSWORD: user_touch(&op->user, op->now); break;
    case STORE_USER_ERASE: break;
    }
    return true;
}

enum error script_token_decide_create(const struct store_script_token_create *op,
                                      const struct user *user, int64_t count)
{
    assert(op->token.scopes != 0 && count >= 0);
    enum error result = user ? ERROR_NONE : ERROR_NOT_FOUND;
    if (user && op->verified_hash.ptr)
        result = user_decide_change(user, op->verified_hash);
    return result == ERROR_NONE && count >= SCRIPT_TOKENS_MOST ? ERROR_TOO_MANY_TOKENS : result;
}

/* ---- sessions ---- */

#define ENTRY_SIZE 8
#define COUNT_MOST 0xffffU

/* A grace is told in so many steps: what is superseded within one step is one entry. So a client
 * that refreshes again and again takes no more room than one that does so now and then. */
#define GRACE_STEPS 48
_Static_assert(GRACE_STEPS + 2 <= SESSION_SUPERSEDED_MOST, "all of a grace has room");

/* `count` tokens, one after the other, the last of which was superseded at `time`. */
struct entry {
    int64_t time; /* milliseconds since 1970 */
    unsigned count;
};

void session_set_superseded(struct session_standing *standing, struct slice bytes)
{
    assert(standing);
    const bool good = bytes.len <= sizeof standing->superseded && bytes.len % ENTRY_SIZE == 0;
    standing->superseded_size = good ? bytes.len : 0;
    if (standing->superseded_size > 0)
        memcpy(standing->superseded, bytes.ptr, standing->superseded_size);
}

static struct entry get_entry(const struct session_standing *standing, size_t place)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < ENTRY_SIZE; i++)
        value = value << 8 | standing->superseded[place * ENTRY_SIZE + i];
    return (struct entry){.time = (int64_t)(value >> 16), .count = (unsigned)(value & COUNT_MOST)};
}

static void put_entry(struct session_standing *standing, size_t place, struct entry entry)
{
    uint64_t value = (uint64_t)entry.time << 16 | entry.count;
    for (unsigned i = ENTRY_SIZE; i-- > 0; value >>= 8)
        standing->superseded[place * ENTRY_SIZE + i] = (uint8_t)value;
}

/* Was the token with `counter` superseded less than `grace_ms` ago? */
static bool is_in_grace(const struct session_standing *standing,
                        const struct store_session_refresh *op)
{
    if (op->counter < 1 || op->counter >= standing->session.counter)
        return false;
    uint64_t age = (uint64_t)(standing->session.counter - op->counter); /* 1: the one before */
    for (size_t i = 0; i < standing->superseded_size / ENTRY_SIZE; i++) {
        const struct entry entry = get_entry(standing, i);
        if (age <= entry.count)
            return op->now - entry.time < op->grace_ms;
        age -= entry.count;
    }
    return false;
}

/* Notes that the current token is superseded now; what no grace covers any longer is forgotten. */
static void supersede(struct session_standing *standing, const struct store_session_refresh *op)
{
    size_t count = standing->superseded_size / ENTRY_SIZE;
    while (count > 0 && op->now - get_entry(standing, count - 1).time >= op->grace_ms)
        count--;
    const int64_t step = op->grace_ms / GRACE_STEPS + 1;
    struct entry newest = {0};
    if (count > 0)
        newest = get_entry(standing, 0);
    if (newest.count > 0 && newest.count < COUNT_MOST && newest.time / step == op->now / step) {
        const int64_t last = newest.time > op->now ? newest.time : op->now;
        put_entry(standing, 0, (struct entry){last, newest.count + 1});
    } else {
        if (count == SESSION_SUPERSEDED_MOST)
            count--;
        memmove(standing->superseded + ENTRY_SIZE, standing->superseded, count * ENTRY_SIZE);
        put_entry(standing, 0, (struct entry){op->now, 1});
        count++;
    }
    standing->superseded_size = count * ENTRY_SIZE;
}

enum session_decision session_decide_refresh(struct store_session_refresh *op,
                                             struct session_standing *standing)
{
    enum session_decision decision = SESSION_DECISION_NOTHING;
    assert(op->ttl_ms > 0 && op->lifetime_ms > 0 && op->grace_ms >= 0);
    op->reuse = false;
    if (!standing || standing->disabled || standing->session.expires_at <= op->now) {
        op->op.result = ERROR_INVALID_REFRESH_TOKEN;
        return decision;
    }
    struct session *session = &standing->session;
    if (op->counter >= session->counter && op->counter < INT64_MAX) {
        /* A counter that is ahead of ours is a token that we gave out and forgot, by a restore or
         * by a failover that lost the last commits: nobody else can make one. Its holder has the
         * newest there is; what came between, no client should still send. */
        const int64_t last = session->created_at + op->lifetime_ms;
        if (op->counter > session->counter)
            standing->superseded_size = 0;
        supersede(standing, op);
        session->counter = op->counter + 1;
        session->last_used_at = op->now;
        session->expires_at = op->now + op->ttl_ms < last ? op->now + op->ttl_ms : last;
        decision = SESSION_DECISION_ROTATE;
    } else if (!is_in_grace(standing, op)) {
        op->reuse = true;
        op->op.result = ERROR_INVALID_REFRESH_TOKEN;
        decision = SESSION_DECISION_END;
    }
    op->session = *session;
    return decision;
}
