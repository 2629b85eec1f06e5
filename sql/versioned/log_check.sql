-- SPDX-License-Identifier: 0BSD
-- check, with on_stale=log: an UPDATE is refused only if there is no next
-- version. It also tells the options, as `check` does.
CREATE TRIGGER $trigger BEFORE UPDATE OF $version ON $table $options
WHEN typeof($old)='integer' AND $old>=$last AND NOT($own_step)
BEGIN
  SELECT RAISE(ABORT,'version exhausted: $label'$row_at);
END
