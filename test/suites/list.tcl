# SPDX-License-Identifier: 0BSD
# The suites. README.md in this folder says what an entry means.

suite sqlalchemy-1.4 {
  run {sh "$SRC"/sqlalchemy.sh 1.4.54}
  options {auto tombstones=off null=0 step=any}
  passed 58
  fails {
    NullVersionIdTest.test_null_version_id_update {
      sets the version to NULL and expects that SQLAlchemy refuses the row after
      it was written; here the write itself is a `stale write:`
    }
  }
}
suite sqlalchemy-2.0 {
  run {sh "$SRC"/sqlalchemy.sh 2.0.43}
  options {auto tombstones=off null=0 step=any}
  passed 58
  fails {
    NullVersionIdTest.test_null_version_id_update {
      as above
    }
    PostUpdateVersioningTest.test_bumped_version_id_on_update {
      with `post_update` the new row is written once more without a version,
      which raises it
    }
    PostUpdateVersioningTest.test_bumped_version_id_on_delete {
      as above
    }
  }
}
suite sqlalchemy-2.0-log {
  run {sh "$SRC"/sqlalchemy.sh 2.0.43}
  options {strict on_stale=log tombstones=off null=0}
  passed 59
  fails {
    PostUpdateVersioningTest.test_bumped_version_id_on_update {
      as above
    }
    PostUpdateVersioningTest.test_bumped_version_id_on_delete {
      as above
    }
  }
}
suite activerecord-6.1 {
  run {sh "$SRC"/activerecord.sh 6.1}
  options {auto tombstones=off null=0}
  passed 409
  fails {
    TimestampTest.test_changing_parent_of_a_record_touches_both_new_and_old_* {
      writes with `update_columns`, which sends no version and raises it, and
      then touches a row that was read before
    }
    ActiveRecord::AdapterTest.test_current_database {
      expects the name of the file; the adapter says `main`, so that Rails' lock
      for migrations is the same one under each name of a file
    }
  }
}
