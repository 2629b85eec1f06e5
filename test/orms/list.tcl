# SPDX-License-Identifier: 0BSD
# The ORMs, in the order of the page. test/clients/list.tcl says what each entry
# means; `mode` is that of the versioned table, `without` names lines of
# expected.txt that the ORM has no counterpart for, `first` is the version that
# it gives a new row.

variable page $home/sql/ORMS.md
variable out $build/orms
variable locks 0
variable facts {
  version {*}
  stale {*}
  lock {*}
}

client tortoise {
  title {Tortoise ORM}
  file withtortoise.py
  has {/usr/bin/python3 -m pip --version}
  get {sh "$SRC"/pip.sh tortoise-orm==1.1.9 fastapi==0.165.0 \
    uvicorn==0.54.0}
  run {PYTHONPATH="$OUT"/tortoise/packages /usr/bin/python3 -B -W ignore \
    "$SRC"/withtortoise.py}
  load {{"engine": "shop.interlock_sqlite"}}
  mode auto
  remark {the backend and `save()` are [below](#tortoise-orm); or the
    [adapter](#select--for-update)}
}
client sqlalchemy {
  title {SQLAlchemy}
  file withsqlalchemy.py
  has {/usr/bin/python3 -m pip --version}
  get {sh "$SRC"/pip.sh sqlalchemy==2.1.9 alembic==1.20.1}
  run {PYTHONPATH="$OUT"/sqlalchemy/packages /usr/bin/python3 -B -W ignore \
    "$SRC"/withsqlalchemy.py}
  mode auto
  remark {`version_id_col`; the [adapter](#select--for-update)}
}
client sqlalchemyasync {
  title {SQLAlchemy, async}
  file asyncsqlalchemy.py
  has {/usr/bin/python3 -m pip --version}
  get {sh "$SRC"/pip.sh sqlalchemy==2.1.9 greenlet==3.5.6 \
    aiosqlite==0.22.1 alembic==1.20.1}
  run {PYTHONPATH="$OUT"/sqlalchemyasync/packages \
    /usr/bin/python3 -B -W ignore "$SRC"/asyncsqlalchemy.py}
  mode auto
  remark {`version_id_col`; the [adapter](#select--for-update)}
}
client sqlmodel {
  title {SQLModel}
  file withsqlmodel.py
  has {/usr/bin/python3 -m pip --version}
  get {sh "$SRC"/pip.sh sqlmodel==0.0.50 sqlalchemy==2.1.9 alembic==1.20.1}
  run {PYTHONPATH="$OUT"/sqlmodel/packages /usr/bin/python3 -B -W ignore \
    "$SRC"/withsqlmodel.py}
  without adapter
  mode auto
  remark {`version_id_col`}
}
client django {
  title {Django}
  file withdjango.py
  has {/usr/bin/python3 -m pip --version}
  get {sh "$SRC"/pip.sh django==5.2.19}
  run {PYTHONPATH="$OUT"/django/packages /usr/bin/python3 -B -W ignore \
    "$SRC"/withdjango.py}
  mode echo
  remark {`save()` reads the version again: [RECIPES.md](RECIPES.md#django);
    the [adapter](#select--for-update)}
}
client peewee {
  title {Peewee}
  file withpeewee.py
  has {/usr/bin/python3 -m pip --version}
  get {sh "$SRC"/pip.sh peewee==4.5.3}
  run {PYTHONPATH="$OUT"/peewee/packages /usr/bin/python3 -B -W ignore \
    "$SRC"/withpeewee.py}
  without adapter
  mode auto
  remark {checks nothing itself: its `save()` must carry the version, as in
    `test/orms/withpeewee.py`}
}
client pony {
  title {Pony}
  file withpony.py
  has {/usr/bin/python3 -m pip --version}
  get {sh "$SRC"/pip.sh pony==0.7.20}
  run {PYTHONPATH="$OUT"/pony/packages /usr/bin/python3 -B -W ignore \
    "$SRC"/withpony.py}
  mode auto
  without {adapter rebuilt repaired}
  remark {`before_update` raises the version; Pony compares what it has read,
    and has no migrations}
}
client typeorm {
  title {TypeORM}
  file withtypeorm.cjs
  has {command -v npm}
  get {sh "$SRC"/npm.sh typeorm@1.1.1 better-sqlite3@13.2.0}
  run {NODE_PATH="$OUT"/typeorm/node_modules "$BUILD"/sqlite/node/bin/node \
    "$SRC"/withtypeorm.cjs}
  mode auto
  remark {`@VersionColumn` is written and never checked: Interlock checks it,
    but not that of an object that was read or made without it; `save()`
    inserts a row that is gone once more; the [adapter](#knex-kysely-typeorm)}
}
client mikro {
  title {MikroORM}
  file withmikro.cjs
  has {command -v npm}
  get {sh "$SRC"/npm.sh @mikro-orm/core@7.2.2 @mikro-orm/sqlite@7.2.2}
  run {NODE_PATH="$OUT"/mikro/node_modules "$BUILD"/sqlite/node/bin/node \
    "$SRC"/withmikro.cjs}
  mode auto
  without {adapter rebuilt repaired}
  remark {`version: true`; its schema generator does not alter columns}
}
client sequelize {
  title {Sequelize}
  file withsequelize.cjs
  has {command -v node && command -v npm}
  get {[ -d node_modules/objection ] || npm install --silent --no-save \
    --prefix . sequelize@6.37.8 sqlite3@6.0.1 knex@3.3.0 objection@3.1.5}
  run {NODE_PATH="$OUT"/sequelize/node_modules node "$SRC"/withsequelize.cjs}
  mode auto
  first 0
  remark {`version: true`; each transaction has a connection of its own, which
    `uuid: transaction.id` names}
}
client drizzle {
  title {Drizzle}
  file withdrizzle.cjs
  has {command -v npm}
  get {sh "$SRC"/npm.sh drizzle-orm@0.45.4 drizzle-kit@0.31.11 \
    better-sqlite3@13.2.0}
  run {NODE_PATH="$OUT"/drizzle/node_modules "$BUILD"/sqlite/node/bin/node \
    "$SRC"/withdrizzle.cjs}
  without adapter
  mode auto
  remark {no version column: `set({ ...changes, version: old.version + 1 })`}
}
client prisma {
  title {Prisma}
  file withprisma.cjs
  has {command -v npm}
  get {echo '{"overrides": {"better-sqlite3": "13.2.0"}}' >package.json
    E=7.10.0-4.0edf323efd1d98336f3f0a68684b56f689b900d3
    npm_config_ignore_scripts=true sh "$SRC"/npm.sh prisma@7.10.0 \
      @prisma/client@7.10.0 @prisma/adapter-better-sqlite3@7.10.0 \
      @prisma/schema-engine-wasm@$E better-sqlite3@13.2.0}
  run {NODE_PATH="$OUT"/prisma/node_modules "$BUILD"/sqlite/node/bin/node \
    --disable-warning=ExperimentalWarning "$SRC"/withprisma.cjs}
  without adapter
  mode auto
  remark {no version column: `data: { ...changes, version: old.version + 1 }`;
    the [text](#prisma) of an error}
}
client kysely {
  title {Kysely}
  file withkysely.cjs
  has {command -v npm}
  get {sh "$SRC"/npm.sh kysely@0.29.9 better-sqlite3@13.2.0}
  run {NODE_PATH="$OUT"/kysely/node_modules "$BUILD"/sqlite/node/bin/node \
    "$SRC"/withkysely.cjs}
  mode auto
  without {rebuilt repaired}
  remark {no version column: `set({ ...changes, version: old.version + 1 })`;
    alters no columns of SQLite; the
    [adapter](#knex-kysely-typeorm)}
}
client objection {
  title {Objection, Knex}
  file withobjection.cjs
  has {command -v npm}
  get {sh "$SRC"/npm.sh knex@3.3.0 objection@3.1.5 better-sqlite3@13.2.0}
  run {NODE_PATH="$OUT"/objection/node_modules "$BUILD"/sqlite/node/bin/node \
    "$SRC"/withobjection.cjs}
  mode auto
  remark {`$beforeUpdate` carries the version: `test/orms/withobjection.cjs`;
    `upsertGraph()` reads the row again and is not checked; the
    [adapter](#knex-kysely-typeorm) of Knex}
}
client activerecord {
  title {ActiveRecord}
  file withactiverecord.rb
  has {ruby -e 'require "active_record"; require "sqlite3"'}
  run {ruby "$SRC"/withactiverecord.rb}
  without adapter
  mode auto
  first 0
  remark {`locking_column`; threads and the query cache:
    [LOCKRECIPES.md](LOCKRECIPES.md#activerecord), or the
    [gem](PACKAGES.md#activerecord)}
}
client sequel {
  title {Sequel}
  file withsequel.rb
  has {ruby -e 'require "sequel"; require "sqlite3"'}
  run {ruby "$SRC"/withsequel.rb}
  without adapter
  mode auto
  remark {plugin `optimistic_locking`; with threads,
    [`Interlock.wait`](LOCKRECIPES.md#ruby)}
}
client doctrine {
  title {Doctrine}
  file withdoctrine.php
  has {php -r 'require "Doctrine/ORM/autoload.php";
    require "Symfony/Component/Cache/autoload.php";
    exit(class_exists("SQLite3") && in_array("sqlite",
      PDO::getAvailableDrivers()) ? 0 : 1);'}
  run {cp "$BUILD"/interlock.so build/interlockauto.so &&
    php -d error_reporting=8191 -d sqlite3.extension_dir="$PWD/build" \
    "$SRC"/withdoctrine.php}
  without adapter
  mode auto
  remark {`#[Version]`; the driver `pdo_sqlite`, since `sqlite3` runs each
    SELECT twice, so that a lock is taken twice; `interlockauto.so` is as with
    [PDO](CLIENTS.md#how-to-load-it)}
}
client hibernate {
  title {Hibernate}
  file WithHibernate.java
  has {command -v javac && command -v mvn}
  get {sh "$SRC"/maven.sh org.hibernate.orm:hibernate-core:6.6.1.Final \
    org.hibernate.orm:hibernate-community-dialects:6.6.1.Final \
    org.xerial:sqlite-jdbc:3.46.1.3}
  make {javac -nowarn -cp 'lib/*' -d . "$SRC"/WithHibernate.java}
  run {java -Djava.util.logging.config.file="$SRC"/logging.properties \
    -cp "$OUT/hibernate:$OUT/hibernate/lib/*" WithHibernate}
  mode auto
  first 0
  without {adapter rebuilt repaired}
  remark {`@Version`; it alters no columns; with HikariCP as its pool\
    `hibernate.hikari.connectionInitSql` in place of\
    `hibernate.connection.init_sql`, which is ignored then; with `parent=` a\
    transaction that saves a parent and its child raises the parent twice:\
    `refresh` it before it is saved again in that Session}
}
client jooq {
  title {jOOQ}
  file WithJooq.java
  has {command -v javac && command -v mvn}
  get {sh "$SRC"/maven.sh org.jooq:jooq:3.19.14 org.xerial:sqlite-jdbc:3.46.1.3}
  make {javac -nowarn -cp 'lib/*' -d . "$SRC"/WithJooq.java}
  run {java -Djava.util.logging.config.file="$SRC"/logging.properties \
    -Dorg.jooq.no-logo=true -Dorg.jooq.no-tips=true \
    -cp "$OUT/jooq:$OUT/jooq/lib/*" WithJooq}
  mode auto
  without {adapter rebuilt repaired}
  remark {`getRecordVersion` and `withExecuteWithOptimisticLocking(true)`; it
    has no migrations}
}
client gorm {
  title {GORM}
  file withgorm.go
  has {command -v gcc && command -v go &&
    [ "$(go env GOVERSION | sed 's/go1\.\([0-9]*\).*/\1/')" -ge 21 ]}
  get {
    cp -p "$SRC"/withgorm.go . && [ -f go.sum ] || {
      rm -f go.mod && go mod init client &&
      go get gorm.io/gorm@v1.31.2 gorm.io/driver/sqlite@v1.6.0 \
        github.com/mattn/go-sqlite3@v1.14.53; }}
  make {[ client -nt withgorm.go ] || go build -buildvcs=false -o client .}
  run {"$OUT"/gorm/client}
  without adapter
  mode auto
  remark {`BeforeUpdate` carries the version, also with `Select` and `Omit`, and
    a callback restores it after a refusal: `test/orms/withgorm.go` and
    [below](#gorm)}
}
client ent {
  title {ent}
  file withent.go
  has {command -v gcc && command -v go &&
    [ "$(go env GOVERSION | sed 's/go1\.\([0-9]*\).*/\1/')" -ge 21 ]}
  get {
    cp -p "$SRC"/withent.go . && mkdir -p ent/schema &&
    { cmp -s "$SRC"/entshop/schema/account.go ent/schema/account.go ||
      cp "$SRC"/entshop/schema/account.go ent/schema; } && [ -f go.sum ] || {
      rm -f go.mod && go mod init client &&
      go get entgo.io/ent/cmd/ent@v0.14.5 \
        github.com/mattn/go-sqlite3@v1.14.53; }}
  make {
    [ ent/client.go -nt ent/schema/account.go ] ||
      go run -mod=mod entgo.io/ent/cmd/ent generate \
        --feature sql/lock,sql/execquery ./ent/schema &&
    { [ client -nt withent.go ] && [ client -nt ent/client.go ] ||
      go build -mod=mod -buildvcs=false -o client .; }}
  run {"$OUT"/ent/client}
  without adapter
  mode auto
  remark {a hook carries the version: `test/orms/entshop/schema/account.go`;
    `ExecContext` needs the feature `sql/execquery`}
}
client diesel {
  title {Diesel}
  file withdiesel.rs
  has {command -v flock && command -v cargo &&
    [ "$(rustc --version | sed 's/rustc 1\.\([0-9]*\).*/\1/')" -ge 94 ]}
  get {sh "$SRC"/cargo.sh get}
  make {sh "$SRC"/cargo.sh make withdiesel}
  run {"$OUT"/cargo/target/debug/withdiesel}
  without adapter
  mode auto
  remark {`save_changes` with `version + 1`: `test/orms/withdiesel.rs`; the
    [crate](PACKAGES.md) links Interlock with the SQLite of `libsqlite3-sys`;
    migrations are SQL}
}
client seaorm {
  title {SeaORM}
  file withseaorm.rs
  has {command -v flock && command -v cargo &&
    [ "$(rustc --version | sed 's/rustc 1\.\([0-9]*\).*/\1/')" -ge 94 ]}
  get {sh "$SRC"/cargo.sh get}
  make {sh "$SRC"/cargo.sh make withseaorm}
  run {"$OUT"/cargo/target/debug/withseaorm}
  dear 1
  mode auto
  without {adapter rebuilt repaired}
  remark {`before_save` carries the version: `test/orms/withseaorm.rs`; the
    feature `load-extension` of `sqlx-sqlite`; it alters no columns}
}
