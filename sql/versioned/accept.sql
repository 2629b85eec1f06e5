-- SPDX-License-Identifier: 0BSD
-- accept: part of `noted`. It notes the UPDATE. A version
-- that is above the row's stays: the key never had it, and its writer goes on
-- from it. Any other becomes the next one of the row.
--
-- The last condition of the UPDATE looks at the row, not at NEW: a trigger of
-- the user's, or `bump_after`, may have raised it. The step is marked, so that
-- it is not noted itself. If a trigger has skipped it, the row would be at a
-- version that its key had before: that is refused.
$note_carried
$if(blind) UPDATE $log SET n=n-1 WHERE kind='blind' AND slot=0 AND n>0
AND $new IS $old;
DELETE FROM $log WHERE kind='blind' AND slot>0 AND key=$key_text
AND $new IS $old AND n>(SELECT n FROM $log WHERE kind='blind' AND slot=0); $end
INSERT INTO $log(kind,slot,key,found) VALUES('',0,$key_text,$was+$step)
ON CONFLICT(kind,slot) DO UPDATE SET key=excluded.key,found=excluded.found;
UPDATE $table SET $version=$was+$step WHERE $self_new AND $is<=$was;
DELETE FROM $log WHERE kind='';
