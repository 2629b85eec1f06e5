// SPDX-License-Identifier: 0BSD
// A C++ program that contains Interlock.
#include <sqlite3.h>
#include <iostream>
#include <string>
#include "interlock.h"  //:load

static sqlite3 *db;

static std::string one(const std::string &sql, int number = 0) {
  sqlite3_stmt *p = nullptr;
  std::string out;
  int rc = sqlite3_prepare_v2(db, sql.c_str(), -1, &p, nullptr);
  if (rc == SQLITE_OK && sqlite3_bind_parameter_count(p) > 0)
    rc = sqlite3_bind_int(p, 1, number);
  if (rc == SQLITE_OK) rc = sqlite3_step(p);
  if (rc == SQLITE_ROW)
    out = reinterpret_cast<const char *>(sqlite3_column_text(p, 0));
  rc = sqlite3_finalize(p);
  if (rc != SQLITE_OK) throw std::string(sqlite3_errmsg(db));
  return out;
}

int main() {
  sqlite3_open("shop.db", &db);
  sqlite3_interlock_init(db, nullptr, nullptr);  //:load
  std::cout << "loaded " << one("SELECT interlock_version() <> ''") << "\n"
            << "~version SQLite " << sqlite3_libversion() << "\n"
            << "declared " << one("SELECT versioned('account')") << "\n";
  try {
    one("UPDATE account SET balance = 0, version = 0");
  } catch (const std::string &e) {
    std::cout << "~stale " << e << "\nstale "
              << (
      sqlite3_extended_errcode(db) == SQLITE_CONSTRAINT_TRIGGER  //:stale
    ) << "\n";
  }
  std::cout << "locked " << one("SELECT advisory_lock('invoices') > 0") << "\n"
            << "tried " << one("SELECT try_advisory_lock('printer')") << "\n"
            << "number " << one("SELECT try_advisory_lock(?)", 42) << "\n"
            << "jobs " << one("SELECT skip_locked('job', 2,"
                              " 'state = ''ready''', 'id')") << "\n";
  std::cout << "leased "
            << one("SELECT lease_acquire('report', 'client', 60000) > 0")
            << "\n";
  try {
    one("UPDATE report SET text = 'late', token = 1");
  } catch (const std::string &e) {
    std::cout << "~fenced " << e << "\nfenced "
              << (
      e.rfind("fenced:", 0) == 0  //:fenced
    ) << "\n";
  }
  one("SELECT advisory_lock_timeout(50)");
  try {
    one("SELECT advisory_lock('printer')");
  } catch (const std::string &e) {
    std::cout << "~timeout " << e << "\ntimeout "
              << (
      sqlite3_extended_errcode(db) == SQLITE_BUSY_TIMEOUT  //:timeout
    ) << "\n";
  }
  one("SELECT advisory_lock_timeout(-1)");
  std::cout << "waited " << one("SELECT advisory_lock('scanner') > 0") << "\n"
            << one("SELECT group_concat('held ' || key || ' ' || mode,"
                   " char(10)) FROM (SELECT key, mode FROM advisory_locks"
                   " WHERE session = advisory_session() AND kind = 'advisory'"
                   " ORDER BY key)") << "\n";
  if (sqlite3_close(db) == SQLITE_OK) std::cout << "done\n";
}
