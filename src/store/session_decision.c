#include "store/session_decision.h"

#define TIME_SIZE 8

void session_set_superseded(struct session_standing *standing, struct slice bytes)
{
    standing->superseded_size = bytes.len <= sizeof standing->superseded ? bytes.len : 0;
    if (standing->superseded_size > 0)
        memcpy(standing->superseded, bytes.ptr, standing->superseded_size);
}

static int64_t get_time(const uint8_t *bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < TIME_SIZE; i++)
        value = value << 8 | bytes[i];
    return (int64_t)value;
}

static void put_time(uint8_t *bytes, int64_t time)
{
    uint64_t value = (uint64_t)time;
    for (unsigned i = TIME_SIZE; i-- > 0; value >>= 8)
        bytes[i] = (uint8_t)value;
}

/* Was the token with `counter` superseded less than `grace_ms` ago? */
static bool is_in_grace(const struct session_standing *standing,
                        const struct store_session_refresh *op)
{
    if (op->counter < 1)
        return false;
    int64_t age = standing->session.counter - op->counter; /* 1: the one before the current */
    if (age < 1 || age > (int64_t)(standing->superseded_size / TIME_SIZE))
        return false;
    int64_t time = get_time(&standing->superseded[(size_t)(age - 1) * TIME_SIZE]);
    return op->now - time < op->grace_ms;
}

static void rotate(const struct store_session_refresh *op, struct session_standing *standing)
{
    size_t kept = standing->superseded_size;
    if (kept > sizeof standing->superseded - TIME_SIZE)
        kept = sizeof standing->superseded - TIME_SIZE;
    memmove(standing->superseded + TIME_SIZE, standing->superseded, kept);
    put_time(standing->superseded, op->now);
    standing->superseded_size = kept + TIME_SIZE;

    struct session *session = &standing->session;
    int64_t last = session->created_at + op->lifetime_ms;
    session->counter++;
    session->last_used_at = op->now;
    session->expires_at = op->now + op->ttl_ms < last ? op->now + op->ttl_ms : last;
}

enum session_decision session_decide_refresh(struct store_session_refresh *op,
                                             struct session_standing *standing)
{
    enum session_decision decision = SESSION_DECISION_NOTHING;
    op->reuse = false;
    if (!standing || standing->disabled || standing->session.expires_at <= op->now) {
        op->op.result = ERROR_INVALID_REFRESH_TOKEN;
        return decision;
    }
    if (op->counter == standing->session.counter) {
        rotate(op, standing);
        decision = SESSION_DECISION_ROTATE;
    } else if (!is_in_grace(standing, op)) {
        op->reuse = true;
        op->op.result = ERROR_INVALID_REFRESH_TOKEN;
        decision = SESSION_DECISION_END;
    }
    op->session = standing->session;
    return decision;
}
