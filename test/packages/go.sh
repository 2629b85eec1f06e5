# SPDX-License-Identifier: 0BSD
# go.sh get FILES MODULE@VERSION...: our modules, as Go gets them from the proxy
# that is a folder, into a cache with nothing else, and what the program in
# FILES needs. go.sh make: the program. go.sh version MODULE: which one it has.
set -eu
module=interlock.example/sqlite
version=v$(tclsh "$ROOT"/tool/install/pages.tcl version)
# One for all programs, so that Go compiles our C file once.
cache=$OUT/gocache
gomod=$ROOT/tool/packages/go/migrate/go.mod
modules() {
  changed=
  for name in $module $module/migrate; do
    zip=$name/@v/$version.zip
    cmp -s "$BUILD/packages/go/$zip" "$cache/cache/download/$zip" || changed=1
  done
  if [ -z "$changed" ]; then return; fi
  [ ! -e "$cache" ] || GOMODCACHE=$cache go clean -modcache
  mkdir -p empty
  for name in $module $module/migrate; do
    (cd empty && GOMODCACHE=$cache GOPROXY=file://$BUILD/packages/go \
      GONOSUMDB=$module GOFLAGS=-modcacherw go mod download "$name@$version")
  done
}
get() {
  files=$1
  shift
  # Two programs are got at the same time.
  exec 9>"$OUT"/go.lock
  flock 9
  modules
  exec 9>&-
  for file in $files; do cp -p "$SRC/$file" .; done
  if [ go.sum -nt "$SRC"/go.sh ] && [ go.sum -nt "$gomod" ]; then return; fi
  rm -f go.mod go.sum
  go mod init program
  for name in $module $module/migrate; do
    go mod edit -replace="$name=../gocache/$name@$version"
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
