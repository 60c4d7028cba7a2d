-- SPDX-License-Identifier: MIT
-- The same request again and again: METHOD, TOKEN and BODY come from the environment.
dofile(os.getenv("BENCH_WRK") .. "/report.lua")

wrk.method = os.getenv("METHOD")
wrk.headers["Authorization"] = os.getenv("TOKEN") and "Bearer " .. os.getenv("TOKEN")
wrk.body = os.getenv("BODY")
if wrk.body then
  wrk.headers["Content-Type"] = "application/json"
end
