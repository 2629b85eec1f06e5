-- SPDX-License-Identifier: 0BSD
-- validate, with on_stale=log: a row that begins with no version, or with one
-- that is none, begins at 1 and is noted. If its key was used before, `restore`
-- raises it, before or after this trigger.
CREATE TRIGGER $trigger AFTER INSERT ON $table
WHEN NOT(typeof($new)='integer' AND $new>=0
  AND $new<9223372036854775807)
BEGIN
  SELECT RAISE(ABORT,'version exhausted: $label'$row_new)
  WHERE NEW.$version=9223372036854775807;
  $note_invalid
  INSERT INTO $log(kind,slot,key,found) VALUES('',0,$key_text,1)
  ON CONFLICT(kind,slot) DO UPDATE SET key=excluded.key,found=excluded.found;
  UPDATE $table SET $version=1 WHERE $self_new AND $lowest<0;
  DELETE FROM $log WHERE kind='';
  SELECT RAISE(ABORT,'version not raised: $label'$row_new) FROM $table
  WHERE $self_new AND $lowest<0;
END
