-- SPDX-License-Identifier: 0BSD
-- The leases of one database file.
--
-- owner    who holds it, or held it last: a text that programs agree on
-- token    of the present or last holder; it only grows
-- expires  unix ms; 0: it was released
CREATE TABLE "interlock_leases"(
  name TEXT NOT NULL PRIMARY KEY,
  owner TEXT NOT NULL,
  token INTEGER NOT NULL CHECK(typeof(token)='integer' AND token>0),
  expires INTEGER NOT NULL CHECK(typeof(expires)='integer' AND expires>=0)
) WITHOUT ROWID
