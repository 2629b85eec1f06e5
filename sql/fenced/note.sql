-- SPDX-License-Identifier: 0BSD
-- note: with a lease, an UPDATE that sets the token leaves a note for `taken`.
CREATE TRIGGER $trigger BEFORE UPDATE OF $token ON $table
BEGIN
  INSERT INTO $side($keys) VALUES($key_old) ON CONFLICT($keys) DO NOTHING;
END
