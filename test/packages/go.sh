# SPDX-License-Identifier: 0BSD
# go.sh get: the module, as Go gets it from the proxy that is a folder, into a
# cache of its own, and the driver. go.sh make: the program.
set -eu
module=interlock.example/sqlite
version=v$(tclsh "$ROOT"/tool/install/pages.tcl version)
cache=$PWD/cache
case $1 in
  get)
    [ ! -e cache ] || GOMODCACHE=$cache go clean -modcache
    mkdir -p empty
    (cd empty && GOMODCACHE=$cache GOPROXY=file://$BUILD/packages/go \
      GONOSUMDB=$module GOFLAGS=-modcacherw go mod download $module@$version)
    cp -p "$SRC"/program.go .
    [ ! -f go.sum ] || exit 0
    rm -f go.mod
    go mod init program
    # The driver is that of the other programs, which has been compiled.
    go mod edit -require=$module@$version \
      -replace=$module=./cache/$module@$version
    go get github.com/mattn/go-sqlite3@v1.14.53
    ;;
  make) go build -buildvcs=false -o program . ;;
esac
