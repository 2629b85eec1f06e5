// SPDX-License-Identifier: 0BSD
mod steps;

use diesel::connection::SimpleConnection;
use diesel::dsl::{sql, ForUpdate};
use diesel::prelude::*;
use diesel::query_builder::QueryFragment;
use diesel::r2d2::{ConnectionManager, Pool};
use diesel::result::Error::DatabaseError;
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use std::marker::PhantomData;
use steps::{other, row, try_lock};

diesel::table! {
    account {
        id -> Integer,
        balance -> Integer,
        version -> Integer,
    }
}

#[derive(Clone, Queryable, Identifiable, AsChangeset)]
#[diesel(table_name = account)]
struct Account {
    id: i32,
    balance: i32,
    version: i32,
}

impl Account {
    // Carries the version after the one that was read.
    fn save(&self, db: &mut SqliteConnection) -> QueryResult<Account> {
        let next = Account { version: self.version + 1, ..self.clone() };
        next.save_changes(db)
    }
}

fn one(db: &mut SqliteConnection, text: &str) -> QueryResult<String> {
    sql::<Text>(text).get_result(db)
}

fn stale<T>(result: QueryResult<T>) -> i32 {
    match result {
        Err(DatabaseError(_, about)) => {
            println!("~stale {}", about.message());
            i32::from(
                about.message().starts_with("stale write:") //:stale
            )
        }
        _ => 0,
    }
}

// Whether SQLite's backend has a query, which the compiler finds out.
struct Probe<Q>(PhantomData<Q>);
trait Without {
    const HAS: bool = false;
}
impl<Q> Without for Probe<Q> {}
impl<Q: QueryFragment<Sqlite>> Probe<Q> {
    const HAS: bool = true;
}

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    sqlite_interlock::register()?; //:load
    let manager = ConnectionManager::<SqliteConnection>::new("shop.db"); //:load
    let pool = Pool::builder().max_size(3).build(manager)?; //:load
    let mut all = [pool.get()?, pool.get()?, pool.get()?];
    let mut loaded = 0;
    for db in &mut all {
        one(db, "SELECT interlock_version()")?;
        loaded += 1;
    }
    println!("loaded {}", loaded / 3);
    let db: &mut SqliteConnection = &mut all[0];
    println!("~version Diesel {}, SQLite {}", env!("DIESEL"),
             one(db, "SELECT sqlite_version()")?);

    let migrations = FileBasedMigrations::find_migrations_directory_in_path(
        std::env::var("SRC")? + "/dieselshop")?;
    db.run_next_migration(migrations.clone())?;
    println!("status {}", one(db, "SELECT status FROM versioned_tables")?);

    let mut a: Account = diesel::insert_into(account::table)
        .values(account::balance.eq(100))
        .get_result(db)?;
    a.balance = 90;
    a = a.save(db)?;
    println!("saved {} {}", a.version, row());
    a.balance = 80;
    a = a.save(db)?;
    println!("again {} {}", a.version, row());

    let mut b: Account = account::table.find(1).first(db)?;
    a.balance -= 1;
    a = a.save(db)?;
    b.balance -= 2;
    println!("stale {}", stale(b.save(db)));

    other(&["UPDATE account SET balance = 50"]);
    a.balance -= 1;
    println!("unknown {}", stale(a.save(db)));

    db.transaction(|db| { //:lock
        db.batch_execute( //:lock
            "SELECT row_xact_lock('account', 1), write_turn()")?; //:lock
        let mut c: Account = account::table.find(1).first(db)?; //:lock
        println!("locked {}", try_lock());
        c.balance += 1;
        c.save(db)
    })?;
    println!("free {}", try_lock());
    assert!(Probe::<account::table>::HAS);
    println!("~lock {}", if Probe::<ForUpdate<account::table>>::HAS {
        "sent"
    } else {
        "does not compile"
    });

    db.run_next_migration(migrations)?;
    println!("rebuilt {}", one(db, "SELECT status FROM versioned_tables")?);
    db.batch_execute("SELECT versioned_repair()")?;
    println!("repaired {} {}",
             one(db, "SELECT status FROM versioned_tables")?, row());
    println!("done");
    Ok(())
}
