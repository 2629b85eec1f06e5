module @MODULE@/migrate

go 1.21

require (
	@MODULE@ v@VERSION@
	github.com/golang-migrate/migrate/v4 v4.17.1
	github.com/mattn/go-sqlite3 v1.14.53
)
