# SPDX-License-Identifier: 0BSD
# sqlpkg.sh: does what sqlpkg does with the file: finds the archive for this
# machine, compares its checksum, and unpacks it.
set -eu
cd "$BUILD"/packages/sqlpkg
sha256sum --quiet --check checksums.txt
[ "$(wc -l <checksums.txt)" = "$(ls ./*.tar.gz | wc -l)" ]
file=$(/usr/bin/python3 -c '
import json, platform
package = json.load(open("sqlpkg.json"))
machine = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
assets = package["assets"]
print(assets["path"] + assets["files"]["linux-" + machine])
')
tar -xzf "$file" -C "$OLDPWD"
