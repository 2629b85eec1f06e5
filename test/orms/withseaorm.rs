// SPDX-License-Identifier: 0BSD
mod steps;

use sea_orm::prelude::*;
use sea_orm::{
    ConnectOptions, Database, DatabaseBackend, IntoActiveModel, QuerySelect,
    QueryTrait, RuntimeErr, Set, Statement, TransactionTrait,
};
use steps::{other, row, try_lock};

mod account {
    use sea_orm::entity::prelude::*;
    use sea_orm::{ActiveValue, Set};

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "account")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub balance: i32,
        #[sea_orm(default_value = 1)]
        pub version: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    // An update carries the version after the one that was read.
    #[async_trait::async_trait]
    impl ActiveModelBehavior for ActiveModel {
        async fn before_save<C: ConnectionTrait>(
            mut self, _: &C, insert: bool,
        ) -> Result<Self, DbErr> {
            if let (false, ActiveValue::Unchanged(version)) =
                (insert, &self.version)
            {
                self.version = Set(version + 1);
            }
            Ok(self)
        }
    }
}

async fn one(db: &impl ConnectionTrait, sql: &str) -> Result<String, DbErr> {
    let statement = Statement::from_string(DatabaseBackend::Sqlite, sql);
    db.query_one_raw(statement).await?.unwrap().try_get_by_index(0)
}

// What db.save() of an object is in other ORMs.
async fn save(db: &impl ConnectionTrait, a: &account::Model, balance: i32)
    -> Result<account::Model, DbErr>
{
    let mut a = a.clone().into_active_model();
    a.balance = Set(balance);
    a.update(db).await
}

fn stale<T>(result: Result<T, DbErr>) -> i32 {
    let Err(error) = result else { return 0 };
    println!("~stale {error}");
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(e))
        | DbErr::Query(RuntimeErr::SqlxError(e)) => {
            let code = e.as_database_error().and_then(|e| e.code());
            i32::from(
                code.as_deref() == Some("1811") //:stale
            )
        }
        _ => 0,
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), DbErr> {
    let mut options = ConnectOptions::new("sqlite://shop.db?mode=rwc"); //:load
    options.map_sqlx_sqlite_opts( //:load
        |o| unsafe { o.extension("./build/interlock") }); //:load
    let db = Database::connect(options.max_connections(3).to_owned()).await?;
    {
        let all = [db.begin().await?, db.begin().await?, db.begin().await?];
        let mut loaded = 0;
        for connection in &all {
            one(connection, "SELECT interlock_version()").await?;
            loaded += 1;
        }
        println!("loaded {}", loaded / 3);
    }
    println!("~version SeaORM {}, SQLite {}", env!("SEAORM"),
             one(&db, "SELECT sqlite_version()").await?);
    db.get_schema_builder().register(account::Entity).sync(&db).await?;
    one(&db, "SELECT versioned('account')").await?;
    println!("status {}",
             one(&db, "SELECT status FROM versioned_tables").await?);

    let a = account::ActiveModel { balance: Set(100), ..Default::default() };
    let a = a.insert(&db).await?;
    let a = save(&db, &a, 90).await?;
    println!("saved {} {}", a.version, row());
    let a = save(&db, &a, 80).await?;
    println!("again {} {}", a.version, row());

    let b = account::Entity::find_by_id(1).one(&db).await?.unwrap();
    let a = save(&db, &a, 79).await?;
    println!("stale {}", stale(save(&db, &b, 78).await));

    other(&["UPDATE account SET balance = 50"]);
    println!("unknown {}", stale(save(&db, &a, 77).await));

    let transaction = db.begin().await?; //:lock
    let lock = "SELECT row_xact_lock('account', 1), write_turn()"; //:lock
    transaction.execute_unprepared(lock).await?; //:lock
    let c = account::Entity::find_by_id(1).one(&transaction).await?.unwrap();
    println!("locked {}", try_lock());
    save(&transaction, &c, c.balance + 1).await?;
    transaction.commit().await?;
    println!("free {}", try_lock());
    let sent = account::Entity::find().lock_exclusive()
        .build(DatabaseBackend::Sqlite).to_string();
    println!("~lock {}", if sent.contains("FOR UPDATE") {
        "sent"
    } else {
        "silently left out"
    });
    db.close().await?;
    println!("done");
    Ok(())
}
