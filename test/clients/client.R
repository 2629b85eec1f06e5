# SPDX-License-Identifier: 0BSD
library(DBI)
say <- function(...) cat(..., "\n", sep = "")

db <- dbConnect(RSQLite::SQLite(), "shop.db")  #:load
invisible(dbGetQuery(db, "SELECT load_extension('./build/interlock')"))  #:load

one <- function(sql, ...) {
  if (...length() == 0) return(dbGetQuery(db, sql)[[1]])
  dbGetQuery(db, sql, params = list(...))[[1]]
}
fails <- function(sql) tryCatch({ dbExecute(db, sql); "" },
                                error = function(e) conditionMessage(e))

say("loaded ", one("SELECT interlock_version() <> ''"))
say("~version RSQLite ", as.character(packageVersion("RSQLite")), ", SQLite ",
    one("SELECT sqlite_version()"))
say("declared ", one("SELECT versioned('account')"))
message <- fails("UPDATE account SET balance = 0, version = 0")
say("~stale ", message)
stale <-
  startsWith(message, "stale write:")  #:stale
say("stale ", as.integer(stale))
say("locked ", one("SELECT advisory_lock('invoices') > 0"))
say("tried ", one("SELECT try_advisory_lock('printer')"))
say("number ", one("SELECT try_advisory_lock(?)", 42L))
say("jobs ", one("SELECT skip_locked('job', 2, 'state = ''ready''', 'id')"))
say("leased ", one("SELECT lease_acquire('report', 'client', 60000) > 0"))
message <- fails("UPDATE report SET text = 'late', token = 1")
say("~fenced ", message)
fenced <-
  startsWith(message, "fenced:")  #:fenced
say("fenced ", as.integer(fenced))
invisible(one("SELECT advisory_lock_timeout(50)"))
message <- fails("SELECT advisory_lock('printer')")
say("~timeout ", message)
timeout <-
  startsWith(message, "lock timeout:")  #:timeout
say("timeout ", as.integer(timeout))
invisible(one("SELECT advisory_lock_timeout(-1)"))
say("waited ", one("SELECT advisory_lock('scanner') > 0"))
rows <- dbGetQuery(db, "SELECT key, mode FROM advisory_locks WHERE session =
  advisory_session() AND kind = 'advisory' ORDER BY key")
for (i in seq_len(nrow(rows))) say("held ", rows$key[i], " ", rows$mode[i])
changed <- dbExecute(db, "UPDATE account SET balance = 1")
if (changed != 2) say("dbExecute counts ", changed)
dbDisconnect(db)
say("done")
