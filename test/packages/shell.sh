# SPDX-License-Identifier: 0BSD
# shell.sh VERSION FILE: the steps in the sqlite3 shell, which loads FILE.
# Its errors go to a file, which it reads.
sqlite3 -init /dev/null shop.db 2>errors <<END
.separator ' '
.load "$2"
SELECT 'loaded', interlock_version() LIKE '$1 %';
SELECT '~version', 'SQLite ' || sqlite_version();
SELECT 'declared', versioned('account');
UPDATE account SET balance = 0, version = 0;
SELECT 'stale', CAST(readfile('errors') AS TEXT)
  LIKE '% stale write: account.version%';
SELECT 'locked', advisory_lock('invoices') > 0;
SELECT 'tried', try_advisory_lock('printer');
SELECT 'waited', advisory_lock('scanner') > 0;
SELECT 'done';
END
[ $? = 1 ] # it has seen an error
