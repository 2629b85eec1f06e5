<?php # SPDX-License-Identifier: 0BSD
$db = new SQLite3("shop.db");
$db->enableExceptions(true);
$db->loadExtension("interlock.so"); #:load

function one($sql) {
    global $db;
    return $db->querySingle($sql);
}

echo "loaded ", one("SELECT interlock_version() <> ''"), "\n";
echo "~version PHP ", PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION, ".",
    PHP_RELEASE_VERSION, ", SQLite ", SQLite3::version()["versionString"], "\n";
echo "declared ", one("SELECT versioned('account')"), "\n";
try {
    $db->exec("UPDATE account SET balance = 0, version = 0");
} catch (Exception $e) {
    echo "~stale ", get_class($e), ": ", $e->getMessage(), "\n";
    echo "stale ", (int)(
        $db->lastExtendedErrorCode() == 1811 #:stale
    ), "\n";
}
echo "locked ", one("SELECT advisory_lock('invoices') > 0"), "\n";
echo "tried ", one("SELECT try_advisory_lock('printer')"), "\n";
$try = $db->prepare("SELECT try_advisory_lock(?)");
$try->bindValue(1, 42);
echo "number ", $try->execute()->fetchArray()[0], "\n";
$try->close();
# Each step runs the statement: what execute() has locked, fetchArray() locks
# again, sql/CLIENTS.md says.
$twice = $db->prepare("SELECT advisory_lock('twice')");
$twice->execute()->fetchArray();
$twice->close();
$count = one("SELECT advisory_unlock('twice') + advisory_unlock('twice')");
if ($count != 2) echo "runs it $count times\n";
echo "jobs ",
    one("SELECT skip_locked('job', 2, 'state = ''ready''', 'id')"), "\n";
echo "leased ",
    one("SELECT lease_acquire('report', 'client', 60000) > 0"), "\n";
try {
    $db->exec("UPDATE report SET text = 'late', token = 1");
} catch (Exception $e) {
    echo "~fenced ", get_class($e), ": ", $e->getMessage(), "\n";
    echo "fenced ", (int)(
        str_starts_with($db->lastErrorMsg(), "fenced:") #:fenced
    ), "\n";
}
one("SELECT advisory_lock_timeout(50)");
try {
    one("SELECT advisory_lock('printer')");
} catch (Exception $e) {
    echo "~timeout ", get_class($e), ": ", $e->getMessage(), "\n";
    echo "timeout ", (int)(
        $db->lastExtendedErrorCode() == 773 #:timeout
    ), "\n";
}
one("SELECT advisory_lock_timeout(-1)");
echo "waited ", one("SELECT advisory_lock('scanner') > 0"), "\n";
$rows = $db->query("SELECT key, mode FROM advisory_locks WHERE session =
    advisory_session() AND kind = 'advisory' ORDER BY key");
while ($row = $rows->fetchArray(SQLITE3_NUM)) {
    echo "held ", implode(" ", $row), "\n";
}
$rows->finalize();
$db->close();
echo "done\n";
