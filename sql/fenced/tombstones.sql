-- SPDX-License-Identifier: 0BSD
-- The side table of a table that is fenced without a lease: under each key that
-- is dead, or was about to be replaced, the token that its row had.
CREATE TABLE $side($key_columns, token INTEGER $key_end
