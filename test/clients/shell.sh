#!/bin/sh
# SPDX-License-Identifier: 0BSD
# One shell, as locks belong to a connection. Its errors go to a file, which it
# reads; where no comment can stand, these lines say which ones are meant:
#:load .load ./build/interlock
#:stale WHERE errors LIKE '%: stale write: %'
#:fenced WHERE errors LIKE '%: fenced: %'
#:timeout WHERE errors LIKE '%: lock timeout: %'
sqlite3 shop.db 2>errors <<'END'
.separator ' '
.load ./build/interlock
SELECT 'loaded', interlock_version() <> '';
SELECT '~version', 'SQLite ' || sqlite_version();
SELECT 'declared', versioned('account');
UPDATE account SET balance = 0, version = 0;
CREATE TEMP VIEW shown AS
  SELECT rtrim(readfile('errors'), char(10)) AS errors;
CREATE TEMP VIEW latest AS
  SELECT replace(errors, rtrim(errors, replace(errors, char(10), '')), '')
    AS line FROM shown;
SELECT '~stale', line FROM latest;
SELECT 'stale', count(*) FROM shown
  WHERE errors LIKE '%: stale write: %'
;
SELECT 'locked', advisory_lock('invoices') > 0;
SELECT 'tried', try_advisory_lock('printer');
.parameter set $number 42
SELECT 'number', try_advisory_lock($number);
SELECT 'jobs', skip_locked('job', 2, 'state = ''ready''', 'id');
SELECT 'leased', lease_acquire('report', 'client', 60000) > 0;
UPDATE report SET text = 'late', token = 1;
SELECT '~fenced', line FROM latest;
SELECT 'fenced', count(*) FROM shown
  WHERE errors LIKE '%: fenced: %'
;
SELECT '~ignored', advisory_lock_timeout(50);
SELECT advisory_lock('printer');
SELECT '~timeout', line FROM latest;
SELECT 'timeout', count(*) FROM shown
  WHERE errors LIKE '%: lock timeout: %'
;
SELECT '~ignored', advisory_lock_timeout(-1);
SELECT 'waited', advisory_lock('scanner') > 0;
SELECT 'held', key, mode FROM advisory_locks
  WHERE session = advisory_session() AND kind = 'advisory' ORDER BY key;
SELECT 'done';
END
[ $? = 1 ] # it has seen errors
