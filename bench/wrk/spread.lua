-- SPDX-License-Identifier: MIT
-- Asks as one user after another, at random: reads one of that user's tasks, or with BODY creates one. The file TOKENS
-- holds a token a line, the first that of user 1; task N belongs to user 1 + N % users, and an id is its number, written
-- with 32 digits.
dofile(os.getenv("BENCH_WRK") .. "/report.lua")

local BODY = os.getenv("BODY")
local TASKS_EACH = tonumber(os.getenv("TASKS_EACH") or "0")
local heads, tails = {}, {}

local function id(number)
  local digits = string.format("%032d", number)
  return table.concat({digits:sub(1, 8), digits:sub(9, 12), digits:sub(13, 16), digits:sub(17, 20), digits:sub(21)}, "-")
end

function init()
  math.randomseed(os.time())
  for token in io.lines(os.getenv("TOKENS")) do
    wrk.headers["Authorization"] = "Bearer " .. token
    if BODY then
      wrk.headers["Content-Type"] = "application/json"
      heads[#heads + 1] = wrk.format("POST", "/v1/tasks", nil, BODY)
    else
      local whole = wrk.format("GET", "/v1/tasks/ID")
      local from, to = whole:find("ID", 1, true)
      heads[#heads + 1], tails[#tails + 1] = whole:sub(1, from - 1), whole:sub(to + 1)
    end
  end
end

function request()
  local user = math.random(#heads)
  if BODY then
    return heads[user]
  end
  local number = user - 1 + #heads * math.random(0, TASKS_EACH - 1)
  return heads[user] .. id(number) .. tails[user]
end
