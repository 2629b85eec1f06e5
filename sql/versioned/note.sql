-- SPDX-License-Identifier: 0BSD
-- note: part of the triggers of on_stale=log. It counts one row, and keeps it
-- as an example in place of the oldest one of its kind.
--
-- There is no OR clause: that of the outer statement would override it.
INSERT INTO $log(kind,slot,n) SELECT $kind,0,1 WHERE $where
ON CONFLICT(kind,slot) DO UPDATE SET n=n+1;
INSERT INTO $log(kind,slot,n,key,carried,found,at)
SELECT kind,1+(n-1)%$examples,n,$key_text,$carried,$found,$now
FROM $log WHERE kind=$kind AND slot=0 AND $where
ON CONFLICT(kind,slot) DO UPDATE SET n=excluded.n,key=excluded.key,
carried=excluded.carried,found=excluded.found,at=excluded.at;
