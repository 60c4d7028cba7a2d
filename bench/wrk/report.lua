-- SPDX-License-Identifier: MIT
-- One line for load.py with what was counted: times in microseconds.
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    "RESULT requests=%d duration=%d p50=%.0f p99=%.0f refused=%d broken=%d\n",
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
