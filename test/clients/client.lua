-- SPDX-License-Identifier: 0BSD
-- No library for Lua loads an extension: LD_PRELOAD does, in list.tcl.
local DBI = require("DBI")
local db = DBI.Connect("SQLite3", "shop.db")
db:autocommit(true)

local function rows(sql, ...)
  local statement, message = db:prepare(sql)
  if not statement then return nil, message end
  local ok, failed = statement:execute(...)
  if not ok then return nil, failed end
  local out = {}
  for row in statement:rows() do out[#out + 1] = {table.unpack(row)} end
  statement:close()
  return out
end
local function one(sql, ...)
  local out, message = rows(sql, ...)
  return out and out[1] and out[1][1], message
end

print("loaded " .. one("SELECT interlock_version() <> ''"))
print("~version LuaDBI " .. DBI._VERSION .. ", SQLite " ..
  one("SELECT sqlite_version()"))
print("declared " .. one("SELECT versioned('account')"))
local _, message = rows("UPDATE account SET balance = 0, version = 0")
print("~stale " .. message)
local stale =
  message:find("stale write:", 1, true) --:stale
print("stale " .. (stale and 1 or 0))
print("locked " .. one("SELECT advisory_lock('invoices') > 0"))
print("tried " .. one("SELECT try_advisory_lock('printer')"))
print("number " .. one("SELECT try_advisory_lock(?)", 42))
print("jobs " .. one(
  "SELECT skip_locked('job', 2, 'state = ''ready''', 'id')"))
print("leased " .. one("SELECT lease_acquire('report', 'client', 60000) > 0"))
_, message = rows("UPDATE report SET text = 'late', token = 1")
print("~fenced " .. message)
local fenced =
  message:find("fenced:", 1, true) --:fenced
print("fenced " .. (fenced and 1 or 0))
one("SELECT advisory_lock_timeout(50)")
_, message = one("SELECT advisory_lock('printer')")
print("~timeout " .. message)
local timeout =
  message:find("lock timeout:", 1, true) --:timeout
print("timeout " .. (timeout and 1 or 0))
one("SELECT advisory_lock_timeout(-1)")
print("waited " .. one("SELECT advisory_lock('scanner') > 0"))
for _, row in ipairs(rows("SELECT key, mode FROM advisory_locks WHERE" ..
    " session = advisory_session() AND kind = 'advisory' ORDER BY key")) do
  print("held " .. row[1] .. " " .. row[2])
end
db:close()

-- The remark of list.tcl about the other library.
local other = require("luasql.sqlite3").sqlite3():connect("shop.db")
other:execute("SELECT try_advisory_lock('other')"):fetch()
local count = other:execute(
  "SELECT count FROM advisory_locks WHERE key = 'other'"):fetch()
if tonumber(count) ~= 2 then print("LuaSQL takes it " .. count .. " times") end
print("done")
