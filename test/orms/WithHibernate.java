// SPDX-License-Identifier: 0BSD
import jakarta.persistence.*;
import java.util.*;
import org.hibernate.Session;
import org.hibernate.SessionFactory;
import org.hibernate.cfg.Configuration;

class WithHibernate {
  @Entity(name = "account")
  static class Account {
    @Id @GeneratedValue(strategy = GenerationType.IDENTITY)
    Long id;
    int balance;
    @Version
    int version;
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
  static String sent = "";
  static Object one(Session session, String sql) {
    return session.createNativeQuery(sql, Object.class).getSingleResult();
  }

  public static void main(String[] args) {
    SessionFactory factory = new Configuration()
      .addAnnotatedClass(Account.class)
      .setProperty("hibernate.dialect",
        "org.hibernate.community.dialect.SQLiteDialect")
      .setProperty("hibernate.connection.url", //:load
        "jdbc:sqlite:shop.db?enable_load_extension=true") //:load
      .setProperty("hibernate.connection.init_sql", //:load
        "SELECT load_extension('./build/interlock')") //:load
      .setProperty("hibernate.hbm2ddl.auto", "update")
      .setStatementInspector(sql -> { sent = sql; return sql; })
      .buildSessionFactory();

    List<Session> sessions = new ArrayList<>();
    int loaded = 0;
    for (int i = 0; i < 3; i++) sessions.add(factory.openSession());
    for (Session s : sessions) s.beginTransaction();
    for (Session s : sessions) {
      if (one(s, "SELECT interlock_version()") != null) loaded++;
    }
    for (Session s : sessions) s.close();
    System.out.println("loaded " + loaded / 3);

    Session first = factory.openSession();
    first.beginTransaction();
    one(first, "SELECT versioned('account')");
    System.out.println("~version Hibernate "
      + org.hibernate.Version.getVersionString() + ", SQLite "
      + one(first, "SELECT sqlite_version()"));
    System.out.println("status "
      + one(first, "SELECT status FROM versioned_tables"));
    first.getTransaction().commit();

    Account a = new Account();
    a.balance = 100;
    first.beginTransaction();
    first.persist(a);
    first.getTransaction().commit();
    first.beginTransaction();
    a.balance = 90;
    first.getTransaction().commit();
    System.out.println("saved " + a.version + " " + row());
    first.beginTransaction();
    a.balance = 80;
    first.getTransaction().commit();
    System.out.println("again " + a.version + " " + row());

    Session second = factory.openSession();
    Account b = second.find(Account.class, a.id);
    first.beginTransaction();
    a.balance = 79;
    first.getTransaction().commit();
    second.beginTransaction();
    b.balance = 78;
    try {
      second.getTransaction().commit();
    } catch (OptimisticLockException e) { //:stale
      System.out.println("~stale " + e.getClass().getSimpleName() + ": "
        + e.getMessage());
      System.out.println("stale 1");
    }
    second.close();

    other("UPDATE account SET balance = 50");
    first.beginTransaction();
    a.balance = 77;
    try {
      first.getTransaction().commit();
    } catch (OptimisticLockException e) {
      System.out.println("unknown 1");
    }
    first.close();

    Session third = factory.openSession();
    third.beginTransaction();
    one(third, "SELECT row_xact_lock('account', 1), write_turn()"); //:lock
    Account c = third.find(Account.class, 1L);
    System.out.println("locked " + tryLock());
    c.balance = 51;
    third.getTransaction().commit();
    System.out.println("free " + tryLock());
    third.clear();
    third.beginTransaction();
    third.find(Account.class, 1L, LockModeType.PESSIMISTIC_WRITE);
    System.out.println("~lock " + (sent.contains("for update") ? sent
      : sent.contains("update") ? "raises the version: " + sent
      : "silently left out"));
    third.getTransaction().rollback();
    third.close();
    factory.close();
    System.out.println("done");
  }
}
