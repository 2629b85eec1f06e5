# SPDX-License-Identifier: 0BSD
use strict;
use warnings;
use DBI qw(:sql_types);

my $db = DBI->connect("dbi:SQLite:dbname=shop.db", "", "",
    { RaiseError => 1, PrintError => 0, sqlite_extended_result_codes => 1 });
$db->sqlite_enable_load_extension(1);  #:load
$db->sqlite_load_extension("./build/interlock");  #:load

sub one { return ($db->selectrow_array(@_))[0] }

print "loaded ", one("SELECT interlock_version() <> ''"), "\n";
print "~version DBD::SQLite $DBD::SQLite::VERSION,",
    " SQLite $db->{sqlite_version}\n";
print "declared ", one("SELECT versioned('account')"), "\n";
eval { $db->do("UPDATE account SET balance = 0, version = 0") };
print "~stale ", $@ =~ s/ at .* line \d+\.\n//r, "\n";
print "stale ", (
    $DBI::err == 1811  #:stale
) + 0, "\n";
print "locked ", one("SELECT advisory_lock('invoices') > 0"), "\n";
print "tried ", one("SELECT try_advisory_lock('printer')"), "\n";
my $try = $db->prepare("SELECT try_advisory_lock(?)");
$try->bind_param(1, 42, SQL_INTEGER);  #:bind
$try->execute;
print "number ", $try->fetchrow_array, "\n";
$try->finish;
my $type = one("SELECT typeof(?)", undef, 42);
print "binds $type\n" if $type ne "text";  # by itself, sql/CLIENTS.md says
print "jobs ", one(
    "SELECT skip_locked('job', 2, 'state = ''ready''', 'id')"), "\n";
print "leased ", one(
    "SELECT lease_acquire('report', 'client', 60000) > 0"), "\n";
eval { $db->do("UPDATE report SET text = 'late', token = 1") };
print "~fenced ", $@ =~ s/ at .* line \d+\.\n//r, "\n";
print "fenced ", (
    $DBI::errstr =~ /^fenced:/  #:fenced
) + 0, "\n";
one("SELECT advisory_lock_timeout(50)");
eval { one("SELECT advisory_lock('printer')") };
print "~timeout ", $@ =~ s/ at .* line \d+\.\n//r, "\n";
print "timeout ", (
    $DBI::err == 773  #:timeout
) + 0, "\n";
one("SELECT advisory_lock_timeout(-1)");
print "waited ", one("SELECT advisory_lock('scanner') > 0"), "\n";
my $rows = $db->selectall_arrayref(
    "SELECT key, mode FROM advisory_locks WHERE session = advisory_session()
     AND kind = 'advisory' ORDER BY key");
print "held @$_\n" for @$rows;
$db->disconnect;
print "done\n";
