// SPDX-License-Identifier: 0BSD
use rusqlite::Connection;

fn one(db: &Connection, sql: &str) -> rusqlite::Result<String> {
    use rusqlite::types::Value::{Integer, Text};
    db.query_row(sql, [], |row| row.get(0)).map(|value| match value {
        Integer(i) => i.to_string(),
        Text(s) => s,
        other => format!("{other:?}"),
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Without register() a connection has it by load().
    let first = Connection::open_in_memory()?;
    unsafe { sqlite_interlock::load(first.handle())? };
    one(&first, "SELECT interlock_version()")?;
    sqlite_interlock::register()?; //:load
    let db = Connection::open("shop.db")?;
    let version = one(&db, "SELECT interlock_version()")?;
    let version = version.split(' ').next();
    println!("loaded {}", i32::from(
        version == Some(sqlite_interlock::VERSION)));
    println!("~version rusqlite {}, SQLite {}", env!("RUSQLITE"),
             rusqlite::version());
    println!("declared {}", one(&db, "SELECT versioned('account')")?);
    let stale = db.execute("UPDATE account SET balance = 0, version = 0", []);
    let stale = stale.err().map(|e| e.to_string()).unwrap_or_default();
    println!("stale {}", i32::from(
        stale.starts_with("stale write: account.version")));
    println!("locked {}", one(&db, "SELECT advisory_lock('invoices') > 0")?);
    println!("tried {}", one(&db, "SELECT try_advisory_lock('printer')")?);
    println!("waited {}", one(&db, "SELECT advisory_lock('scanner') > 0")?);
    db.close().map_err(|(_, e)| e)?;
    println!("done");
    Ok(())
}
