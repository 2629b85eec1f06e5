# SPDX-License-Identifier: 0BSD
# cargo.sh get: the crates that the programs in Rust need, in one workspace,
# $OUT/cargo, so that SQLite and what else they share is compiled once, and our
# crate. cargo.sh make NAME: a program.
set -eu
mkdir -p "$OUT"/cargo
cd "$OUT"/cargo

# With the same features in both programs, SQLite is compiled once.
manifest() {
  cat <<END
[package]
name = "$1"
version = "0.1.0"
edition = "2021"
[dependencies.libsqlite3-sys]
version = "=0.37.0"
features = ["bundled", "bundled_bindings", "pkg-config", "vcpkg"]
[dependencies]
END
  cat <&3
}
# Leaves a file that is the same, since cargo compares times.
copy() { cmp -s "$1" "$2" || cp "$1" "$2"; }
get() {
  version=$(tclsh "$ROOT"/tool/install/pages.tcl version)
  tclsh "$ROOT"/tool/packages.tcl crate
  rm -rf new
  mkdir -p new diesel/src seaorm/src
  tar -xzmf "$BUILD"/packages/crate/sqlite-interlock-"$version".crate \
    -C new --strip-components=1
  if ! diff -r new sqlite-interlock >/dev/null 2>&1; then
    rm -rf sqlite-interlock
    mv new sqlite-interlock
  fi
  for name in diesel seaorm; do
    copy "$SRC"/steps.rs $name/src/steps.rs
    copy "$SRC"/with$name.rs $name/src/main.rs
  done
  if [ -f Cargo.lock ] && [ Cargo.lock -nt "$SRC"/cargo.sh ]; then return; fi
  rm -f Cargo.lock
  cat >Cargo.toml <<'END'
[workspace]
members = ["diesel", "seaorm"]
exclude = ["sqlite-interlock"]
resolver = "2"
[profile.dev]
debug = false
incremental = false
END
  manifest withdiesel 3<<'END' >diesel/Cargo.toml
diesel = { version = "=2.3.14", default-features = false, features = [
  "sqlite", "r2d2", "32-column-tables", "returning_clauses_for_sqlite_3_35"] }
diesel_migrations = "=2.3.2"
sqlite-interlock = { path = "../sqlite-interlock" }
END
  manifest withseaorm 3<<'END' >seaorm/Cargo.toml
sea-orm = { version = "=2.0.4", default-features = false, features = [
  "macros", "sqlx-sqlite", "runtime-tokio", "schema-sync",
  "sqlite-use-returning-for-3_35"] }
sqlx-sqlite = { version = "=0.9.0", default-features = false, features = [
  "bundled", "load-extension"] }
tokio = { version = "1", features = ["rt", "macros"] }
END
  cargo fetch --quiet --target "$(rustc -vV | sed -n "s/^host: //p")"
}
case $1 in
  get)
    # Two programs are got at the same time.
    exec 9>lock
    flock 9
    get
    ;;
  make)
    DIESEL=2.3.14 SEAORM=2.0.4 cargo build --quiet --offline --package "$2"
    ;;
esac
