# SPDX-License-Identifier: 0BSD
# The clients, in the order of the page. Data for tool/clients.tcl.
#
#   client NAME {
#     title   in sql/CLIENTS.md
#     file    the program in this folder; its marked lines are in the page
#     has     whether the machine has what it needs; if not, it is skipped
#     get     what gets it from a registry; if that fails, it is skipped
#     make    what builds it
#     run     what runs it, in a folder with shop.db and build/interlock.so
#     load    what loads it, where that is not in the program
#     remark  for the page
#     portable  1: it loads no extension; only a stale and a fenced write are
#             tried
#     dear    1: it takes a minute or more to build; see tool/clients.tcl
#   }
#
# All but the first two are for sh; has, get and make run in a folder that is
# kept, $OUT/NAME. SRC is this folder, ROOT the tree, BUILD the folder of what
# is built, in which `make dist` has been run.

client shell {
  title {`sqlite3` shell}
  file shell.sh
  has {command -v sqlite3}
  run {sh "$SRC"/shell.sh}
  remark {newer shells (3.53) print `Error near line 6:`, and no code}
}
client c {
  title C
  file client.c
  has {command -v gcc}
  make {gcc -O1 -Wall -Wextra -Werror -o client "$SRC"/client.c -lsqlite3}
  run {"$OUT"/c/client}
  remark {`sqlite3_errmsg` has the text}
}
client cplusplus {
  title {C++, Interlock linked}
  file client.cc
  has {command -v g++}
  make {
    cp "$BUILD"/dist/*/interlock.? . &&
    gcc -O1 -DSQLITE_CORE -c interlock.c &&
    g++ -O1 -Wall -Wextra -Werror -I. -o client "$SRC"/client.cc interlock.o \
      -lsqlite3 -lpthread -ldl}
  run {"$OUT"/cplusplus/client}
  remark {`make dist` makes `interlock.c` and `interlock.h`}
}
client tcl {
  title Tcl
  file client.tcl
  has {echo 'exit [catch {package require sqlite3}]' | tclsh}
  run {tclsh "$SRC"/client.tcl}
  remark {`db errorcode` is 19 or 5}
}
client python {
  title {Python `sqlite3`}
  file python.py
  has {/usr/bin/python3 -c "
import sqlite3
sqlite3.Connection.enable_load_extension"}
  run {/usr/bin/python3 "$SRC"/python.py}
  remark {`sqlite_errorcode` from Python 3.11 on; earlier, look at `str(e)`}
}
client apsw {
  title {Python `apsw`}
  file withapsw.py
  has {/usr/bin/python3 -c 'import apsw'}
  run {/usr/bin/python3 "$SRC"/withapsw.py}
  remark {the class comes before the text: `args[0]` of the error}
}
client aiosqlite {
  title {Python `aiosqlite`}
  file asyncpy.py
  has {/usr/bin/python3 -c 'import aiosqlite'}
  run {/usr/bin/python3 "$SRC"/asyncpy.py}
  remark {a wait does not stop the event loop}
}
client perl {
  title {Perl DBD::SQLite}
  file client.pl
  has {perl -MDBD::SQLite -e 1}
  run {perl "$SRC"/client.pl}
  remark {`$DBI::err` is 19 or 5 without `sqlite_extended_result_codes`}
}
client php {
  title {PHP SQLite3}
  file sqlite3.php
  has {php -r 'exit(class_exists("SQLite3") ? 0 : 1);'}
  run {php -d sqlite3.extension_dir="$BUILD" "$SRC"/sqlite3.php}
  remark {`sqlite3.extension_dir` in php.ini must name the folder;
    only `querySingle` and `exec` run a statement once (`query`, and `execute`
    of a statement, run it, and `fetchArray` runs it again: a lock is taken
    twice); `querySingle` returns `false` after an error unless exceptions are
    on; from PHP 8.3 on they are `SQLite3Exception`, a kind of `Exception`}
}
client pdo {
  title {PHP PDO}
  file pdo.php
  has {php -r 'exit(class_exists("SQLite3") && in_array("sqlite",
    PDO::getAvailableDrivers()) ? 0 : 1);'}
  run {cp "$BUILD"/interlock.so build/interlockauto.so &&
    php -d sqlite3.extension_dir="$PWD/build" "$SRC"/pdo.php}
  remark {`interlockauto.so` is a copy of `interlock.so`, not a symbolic link:
    PHP would take the name that the link stands for; from PHP 8.4 on
    `Pdo\Sqlite` has `loadExtension`}
}
client ruby {
  title {Ruby `sqlite3`}
  file client.rb
  has {ruby -e 'require "sqlite3"'}
  run {ruby "$SRC"/client.rb}
  remark {`e.code` is 19 or 5 without `extended_result_codes`}
}
client node {
  title {Node `node:sqlite`}
  file node.mjs
  get {tclsh "$ROOT"/tool/sqlite.tcl node}
  run {"$BUILD"/sqlite/node/bin/node "$SRC"/node.mjs}
  remark {Node 22 and newer; numbers are REAL, and a whole one is the INTEGER
    key}
}
client better {
  title {Node `better-sqlite3`}
  file better.cjs
  get {tclsh "$ROOT"/tool/sqlite.tcl node}
  run {NODE_PATH="$BUILD"/sqlite/node/lib "$BUILD"/sqlite/node/bin/node \
    "$SRC"/better.cjs better-sqlite3}
  remark {has no name for the code of a timeout}
}
client npmsqlite3 {
  title {Node `sqlite3`}
  file sqlite3.cjs
  has {command -v node && command -v npm}
  get {[ -d node_modules/sqlite3/build ] || npm install --silent --no-save \
    --prefix . sqlite3@6.0.1}
  run {NODE_PATH="$OUT"/npmsqlite3/node_modules node "$SRC"/sqlite3.cjs}
  remark {`e.errno` is 19 or 5}
}
client libsql {
  title {Node `libsql`}
  file better.cjs
  get {tclsh "$ROOT"/tool/sqlite.tcl node &&
    { [ -d node_modules/libsql ] ||
      npm install --silent --no-save --prefix . libsql@0.5.29; }}
  run {NODE_PATH="$OUT"/libsql/node_modules "$BUILD"/sqlite/node/bin/node \
    "$SRC"/better.cjs libsql}
  remark {has no name for the code of a timeout}
}
client libsqlclient {
  title {Node `@libsql/client`}
  file libsqlclient.mjs
  get {tclsh "$ROOT"/tool/sqlite.tcl node &&
    { [ -d node_modules/@libsql/client ] || npm install --silent --no-save \
      --prefix . @libsql/client@0.18.0; }}
  run {cp "$BUILD"/interlock.so build/interlockauto.so &&
    NODE_PATH="$OUT"/libsqlclient/node_modules "$BUILD"/sqlite/node/bin/node \
      "$SRC"/libsqlclient.mjs}
  remark {`interlockauto.so` is a copy of `interlock.so`}
}
client bun {
  title {Bun `bun:sqlite`}
  file bun.mjs
  has {command -v npm}
  get {[ -e node_modules/.bin/bun ] || npm install --silent --no-save \
    --prefix . bun@1.4.4}
  run {"$OUT"/bun/node_modules/.bin/bun "$SRC"/bun.mjs}
}
client deno {
  title {Deno `node:sqlite`}
  file node.mjs
  has {command -v npm}
  get {[ -e node_modules/.bin/deno ] || npm install --silent --no-save \
    --prefix . deno@2.9.6}
  run {RUNTIME=Deno "$OUT"/deno/node_modules/.bin/deno run --allow-env \
    --allow-ffi --allow-read --allow-write "$SRC"/node.mjs}
  remark {`--allow-ffi`}
}
client go {
  title {Go `mattn/go-sqlite3`}
  file client.go
  has {command -v gcc && command -v go &&
    [ "$(go env GOVERSION | sed 's/go1\.\([0-9]*\).*/\1/')" -ge 21 ]}
  get {
    cp -p "$SRC"/client.go . && [ -f go.sum ] || {
      rm -f go.mod && go mod init client &&
      go get github.com/mattn/go-sqlite3@v1.14.53; }}
  make {[ client -nt client.go ] || go build -buildvcs=false -o client .}
  run {MATTN=$(cd "$OUT"/go && go list -m -f '{{.Version}}' \
      github.com/mattn/go-sqlite3) "$OUT"/go/client}
  remark {`Extensions` are loaded into each connection of the pool; `Exec`
    evaluates only the first row of a SELECT: call [lock
    functions](LOCKRECIPES.md#go) by `QueryRow`}
}
client rust {
  title {Rust `rusqlite`}
  file client.rs
  has {command -v cargo &&
    [ "$(rustc --version | sed 's/rustc 1\.\([0-9]*\).*/\1/')" -ge 77 ]}
  get {
    mkdir -p src && cp "$SRC"/client.rs src/main.rs && [ -f Cargo.lock ] || {
      cat >Cargo.toml <<'END'
[package]
name = "client"
version = "0.1.0"
edition = "2021"
[dependencies]
rusqlite = { version = "=0.32.1", features = ["load_extension", "bundled"] }
END
      cargo fetch --quiet; }}
  make {RUSQLITE=0.32.1 cargo build --quiet --offline}
  run {"$OUT"/rust/target/debug/client}
  remark {feature `load_extension`;\
    [lock functions](#java-and-rust) by `query_row`}
}
client sqlx {
  title {Rust `sqlx`}
  file withsqlx.rs
  has {command -v cargo &&
    [ "$(rustc --version | sed 's/rustc 1\.\([0-9]*\).*/\1/')" -ge 94 ]}
  get {
    mkdir -p src && cp "$SRC"/withsqlx.rs src/main.rs && [ -f Cargo.lock ] || {
      cat >Cargo.toml <<'END'
[package]
name = "client"
version = "0.1.0"
edition = "2021"
[dependencies]
sqlx = { version = "=0.9.0", default-features = false, features = [
  "runtime-tokio", "sqlite-bundled", "sqlite-load-extension"] }
tokio = { version = "1", features = ["rt", "macros"] }
[profile.dev]
debug = false
incremental = false
END
      cargo fetch --quiet --target "$(rustc -vV | sed -n "s/^host: //p")"; }}
  make {SQLX=0.9.0 cargo build --quiet --offline}
  run {"$OUT"/sqlx/target/debug/client}
  remark {feature `sqlite-load-extension`}
}
client java {
  title {Java `sqlite-jdbc`}
  file Client.java
  has {command -v javac && [ -e /usr/share/java/xerial-sqlite-jdbc.jar ]}
  make {javac -cp /usr/share/java/xerial-sqlite-jdbc.jar -d . \
    "$SRC"/Client.java}
  run {java -cp "$OUT"/java:/usr/share/java/xerial-sqlite-jdbc.jar \
    -Djava.library.path=/usr/lib/jni:/usr/lib/x86_64-linux-gnu/jni Client}
  remark {in a URL: `?enable_load_extension=true`; `getErrorCode` is 19 or 5;\
    [lock functions](#java-and-rust) by `executeQuery` and `getLong`}
}
client lua {
  title {Lua `DBI`}
  file client.lua
  has {command -v lua5.4 && command -v gcc &&
    echo 'require("luasql.sqlite3") require("DBI")' | lua5.4 -}
  make {
    cp "$BUILD"/dist/*/interlock.h . &&
    gcc -shared -fPIC -I. -o preload.so "$SRC"/preload.c \
      -L"$BUILD" -l:interlock.so -Wl,-rpath,"$BUILD" -lsqlite3}
  run {cp "$OUT"/lua/preload.so . &&
    LD_PRELOAD=./preload.so lua5.4 "$SRC"/client.lua}
  load {{LD_PRELOAD=./preload.so lua ...}}
  remark {`test/clients/preload.c`, compiled and named in `LD_PRELOAD`, gives
    Interlock to every connection, in any program that uses the system's SQLite.
    LuaSQL runs a SELECT twice, and takes each lock twice}
}
client r {
  title {R `RSQLite`}
  file client.R
  has {command -v Rscript && Rscript -e 'library(RSQLite)'}
  run {Rscript "$SRC"/client.R}
  remark {`dbExecute` counts the rows that triggers change, too}
}
client ocaml {
  title {OCaml `sqlite3`}
  file client.ml
  has {[ -e "$(ocamlopt -where)"/sqlite3/sqlite3.cmxa ]}
  make {cp "$SRC"/client.ml . &&
    ocamlopt -I +sqlite3 sqlite3.cmxa client.ml -o client}
  run {"$OUT"/ocaml/client}
  remark {`Rc.t` is CONSTRAINT or BUSY}
}
client erlang {
  title {Erlang `p1_sqlite3`}
  file client.escript
  has {command -v escript && erl -noshell -eval \
    '{module, _} = code:load_file(sqlite3), halt().'}
  run {escript "$SRC"/client.escript}
  remark {a call waits for 5 s unless it is `sql_exec_timeout`}
}
client lisp {
  title {Common Lisp `cl-sqlite`}
  file client.lisp
  has {command -v sbcl && [ -e /usr/share/common-lisp/systems/sqlite.asd ]}
  make {XDG_CACHE_HOME="$OUT"/lisp sbcl --noinform --non-interactive \
    --eval '(require :asdf)' --eval '(asdf:load-system :sqlite)'}
  run {XDG_CACHE_HOME="$OUT"/lisp sbcl --script "$SRC"/client.lisp}
  remark {no call for the first line: `cffi` makes it}
}
client wasm {
  title {Node `node-sqlite3-wasm`}
  file wasm.cjs
  has {command -v node && command -v npm}
  get {[ -d node_modules/node-sqlite3-wasm ] || npm install --silent --no-save \
    --prefix . node-sqlite3-wasm@0.8.60}
  run {NODE_PATH="$OUT"/wasm/node_modules node "$SRC"/wasm.cjs}
  portable 1
}
client sqljs {
  title {`sql.js`}
  file sqljs.cjs
  has {command -v node && command -v npm}
  get {[ -d node_modules/sql.js ] || npm install --silent --no-save \
    --prefix . sql.js@1.16.0}
  run {NODE_PATH="$OUT"/sqljs/node_modules node "$SRC"/sqljs.cjs}
  portable 1
}
client modernc {
  title {Go `modernc.org/sqlite`}
  file modernc.go
  has {command -v go &&
    [ "$(go env GOVERSION | sed 's/go1\.\([0-9]*\).*/\1/')" -ge 21 ]}
  get {
    cp -p "$SRC"/modernc.go . && [ -f go.sum ] || {
      rm -f go.mod && go mod init client &&
      go get modernc.org/sqlite@v1.62.0; }}
  make {[ client -nt modernc.go ] || go build -buildvcs=false -o client .}
  run {MODERNC=$(cd "$OUT"/modernc && go list -m -f '{{.Version}}' \
      modernc.org/sqlite) "$OUT"/modernc/client}
  portable 1
}
