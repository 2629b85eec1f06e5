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
  of activerecord
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
suite activerecord-7.2 {
  of activerecord
  run {sh "$SRC"/activerecord.sh 7.2}
  options {auto tombstones=off null=0}
  passed 525
  fails {
    TimestampTest.test_changing_parent_of_a_record_touches_both_new_and_old_* {
      as above
    }
    ActiveRecord::AdapterTest.test_current_database {
      as above
    }
  }
}
suite django-concurrency {
  run {sh "$SRC"/django_concurrency.sh 2.6.0}
  options {auto tombstones=off step=any}
  passed 122
  fails {
    test_manager.test_update[* {
      writes without the version and expects that the row keeps it; mode `auto`
      raises it
    }
    test_base.test_update_fields[* {
      as above
    }
    test_conditional.test_standard_save {
      a field that keeps the version where no checked column has changed, and so
      writes it back as it was read: neither `auto` nor `echo`
    }
    test_conditional.test_save_allowed {
      as above
    }
    test_conditional.test_self_relations {
      as above
    }
    test_enable_disable.test_disable_concurrency_global {
      switches the check of the ORM off and expects that a stale write passes
    }
    test_enable_disable.test_concurrency_disable_increment {
      switches the raise of the version off, so that it is written back as it
      was read
    }
    test_enable_disable.test_concurrency_disable_increment_on_class {
      as above
    }
    test_enable_disable.test_concurrency_disable_increment_as_decorator {
      as above
    }
    test_base.test_do_not_check_if_no_version[AutoIncConcurrentModel] {
      sends 1 over a later version; an object without a version is not checked
      by the ORM
    }
    test_issues.test_issue_54 {
      takes the versions of all rows back to 0
    }
    test_triggerversionfield.test_trigger {
      a field with triggers of its own that write the version
    }
    test_triggerversionfield.test_trigger_external_create {
      as above
    }
    test_triggerversionfield.test_trigger_external_update {
      as above
    }
  }
}
suite django-concurrency-beside {
  run {sh "$SRC"/django_concurrency.sh 2.6.0 interlock_version}
  options {auto}
  passed 145
  fails {
    test_triggerversionfield.test_trigger_external_update {
      its trigger has no list of columns, and raises its version once more when
      Interlock raises the column that is beside it
    }
  }
}

# Locks. Nothing is declared, and each test passes.
suite filelock {
  run {sh "$SRC"/filelock.sh 3.25.2}
  options {}
  passed 93
  fails {}
}
suite fasteners {
  run {sh "$SRC"/fasteners.sh 0.20}
  options {}
  passed 19
  fails {}
}
suite dlock-postgresql {
  run {sh "$SRC"/dlock.sh postgresql}
  options {}
  passed 23
  fails {}
}
suite dlock-mysql {
  run {sh "$SRC"/dlock.sh mysql}
  options {}
  passed 23
  fails {}
}
