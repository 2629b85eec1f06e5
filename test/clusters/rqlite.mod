// SPDX-License-Identifier: 0BSD
// rqlite as engines.py builds it; the checksum database of Go vouches for it.
module interlock/clusters

go 1.24.0

tool github.com/rqlite/rqlite/v8/cmd/rqlited

require github.com/rqlite/rqlite/v8 v8.43.4

// As in rqlite's own go.mod, which Go does not follow here.
replace (
	github.com/armon/go-metrics => github.com/hashicorp/go-metrics v0.5.1
	github.com/mattn/go-sqlite3 => github.com/rqlite/go-sqlite3 v1.40.0
)
