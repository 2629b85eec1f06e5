// SPDX-License-Identifier: 0BSD
import java.sql.*;
import java.util.*;
import org.jooq.*;
import org.jooq.Record;
import org.jooq.conf.Settings;
import org.jooq.exception.*;
import org.jooq.impl.*;
import static org.jooq.impl.DSL.*;

class WithJooq {
  // As jOOQ's code generator writes them.
  static class Accounts extends TableImpl<Account> {
    static final Accounts ACCOUNT = new Accounts();
    final TableField<Account, Integer> ID = createField(name("id"),
      SQLDataType.INTEGER.identity(true), this);
    final TableField<Account, Integer> BALANCE = createField(name("balance"),
      SQLDataType.INTEGER.nullable(false), this);
    final TableField<Account, Integer> VERSION = createField(name("version"),
      SQLDataType.INTEGER.nullable(false), this);
    Accounts() { super(name("account")); }
    @Override public Class<Account> getRecordType() { return Account.class; }
    @Override public UniqueKey<Account> getPrimaryKey() {
      return org.jooq.impl.Internal.createUniqueKey(this, name("pk"), ID);
    }
    @Override public TableField<Account, Integer> getRecordVersion() {
      return VERSION;
    }
  }
  static class Account extends UpdatableRecordImpl<Account> {
    Account() { super(Accounts.ACCOUNT); }
  }

  static String other(String... words) {
    try {
      List<String> command = new ArrayList<>(
        List.of("sh", System.getenv("SRC") + "/other.sh"));
      command.addAll(List.of(words));
      Process p = new ProcessBuilder(command).redirectErrorStream(true).start();
      return new String(p.getInputStream().readAllBytes()).trim();
    } catch (java.io.IOException e) {
      throw new RuntimeException(e);
    }
  }
  static String row() {
    return other("SELECT balance, version FROM account");
  }
  static String tryLock() {
    return other("-load", "SELECT try_row_lock('account', 1)");
  }

  static DSLContext open() throws SQLException {
    Connection c = DriverManager.getConnection(
      "jdbc:sqlite:shop.db?enable_load_extension=true"); //:load
    try (java.sql.Statement s = c.createStatement()) {
      s.execute("SELECT load_extension('./build/interlock')"); //:load
    }
    return using(c, SQLDialect.SQLITE,
      new Settings().withExecuteWithOptimisticLocking(true));
  }

  public static void main(String[] args) throws Exception {
    Accounts t = Accounts.ACCOUNT;
    DSLContext db = open();
    db.createTable(t).column(t.ID).column(t.BALANCE).column(t.VERSION)
      .constraints(primaryKey(t.ID)).execute();
    db.fetchValue("SELECT versioned('account')");
    System.out.println("loaded "
      + (db.fetchValue("SELECT interlock_version()") != null ? 1 : 0));
    System.out.println("~version jOOQ " + org.jooq.Constants.FULL_VERSION
      + ", SQLite " + db.fetchValue("SELECT sqlite_version()"));
    System.out.println("status "
      + db.fetchValue("SELECT status FROM versioned_tables"));

    Account a = db.newRecord(t);
    a.set(t.BALANCE, 100);
    a.store();
    a.set(t.BALANCE, 90);
    a.store();
    System.out.println("saved " + a.get(t.VERSION) + " " + row());
    a.set(t.BALANCE, 80);
    a.store();
    System.out.println("again " + a.get(t.VERSION) + " " + row());

    Account b = open().fetchOne(t);
    a.set(t.BALANCE, 79);
    a.store();
    b.set(t.BALANCE, 78);
    try {
      b.store();
    } catch (DataChangedException e) { //:stale
      System.out.println("~stale " + e.getClass().getSimpleName() + ": "
        + e.getMessage());
      System.out.println("stale 1");
    }

    other("UPDATE account SET balance = 50");
    a.set(t.BALANCE, 77);
    try {
      a.store();
    } catch (DataChangedException e) {
      System.out.println("unknown 1");
    }

    db.transaction(c -> {
      c.dsl().fetchOne( //:lock
        "SELECT row_xact_lock('account', 1), write_turn()"); //:lock
      Account r = c.dsl().fetchOne(t);
      System.out.println("locked " + tryLock());
      r.set(t.BALANCE, 51);
      r.store();
    });
    System.out.println("free " + tryLock());
    try {
      db.selectFrom(t).forUpdate().fetch();
      System.out.println("~lock silently left out");
    } catch (DataAccessException e) {
      System.out.println("~lock " + e.getClass().getSimpleName() + ": "
        + e.getCause().getMessage());
    }
    System.out.println("done");
  }
}
