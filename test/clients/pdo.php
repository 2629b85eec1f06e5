<?php # SPDX-License-Identifier: 0BSD
# PDO loads no extension before PHP 8.4. The class SQLite3 does, into every
# connection that is opened later, PDO's too.
$first = new SQLite3(":memory:"); #:load
$first->loadExtension("interlockauto.so"); #:load
$db = new PDO("sqlite:shop.db"); #:load
$db->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);

function one($sql) {
    global $db;
    return $db->query($sql)->fetchColumn();
}

echo "loaded ", one("SELECT interlock_version() <> ''"), "\n";
echo "~version PHP ", PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION, ".",
    PHP_RELEASE_VERSION, ", SQLite ", SQLite3::version()["versionString"], "\n";
echo "declared ", one("SELECT versioned('account')"), "\n";
try {
    $db->exec("UPDATE account SET balance = 0, version = 0");
} catch (PDOException $e) {
    echo "~stale PDOException: ", $e->getMessage(), "\n";
    echo "stale ", (int)(
        str_starts_with($e->errorInfo[2], "stale write:") #:stale
    ), "\n";
}
echo "locked ", one("SELECT advisory_lock('invoices') > 0"), "\n";
echo "tried ", one("SELECT try_advisory_lock('printer')"), "\n";
$try = $db->prepare("SELECT try_advisory_lock(?)");
$try->bindValue(1, 42, PDO::PARAM_INT); #:bind
$try->execute();
echo "number ", $try->fetchColumn(), "\n";
$try = $db->prepare("SELECT typeof(?)");
$try->execute([42]);
$type = $try->fetchColumn();
if ($type != "text") echo "binds $type\n"; # by itself, sql/CLIENTS.md says
$try = null;
echo "jobs ",
    one("SELECT skip_locked('job', 2, 'state = ''ready''', 'id')"), "\n";
echo "leased ",
    one("SELECT lease_acquire('report', 'client', 60000) > 0"), "\n";
try {
    $db->exec("UPDATE report SET text = 'late', token = 1");
} catch (PDOException $e) {
    echo "~fenced PDOException: ", $e->getMessage(), "\n";
    echo "fenced ", (int)(
        str_starts_with($e->errorInfo[2], "fenced:") #:fenced
    ), "\n";
}
one("SELECT advisory_lock_timeout(50)");
try {
    one("SELECT advisory_lock('printer')");
} catch (PDOException $e) {
    echo "~timeout PDOException: ", $e->getMessage(), "\n";
    echo "timeout ", (int)(
        str_starts_with($e->errorInfo[2], "lock timeout:") #:timeout
    ), "\n";
}
one("SELECT advisory_lock_timeout(-1)");
echo "waited ", one("SELECT advisory_lock('scanner') > 0"), "\n";
foreach ($db->query("SELECT key, mode FROM advisory_locks WHERE session =
         advisory_session() AND kind = 'advisory' ORDER BY key",
         PDO::FETCH_NUM) as $row) {
    echo "held ", implode(" ", $row), "\n";
}
echo "done\n";
