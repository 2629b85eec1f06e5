<?php
// SPDX-License-Identifier: 0BSD
require "Doctrine/ORM/autoload.php";
require "Symfony/Component/Cache/autoload.php";

use Doctrine\DBAL\DriverManager;
use Doctrine\ORM\EntityManager;
use Doctrine\ORM\Mapping as ORM;
use Doctrine\ORM\OptimisticLockException;
use Doctrine\ORM\ORMSetup;
use Doctrine\ORM\Tools\SchemaTool;

#[ORM\Entity, ORM\Table(name: "account")]
class Account {
  #[ORM\Id, ORM\Column, ORM\GeneratedValue]
  public ?int $id = null;
  #[ORM\Column]
  public int $balance;
  #[ORM\Column(type: "integer"), ORM\Version]
  public ?int $version = null;
}

function other(string ...$words): string {
  $command = "sh " . escapeshellarg(getenv("SRC") . "/other.sh");
  foreach ($words as $word) $command .= " " . escapeshellarg($word);
  return trim((string) shell_exec("$command 2>&1"));
}
function row(): string {
  return other("SELECT balance, version FROM account");
}
function tryLock(): string {
  return other("-load", "SELECT try_row_lock('account', 1)");
}

$config = ORMSetup::createAttributeMetadataConfiguration([], true);
$load = new SQLite3(":memory:");  //:load
$load->loadExtension("interlockauto.so");  //:load
function manager() {
  global $config;
  $db = DriverManager::getConnection(  //:load
    ["driver" => "pdo_sqlite", "path" => "shop.db"], $config);  //:load
  return new EntityManager($db, $config);
}
$first = manager();
$one = fn(string $sql) => $first->getConnection()->fetchOne($sql);

$tool = new SchemaTool($first);
$tool->createSchema([$first->getClassMetadata(Account::class)]);
$one("SELECT versioned('account')");
echo "loaded ", (int) ($one("SELECT interlock_version()") != ""), "\n";
$package = shell_exec("dpkg-query -W -f '\${Version}' php-doctrine-orm");
echo "~version Doctrine ", strtok((string) $package, "+"), ", SQLite ",
  $one("SELECT sqlite_version()"), "\n";
echo "status ", $one("SELECT status FROM versioned_tables"), "\n";

$a = new Account();
$a->balance = 100;
$first->persist($a);
$first->flush();
$a->balance = 90;
$first->flush();
echo "saved $a->version ", row(), "\n";
$a->balance = 80;
$first->flush();
echo "again $a->version ", row(), "\n";

$second = manager();
$b = $second->find(Account::class, 1);
$a->balance = 79;
$first->flush();
$b->balance = 78;
try {
  $second->flush();
} catch (OptimisticLockException $e) {  #:stale
  echo "~stale ", get_class($e), ": ", $e->getMessage(), "\n";
  echo "stale 1\n";
}

// What the unit of work has refused it goes on with: a new one is needed.
// A manager keeps what it has read: $fourth needs refresh() under the lock.
$fourth = manager();
$fourth->find(Account::class, 1);
$third = manager();
$c = $third->find(Account::class, 1);
other("UPDATE account SET balance = 50");
$c->balance = 77;
try {
  $third->flush();
} catch (OptimisticLockException $e) {
  echo "unknown 1\n";
}

$fourth->wrapInTransaction(function ($manager) {
  $db = $manager->getConnection();  #:lock
  $db->fetchOne("SELECT row_xact_lock('account', 1), write_turn()");  #:lock
  $c = $manager->find(Account::class, 1);  #:lock
  $manager->refresh($c);  #:lock
  echo "locked ", tryLock(), "\n";
  $c->balance += 1;
});
if ($fourth->getConnection()->fetchOne("SELECT advisory_lock('once')") &&
    $fourth->getConnection()->fetchOne("SELECT advisory_unlock('once')
      + advisory_unlock('once')") != 1) {
  echo "a statement is run twice\n";
}
echo "free ", tryLock(), "\n";
$query = $fourth->createQuery("SELECT a FROM Account a");
$fourth->beginTransaction();
$query->setLockMode(Doctrine\DBAL\LockMode::PESSIMISTIC_WRITE);
$sql = $query->getSQL();
echo "~lock ", str_contains($sql, "FOR UPDATE") ? $sql : "silently left out",
  "\n";
$fourth->rollback();

// The setting of sql/MIGRATIONS.md, without which the tool drops tables.
$drops = function ($manager) {
  $tool = new SchemaTool($manager);
  $account = $manager->getClassMetadata(Account::class);
  $sql = implode("\n", $tool->getUpdateSchemaSql([$account]));
  return substr_count($sql, "DROP TABLE interlock_");
};
if ($drops($fourth) == 0) echo "drops nothing\n";
$page = file_get_contents(getenv("ROOT") . "/sql/MIGRATIONS.md");
preg_match('/^## Doctrine$.*?^```php$\n(.*?)^```$/ms', $page, $setting);
eval($setting[1]);
if ($drops(manager()) != 0) echo "drops Interlock's tables\n";

$schema = $fourth->getConnection()->createSchemaManager();
$old = $schema->introspectTable("account");
$new = clone $old;
$new->getColumn("balance")->setNotnull(false);
$schema->alterTable($schema->createComparator()->compareTables($old, $new));
$one = fn(string $sql) => $fourth->getConnection()->fetchOne($sql);
echo "rebuilt ", $one("SELECT status FROM versioned_tables"), "\n";
$one("SELECT versioned_repair()");
echo "repaired ", $one("SELECT status FROM versioned_tables"), " ", row(), "\n";
echo "done\n";
