// SPDX-License-Identifier: 0BSD
use rusqlite::{types::Value, Connection, Error, LoadExtensionGuard};

fn text(value: Value) -> String {
    match value {
        Value::Integer(i) => i.to_string(),
        Value::Text(s) => s,
        other => format!("{other:?}"),
    }
}

fn one(db: &Connection, sql: &str) -> rusqlite::Result<String> {
    db.query_row(sql, [], |row| row.get(0)).map(text)
}

fn main() -> rusqlite::Result<()> {
    let db = Connection::open("shop.db")?;
    {
        let _guard = unsafe { LoadExtensionGuard::new(&db)? }; //:load
        unsafe { db.load_extension("./build/interlock", None::<&str>)? }; //:load
    }
    println!("loaded {}", one(&db, "SELECT interlock_version() <> ''")?);
    println!("~version rusqlite {}, SQLite {}", env!("RUSQLITE"),
             rusqlite::version());
    println!("declared {}", one(&db, "SELECT versioned('account')")?);
    match db.execute("UPDATE account SET balance = 0, version = 0", []) {
        Err(Error::SqliteFailure(e, Some(message))) => {
            println!("~stale SqliteFailure: {message}");
            println!("stale {}", i32::from(
                e.extended_code == 1811 //:stale
            ));
        }
        other => println!("{other:?}"),
    }
    println!("locked {}", one(&db, "SELECT advisory_lock('invoices') > 0")?);
    println!("tried {}", one(&db, "SELECT try_advisory_lock('printer')")?);
    println!("number {}", db.query_row(
        "SELECT try_advisory_lock(?)", [42], |row| row.get(0)).map(text)?);
    println!("jobs {}", one(&db,
        "SELECT skip_locked('job', 2, 'state = ''ready''', 'id')")?);
    println!("leased {}", one(&db,
        "SELECT lease_acquire('report', 'client', 60000) > 0")?);
    match db.execute("UPDATE report SET text = 'late', token = 1", []) {
        Err(Error::SqliteFailure(_, Some(message))) => {
            println!("~fenced SqliteFailure: {message}");
            println!("fenced {}", i32::from(
                message.starts_with("fenced:") //:fenced
            ));
        }
        other => println!("{other:?}"),
    }
    one(&db, "SELECT advisory_lock_timeout(50)")?;
    match one(&db, "SELECT advisory_lock('printer')") {
        Err(Error::SqliteFailure(e, Some(message))) => {
            println!("~timeout SqliteFailure: {message}");
            println!("timeout {}", i32::from(
                e.extended_code == 773 //:timeout
            ));
        }
        other => println!("{other:?}"),
    }
    one(&db, "SELECT advisory_lock_timeout(-1)")?;
    println!("waited {}", one(&db, "SELECT advisory_lock('scanner') > 0")?);
    {
        let mut rows = db.prepare(
            "SELECT key, mode FROM advisory_locks WHERE session =
             advisory_session() AND kind = 'advisory' ORDER BY key")?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            println!("held {} {}", row.get::<_, String>(0)?,
                     row.get::<_, String>(1)?);
        }
    }
    db.close().map_err(|(_, e)| e)?;
    println!("done");
    Ok(())
}
