-- SPDX-License-Identifier: 0BSD
-- refused: part of `check` and `check_others`. It tells why an UPDATE is
-- refused, or skips the row.
SELECT CASE WHEN $old>=$last
  THEN RAISE(ABORT,'version exhausted: $label'$row_at)
  $if(ahead) WHEN NEW.$version>$expected THEN
  RAISE(ABORT,'version ahead: $label$row_sent (do not retry: $convention)') $end
  ELSE $refuse END;
