-- SPDX-License-Identifier: 0BSD
-- own_step: part of the triggers of on_stale=log. It tells an UPDATE by which
-- Interlock itself gives a row a version: `lift`, `settle`, or a trigger of the
-- log, whose step is marked and goes up.
($same_key AND EXISTS(SELECT 1 FROM $tombstones WHERE $tombstone_new
AND version>=$was AND NEW.$version IS version+$step))
$if(own) OR (NEW.$version<$old AND EXISTS(SELECT 1 FROM $tombstones
WHERE $tombstone_new AND at=-1-NEW.$version)) $end
OR (NEW.$version>$was AND EXISTS(SELECT 1 FROM $log WHERE kind='' AND slot=0
AND key=$key_text AND found=NEW.$version))
