# SPDX-License-Identifier: 0BSD
# The packages, in the order of the page. test/clients/list.tcl says what each
# entry means. `make packages` has been run, so each is in $BUILD/packages;
# `make` installs it, where nothing of Interlock's is.

variable page $home/sql/PACKAGES.md
variable out $build/packages/test
variable facts {
  version {*}
}


client deb {
  title {Debian, the shell}
  file shell.sh
  has {[ "$(id -u)" = 0 ] && unshare --mount true && command -v lintian}
  make {said=$(lintian --allow-root "$BUILD"/packages/deb/*.deb 2>&1)
    echo "$said"
    [ -z "$said" ]}
  run {V=$(tclsh "$ROOT"/tool/install/pages.tcl version)
    sh "$SRC"/installed.sh sh "$SRC"/shell.sh "$V" interlock}
  load {{.load interlock}}
  remark {`make deb`; `dpkg --install build/packages/deb/*.deb`}
}
client debpython {
  title {Debian, Python}
  file program.py
  has {[ "$(id -u)" = 0 ] && unshare --mount true}
  run {V=$(tclsh "$ROOT"/tool/install/pages.tcl version)
    sh "$SRC"/installed.sh /usr/bin/python3 -I "$SRC"/program.py "$V" \
      /usr/lib/python3/dist-packages}
  remark {the package `python3-interlock`}
}
client debc {
  title {Debian, C}
  file program.c
  has {[ "$(id -u)" = 0 ] && unshare --mount true && command -v pkg-config}
  run {V=$(tclsh "$ROOT"/tool/install/pages.tcl version)
    sh "$SRC"/installed.sh sh -c 'gcc -O1 -Wall -Wextra -Werror -DLINKED \
      -DVERSION="\"$2\"" -o program "$1" \
      $(pkg-config --cflags --libs interlock) && ./program' \
      sh "$SRC"/program.c "$V"}
  load {{gcc ... $(pkg-config --cflags --libs interlock)}}
  remark {the program calls `sqlite3_auto_extension`}
}
client wheel {
  title Python
  file program.py
  has {/usr/bin/python3 -m venv --help}
  get {sh "$ROOT"/test/orms/pip.sh auditwheel==6.8.2}
  make {sh "$SRC"/wheel.sh}
  run {V=$(tclsh "$ROOT"/tool/install/pages.tcl version)
    "$OUT"/wheel/venv/bin/python -I "$SRC"/program.py "$V" "$OUT"/wheel/venv}
  remark {`make wheel`;
    `pip install --no-index -f build/packages/wheel sqlite-interlock`}
}
client enable {
  title {Python that loads no extensions}
  file enable.py
  has {/usr/bin/python3 -m venv --help}
  make {/usr/bin/python3 -m venv --clear venv && venv/bin/pip install -q \
    --no-index -f "$BUILD"/packages/wheel sqlite-interlock}
  run {V=$(tclsh "$ROOT"/tool/install/pages.tcl version)
    "$OUT"/enable/venv/bin/python -I "$SRC"/enable.py "$V" "$OUT"/enable/venv}
  remark {every connection that is opened later has Interlock}
}
client dlock {
  title {Python `sqlalchemy-dlock`}
  file dlock.py
  has {/usr/bin/python3 -m venv --help}
  get {sh "$ROOT"/test/orms/pip.sh sqlalchemy-dlock==0.9.0 \
    sqlalchemy==2.1.9 greenlet==3.5.6 aiosqlite==0.22.1}
  make {/usr/bin/python3 -m venv --clear venv && venv/bin/pip install -q \
    --no-index -f "$BUILD"/packages/wheel sqlite-interlock}
  run {V=$(tclsh "$ROOT"/tool/install/pages.tcl version)
    PYTHONPATH="$OUT"/dlock/packages "$OUT"/dlock/venv/bin/python -B \
      "$SRC"/dlock.py "$V" "$OUT"/dlock/venv}
  remark {in the wheel; see [below](#sqlalchemy-dlock)}
}
client npm {
  title {Node `node:sqlite`}
  file program.cjs
  has {command -v npm}
  get {tclsh "$ROOT"/tool/sqlite.tcl node}
  make {sh "$SRC"/npm.sh}
  run {NODE_PATH="$OUT"/npm/node_modules "$BUILD"/sqlite/node/bin/node \
    "$SRC"/program.cjs node:sqlite}
  remark {`make npm`; `npm install build/packages/npm/*.tgz`}
}
client npmsource {
  title {Node `better-sqlite3`}
  file program.cjs
  has {command -v npm}
  get {tclsh "$ROOT"/tool/sqlite.tcl node}
  make {sh "$SRC"/npm.sh compile}
  run {N="$OUT"/npmsource/node_modules
    NODE_PATH="$N:$BUILD"/sqlite/node/lib "$BUILD"/sqlite/node/bin/node \
      "$SRC"/program.cjs better-sqlite3}
  remark {compiled, as on a machine for which there is no library}
}
client gem {
  title Ruby
  file program.rb
  has {command -v gem && ruby -e 'require "sqlite3"'}
  make {rm -rf home && GEM_HOME=$PWD/home /usr/bin/gem install --local \
    --silent --no-document "$BUILD"/packages/gem/*.gem}
  run {GEM_HOME="$OUT"/gem/home /usr/bin/ruby "$SRC"/program.rb}
  remark {`make gem`; `gem install --local build/packages/gem/*.gem`,
    which compiles it}
}
client activerecord {
  title {Ruby `ActiveRecord`}
  file activerecord.rb
  has {command -v gem && ruby -e 'require "active_record"; require "sqlite3"'}
  make {rm -rf home && GEM_HOME=$PWD/home /usr/bin/gem install --local \
    --silent --no-document "$BUILD"/packages/gem/*.gem}
  run {V=$(tclsh "$ROOT"/tool/install/pages.tcl version)
    GEM_HOME="$OUT"/activerecord/home /usr/bin/ruby -W0 \
      "$SRC"/activerecord.rb "$V"}
  remark {of the gem; see [below](#activerecord)}
}
client go {
  title {Go `mattn/go-sqlite3`}
  file program.go
  has {command -v gcc && command -v go &&
    [ "$(go env GOVERSION | sed 's/go1\.\([0-9]*\).*/\1/')" -ge 21 ]}
  get {sh "$SRC"/go.sh get program.go github.com/mattn/go-sqlite3@v1.14.53}
  make {sh "$SRC"/go.sh make}
  run {MATTN=$(cd "$OUT"/go && go list -m -f '{{.Version}}' \
      github.com/mattn/go-sqlite3) "$OUT"/go/program}
  remark {`make go`;
    `GOPROXY=file://$PWD/build/packages/go,$(go env GOPROXY)` and
    `GONOSUMDB=interlock.example/sqlite`; compiled and linked; see
    [below](#go)}
}
client goose {
  title {Go `goose`}
  file withgoose.go
  has {command -v gcc && command -v go &&
    [ "$(go env GOVERSION | sed 's/go1\.\([0-9]*\).*/\1/')" -ge 21 ]}
  get {sh "$SRC"/go.sh get 'migrators.go withgoose.go' \
    github.com/mattn/go-sqlite3@v1.14.53 github.com/pressly/goose/v3@v3.30.1}
  make {sh "$SRC"/go.sh make}
  run {VERSION=$(cd "$OUT"/goose && sh "$SRC"/go.sh version \
      github.com/pressly/goose/v3) "$OUT"/goose/program}
  remark {of the same module; see [below](#goose-and-golang-migrate)}
}
client gomigrate {
  title {Go `golang-migrate`}
  file withmigrate.go
  has {command -v gcc && command -v go &&
    [ "$(go env GOVERSION | sed 's/go1\.\([0-9]*\).*/\1/')" -ge 21 ]}
  get {sh "$SRC"/go.sh get 'migrators.go withmigrate.go' \
    github.com/mattn/go-sqlite3@v1.14.53 \
    github.com/golang-migrate/migrate/v4@v4.20.1}
  make {sh "$SRC"/go.sh make}
  run {VERSION=$(cd "$OUT"/gomigrate && sh "$SRC"/go.sh version \
      github.com/golang-migrate/migrate/v4) "$OUT"/gomigrate/program}
  remark {a module of its own, `interlock.example/sqlite/migrate`; see
    [below](#goose-and-golang-migrate)}
}
client crate {
  title {Rust `rusqlite`}
  file program.rs
  has {command -v cargo &&
    [ "$(rustc --version | sed 's/rustc 1\.\([0-9]*\).*/\1/')" -ge 77 ]}
  get {sh "$SRC"/crate.sh}
  make {RUSQLITE=0.32.1 cargo build --quiet --offline}
  run {"$OUT"/crate/target/debug/program}
  remark {`make crate`; the folder that is in `build/packages/crate/*.crate` as
    a dependency with `path`; compiled and linked}
}
client sqlpkg {
  title {`sqlpkg`}
  file shell.sh
  has {command -v sqlite3}
  make {sh "$SRC"/sqlpkg.sh}
  run {V=$(tclsh "$ROOT"/tool/install/pages.tcl version)
    sh "$SRC"/shell.sh "$V" "$OUT"/sqlpkg/interlock}
  load {{.load .sqlpkg/interlock/interlock/interlock}}
  remark {`make sqlpkg`; in `build/packages/sqlpkg`:
    `sqlpkg install ./sqlpkg.json`}
}
client musl {
  title {C, musl}
  file program.c
  has {command -v musl-gcc && [ "$(uname -m)" = x86_64 ]}
  get {tclsh "$ROOT"/tool/sqlite.tcl amalgamation}
  make {sh "$SRC"/other.sh musllinux_1_2_x86_64 linux-x64-musl musl-gcc}
  run {"$OUT"/musl/program "$OUT"/musl/interlock}
  load {{interlock.so}}
  remark {of the wheel for musl}
}
client arm64 {
  title {C, arm64}
  file program.c
  has {command -v qemu-aarch64 && [ "$(uname -m)" = x86_64 ]}
  get {tclsh "$ROOT"/tool/sqlite.tcl amalgamation}
  make {sh "$SRC"/other.sh manylinux_2_\*_aarch64 linux-arm64-glibc \
    clang --target=aarch64-linux-gnu}
  run {qemu-aarch64 -L /usr/aarch64-linux-gnu "$OUT"/arm64/program \
    "$OUT"/arm64/interlock}
  load {{interlock.so}}
  remark {of the wheel for arm64, under `qemu-aarch64`}
}
# The program is linked by hand, since clang would link it for glibc. musl's
# files for arm64 are there if `make packages` has got them.
client arm64musl {
  title {C, arm64 with musl}
  file program.c
  has {command -v qemu-aarch64 && [ "$(uname -m)" = x86_64 ] &&
    [ -e "$BUILD"/packages/arm64-musl ]}
  get {tclsh "$ROOT"/tool/sqlite.tcl amalgamation}
  make {root="$BUILD"/packages/arm64-musl
    LIBRARIES=$(echo -lc /usr/lib/gcc-cross/aarch64-linux-gnu/*/libgcc.a) \
      sh "$SRC"/other.sh musllinux_1_2_aarch64 linux-arm64-musl \
      clang --target=aarch64-linux-musl --sysroot="$root" \
      --gcc-toolchain="$root" --ld-path=aarch64-linux-gnu-ld -nostdlib \
      -no-pie "$root"/usr/lib/crt1.o}
  run {qemu-aarch64 -L "$BUILD"/packages/arm64-musl "$OUT"/arm64musl/program \
    "$OUT"/arm64musl/interlock}
  load {{interlock.so}}
  remark {of the wheel for arm64 with musl, under `qemu-aarch64` with Debian's
    musl for arm64}
}
