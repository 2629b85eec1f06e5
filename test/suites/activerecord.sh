# SPDX-License-Identifier: 0BSD
# activerecord.sh VERSION: those of ActiveRecord's tests that have to do with
# versions, locks and migrations, in the folder in which this runs. They are of
# the version that Debian has installed, which must be one of VERSION, or the
# suite is skipped, and come from Debian's sources of it. apt reads a list of
# its own for them: the lists of the machine stay as they are.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
version=$1
installed=$(dpkg-query -W -f '${source:Upstream-Version}' ruby-activerecord)
case $installed in
  "$version".*) ;;
  *) echo "Debian has ${installed%%+*}"
     exit 101 ;;
esac
if [ ! -e ready ]; then
  mkdir -p apt/lists/partial apt/cache/archives/partial
  apt-get indextargets --format \
    'deb-src $(REPO_URI) $(RELEASE) $(COMPONENT)' \
    'Created-By: Packages' 'Origin: Debian' >apt/sources.list
  own_apt() {
    apt-get -qq -o Dir::Etc::SourceList="$PWD/apt/sources.list" \
      -o Dir::Etc::SourceParts=- -o Dir::State::Lists="$PWD/apt/lists" \
      -o Dir::Cache="$PWD/apt/cache" "$@"
  }
  own_apt update
  own_apt source --download-only --tar-only rails
  rm -rf rails
  # It needs no xz, which a small Debian is without.
  /usr/bin/python3 -m tarfile -e "rails_$installed.orig.tar.xz" rails
  touch ready
fi
cd rails/*/activerecord
rm -f test/fixtures/*.sqlite3*
for file in locking persistence counter_cache timestamp transactions \
            migration adapter; do
  ARCONN=sqlite3 /usr/bin/ruby -W0 -I test -I . \
    -r "$here/interlock_activerecord.rb" \
    "test/cases/${file}_test.rb" -s 1 || true
done
