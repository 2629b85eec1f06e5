# SPDX-License-Identifier: 0BSD
# maven.sh GROUP:NAME:VERSION...: these, and what they need, into ./lib, unless
# they are there.
set -eu
ready=$(echo "$*" | tr ' ' ,)
[ ! -e "lib/ready,$ready" ] || exit 0
rm -rf lib
{
  echo '<project xmlns="http://maven.apache.org/POM/4.0.0">'
  echo '<modelVersion>4.0.0</modelVersion><groupId>shop</groupId>'
  echo '<artifactId>shop</artifactId><version>1</version><dependencies>'
  for library in "$@"; do
    echo "$library" | sed 's|\(.*\):\(.*\):\(.*\)|<dependency><groupId>\1\
</groupId><artifactId>\2</artifactId><version>\3</version></dependency>|'
  done
  echo '</dependencies></project>'
} >pom.xml
mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib
touch "lib/ready,$ready"
