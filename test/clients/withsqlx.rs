// SPDX-License-Identifier: 0BSD
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Error, Row, SqliteConnection};

async fn one(db: &mut SqliteConnection, sql: &'static str)
    -> Result<String, Error>
{
    sqlx::query(sql).fetch_one(db).await?.try_get_unchecked(0)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let options = SqliteConnectOptions::new().filename("shop.db"); //:load
    let options = unsafe { options.extension("./build/interlock") }; //:load
    let mut connection = options.connect().await?; //:load
    let db = &mut connection;
    println!("loaded {}", one(db, "SELECT interlock_version() <> ''").await?);
    println!("~version sqlx {}, SQLite {}", env!("SQLX"),
             one(db, "SELECT sqlite_version()").await?);
    println!("declared {}", one(db, "SELECT versioned('account')").await?);
    match one(db, "UPDATE account SET balance = 0, version = 0").await {
        Err(Error::Database(e)) => {
            println!("~stale {e}");
            println!("stale {}", i32::from(
                e.code().as_deref() == Some("1811") //:stale
            ));
        }
        other => println!("{other:?}"),
    }
    println!("locked {}",
             one(db, "SELECT advisory_lock('invoices') > 0").await?);
    println!("tried {}",
             one(db, "SELECT try_advisory_lock('printer')").await?);
    let number = sqlx::query("SELECT try_advisory_lock(?)").bind(42);
    println!("number {}", number.fetch_one(&mut *db).await?.get::<i64, _>(0));
    println!("jobs {}", one(db,
        "SELECT skip_locked('job', 2, 'state = ''ready''', 'id')").await?);
    println!("leased {}", one(db,
        "SELECT lease_acquire('report', 'client', 60000) > 0").await?);
    match one(db, "UPDATE report SET text = 'late', token = 1").await {
        Err(Error::Database(e)) => {
            println!("~fenced {e}");
            println!("fenced {}", i32::from(
                e.message().starts_with("fenced:") //:fenced
            ));
        }
        other => println!("{other:?}"),
    }
    one(db, "SELECT advisory_lock_timeout(50)").await?;
    match one(db, "SELECT advisory_lock('printer')").await {
        Err(Error::Database(e)) => {
            println!("~timeout {e}");
            println!("timeout {}", i32::from(
                e.code().as_deref() == Some("773") //:timeout
            ));
        }
        other => println!("{other:?}"),
    }
    one(db, "SELECT advisory_lock_timeout(-1)").await?;
    println!("waited {}",
             one(db, "SELECT advisory_lock('scanner') > 0").await?);
    let rows = sqlx::query(
        "SELECT key, mode FROM advisory_locks WHERE session =
         advisory_session() AND kind = 'advisory' ORDER BY key");
    for row in rows.fetch_all(&mut *db).await? {
        println!("held {} {}", row.get::<&str, _>(0), row.get::<&str, _>(1));
    }
    connection.close().await?;
    println!("done");
    Ok(())
}
