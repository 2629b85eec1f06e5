# SPDX-License-Identifier: 0BSD
# go.sh get FILES MODULE@VERSION...: our modules, as Go gets them from the proxy
# that is a folder, into a cache of their own, and what the program in FILES
# needs. go.sh make: the program. go.sh version MODULE: which one it has.
set -eu
module=interlock.example/sqlite
version=v$(tclsh "$ROOT"/tool/install/pages.tcl version)
cache=$PWD/cache
get() {
  files=$1
  shift
  [ ! -e cache ] || GOMODCACHE=$cache go clean -modcache
  mkdir -p empty
  (cd empty && for name in $module $module/migrate; do
    # Only ours: what they need is in the cache of the other programs.
    [ -e "$cache/$name@$version" ] ||
      GOMODCACHE=$cache GOPROXY=file://$BUILD/packages/go \
        GONOSUMDB=$module GOFLAGS=-modcacherw go mod download "$name@$version"
  done)
  for file in $files; do cp -p "$SRC/$file" .; done
  if [ -f go.sum ] && [ go.sum -nt "$SRC"/go.sh ]; then return; fi
  rm -f go.mod go.sum
  go mod init program
  for name in $module $module/migrate; do
    go mod edit -replace="$name=./cache/$name@$version"
  done
  go mod edit -require="$module@$version"
  case $files in
    *withmigrate*) go mod edit -require="$module/migrate@$version" ;;
  esac
  go get "$@"
}
case $1 in
  get)
    shift
    get "$@"
    ;;
  make) go build -buildvcs=false -o program . ;;
  version) go list -m -f '{{.Version}}' "$2" ;;
esac
