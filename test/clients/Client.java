// SPDX-License-Identifier: 0BSD
import java.sql.*;
import org.sqlite.*;

class Client {
  static Connection db;

  static String one(String sql) throws SQLException {
    try (Statement s = db.createStatement(); ResultSet r = s.executeQuery(sql)) {
      r.next();
      return r.getString(1);
    }
  }

  public static void main(String[] args) throws SQLException {
    SQLiteConfig config = new SQLiteConfig();
    config.enableLoadExtension(true); //:load
    db = config.createConnection("jdbc:sqlite:shop.db"); //:load
    Statement load = db.createStatement(); //:load
    load.execute("SELECT load_extension('./build/interlock')"); //:load
    System.out.println("loaded " + one("SELECT interlock_version() <> ''"));
    System.out.println("~version sqlite-jdbc "
      + db.getMetaData().getDriverVersion()
      + ", SQLite " + one("SELECT sqlite_version()"));
    System.out.println("declared " + one("SELECT versioned('account')"));
    try (Statement s = db.createStatement()) {
      s.executeUpdate("UPDATE account SET balance = 0, version = 0");
    } catch (SQLiteException e) {
      System.out.println("~stale SQLiteException: " + e.getMessage());
      boolean stale =
        e.getMessage().contains("(stale write:"); //:stale
      System.out.println("stale " + (stale ? 1 : 0));
    }
    System.out.println("locked "
      + one("SELECT advisory_lock('invoices') > 0"));
    System.out.println("tried " + one("SELECT try_advisory_lock('printer')"));
    try (PreparedStatement s =
           db.prepareStatement("SELECT try_advisory_lock(?)")) {
      s.setInt(1, 42);
      System.out.println("number " + s.executeQuery().getInt(1));
    }
    System.out.println("jobs "
      + one("SELECT skip_locked('job', 2, 'state = ''ready''', 'id')"));
    System.out.println("leased "
      + one("SELECT lease_acquire('report', 'client', 60000) > 0"));
    try (Statement s = db.createStatement()) {
      s.executeUpdate("UPDATE report SET text = 'late', token = 1");
    } catch (SQLiteException e) {
      System.out.println("~fenced SQLiteException: " + e.getMessage());
      boolean fenced =
        e.getMessage().contains("(fenced:"); //:fenced
      System.out.println("fenced " + (fenced ? 1 : 0));
    }
    one("SELECT advisory_lock_timeout(50)");
    try {
      one("SELECT advisory_lock('printer')");
    } catch (SQLiteException e) {
      System.out.println("~timeout SQLiteException: " + e.getMessage());
      boolean timeout =
        e.getMessage().contains("(lock timeout:"); //:timeout
      System.out.println("timeout " + (timeout ? 1 : 0));
    }
    one("SELECT advisory_lock_timeout(-1)");
    System.out.println("waited " + one("SELECT advisory_lock('scanner') > 0"));
    try (Statement s = db.createStatement();
         ResultSet r = s.executeQuery(
           "SELECT key, mode FROM advisory_locks WHERE session ="
           + " advisory_session() AND kind = 'advisory' ORDER BY key")) {
      while (r.next()) {
        System.out.println("held " + r.getString(1) + " " + r.getString(2));
      }
    }
    db.close();
    System.out.println("done");
  }
}
