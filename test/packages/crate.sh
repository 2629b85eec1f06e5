# SPDX-License-Identifier: 0BSD
# crate.sh: a program with the crate, and what both need.
set -eu
version=$(tclsh "$ROOT"/tool/install/pages.tcl version)
rm -rf sqlite-interlock-*
tar -xzf "$BUILD"/packages/crate/sqlite-interlock-"$version".crate
mkdir -p src
cp "$SRC"/program.rs src/main.rs
cat >Cargo.toml <<END
[package]
name = "program"
version = "0.1.0"
edition = "2021"
[dependencies]
rusqlite = { version = "=0.32.1", features = ["bundled"] }
sqlite-interlock = { path = "sqlite-interlock-$version" }
END
cargo fetch --quiet
