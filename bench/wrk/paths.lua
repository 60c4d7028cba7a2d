-- SPDX-License-Identifier: MIT
-- Asks for the paths in the file PATHS, one a line, in turn.
dofile(os.getenv("BENCH_WRK") .. "/report.lua")

local requests, at = {}, 0

function init()
  wrk.headers["Authorization"] = "Bearer " .. os.getenv("TOKEN")
  for path in io.lines(os.getenv("PATHS")) do
    requests[#requests + 1] = wrk.format("GET", path)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end
