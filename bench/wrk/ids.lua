-- SPDX-License-Identifier: MIT
-- Reads the tasks of TASK_IDS in turn.
dofile(os.getenv("BENCH_WRK") .. "/report.lua")

local requests, at = {}, 0

function init()
  wrk.headers["Authorization"] = "Bearer " .. os.getenv("TOKEN")
  for id in os.getenv("TASK_IDS"):gmatch("%S+") do
    requests[#requests + 1] = wrk.format("GET", "/v1/tasks/" .. id)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end
