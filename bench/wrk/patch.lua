-- SPDX-License-Identifier: MIT
-- Gives the tasks of TASK_IDS a new title in turn, another one each time, so that every request is a write.
dofile(os.getenv("BENCH_WRK") .. "/report.lua")

local heads, at, count = {}, 0, 0
local BODY = '{"title":"Water the plants on the balcony %08d"}'

function init()
  wrk.headers["Authorization"] = "Bearer " .. os.getenv("TOKEN")
  wrk.headers["Content-Type"] = "application/json"
  for id in os.getenv("TASK_IDS"):gmatch("%S+") do
    local whole = wrk.format("PATCH", "/v1/tasks/" .. id, nil, BODY:format(0))
    heads[#heads + 1] = whole:sub(1, whole:find("\r\n\r\n", 1, true) + 3)
  end
end

function request()
  at = at % #heads + 1
  count = count + 1
  return heads[at] .. BODY:format(count)
end
