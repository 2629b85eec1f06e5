#!/usr/bin/env escript
%% SPDX-License-Identifier: 0BSD

exec(Sql) -> sqlite3:sql_exec_timeout(db, Sql, infinity).
one(Sql) ->
    case exec(Sql) of
        [{columns, _}, {rows, [Row | _]}] -> text(element(1, Row));
        Other -> Other
    end.
text(X) when is_integer(X) -> integer_to_list(X);
text(X) when is_binary(X) -> binary_to_list(X);
text(X) -> X.
number(true) -> 1;
number(false) -> 0.
message({error, _, Message}) -> Message;
message([{columns, _}, {rows, _}, {error, _, Message}]) -> Message;
message(Other) -> io_lib:format("~p", [Other]).

main(_) ->
    {ok, _} = sqlite3:open(db, [{file, "shop.db"}]),
    sqlite3:enable_load_extension(db, 1), %:load
    sqlite3:sql_exec(db, "SELECT load_extension('./build/interlock')"), %:load
    io:format("loaded ~s~n", [one("SELECT interlock_version() <> ''")]),
    application:load(sqlite3),
    {ok, Version} = application:get_key(sqlite3, vsn),
    io:format("~~version p1_sqlite3 ~s, SQLite ~s~n",
              [Version, one("SELECT sqlite_version()")]),
    io:format("declared ~s~n", [one("SELECT versioned('account')")]),
    Stale = exec("UPDATE account SET balance = 0, version = 0"),
    io:format("~~stale ~0p~n", [Stale]),
    IsStale =
        lists:prefix("stale write:", message(Stale)), %:stale
    io:format("stale ~p~n", [number(IsStale)]),
    io:format("locked ~s~n", [one("SELECT advisory_lock('invoices') > 0")]),
    io:format("tried ~s~n", [one("SELECT try_advisory_lock('printer')")]),
    io:format("number ~s~n", [one("SELECT try_advisory_lock(42)")]),
    io:format("jobs ~s~n",
      [one("SELECT skip_locked('job', 2, 'state = ''ready''', 'id')")]),
    io:format("leased ~s~n",
      [one("SELECT lease_acquire('report', 'client', 60000) > 0")]),
    Fenced = exec("UPDATE report SET text = 'late', token = 1"),
    io:format("~~fenced ~0p~n", [Fenced]),
    IsFenced =
        lists:prefix("fenced:", message(Fenced)), %:fenced
    io:format("fenced ~p~n", [number(IsFenced)]),
    one("SELECT advisory_lock_timeout(50)"),
    Timeout = exec("SELECT advisory_lock('printer')"),
    io:format("~~timeout ~0p~n", [Timeout]),
    IsTimeout =
        lists:prefix("lock timeout:", message(Timeout)), %:timeout
    io:format("timeout ~p~n", [number(IsTimeout)]),
    one("SELECT advisory_lock_timeout(-1)"),
    io:format("waited ~s~n", [one("SELECT advisory_lock('scanner') > 0")]),
    [{columns, _}, {rows, Rows}] = exec(
      "SELECT key, mode FROM advisory_locks WHERE session = "
      "advisory_session() AND kind = 'advisory' ORDER BY key"),
    [io:format("held ~s ~s~n", [Key, Mode]) || {Key, Mode} <- Rows],
    sqlite3:close(db),
    io:format("done~n").
