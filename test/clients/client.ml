(* SPDX-License-Identifier: 0BSD *)
open Sqlite3

let db = db_open "shop.db"
let load () =
  ignore (enable_load_extension db true); (*:load*)
  exec db "SELECT load_extension('./build/interlock')" (*:load*)

let one ?(values = []) sql =
  let s = prepare db sql in
  List.iteri (fun i v -> ignore (bind s (i + 1) v)) values;
  let rc = step s in
  let value = if rc = Rc.ROW then Data.to_string_coerce (column s 0) else "" in
  let message = errmsg db in
  ignore (finalize s);
  (rc, value, message)
let get ?values sql = let (_, value, _) = one ?values sql in value
let int b = if b then 1 else 0

let () =
  if load () <> Rc.OK then failwith (errmsg db);
  Printf.printf "loaded %s\n" (get "SELECT interlock_version() <> ''");
  Printf.printf "~version OCaml %s, SQLite %s\n" Sys.ocaml_version
    (get "SELECT sqlite_version()");
  Printf.printf "declared %s\n" (get "SELECT versioned('account')");
  let rc, _, message = one "UPDATE account SET balance = 0, version = 0" in
  Printf.printf "~stale %s: %s\n" (Rc.to_string rc) message;
  Printf.printf "stale %d\n" (int (
    String.starts_with ~prefix:"stale write:" message (*:stale*)
  ));
  Printf.printf "locked %s\n" (get "SELECT advisory_lock('invoices') > 0");
  Printf.printf "tried %s\n" (get "SELECT try_advisory_lock('printer')");
  Printf.printf "number %s\n"
    (get ~values:[Data.INT 42L] "SELECT try_advisory_lock(?)");
  Printf.printf "jobs %s\n"
    (get "SELECT skip_locked('job', 2, 'state = ''ready''', 'id')");
  Printf.printf "leased %s\n"
    (get "SELECT lease_acquire('report', 'client', 60000) > 0");
  let rc, _, message = one "UPDATE report SET text = 'late', token = 1" in
  Printf.printf "~fenced %s: %s\n" (Rc.to_string rc) message;
  Printf.printf "fenced %d\n" (int (
    String.starts_with ~prefix:"fenced:" message (*:fenced*)
  ));
  ignore (get "SELECT advisory_lock_timeout(50)");
  let rc, _, message = one "SELECT advisory_lock('printer')" in
  Printf.printf "~timeout %s: %s\n" (Rc.to_string rc) message;
  Printf.printf "timeout %d\n" (int (
    String.starts_with ~prefix:"lock timeout:" message (*:timeout*)
  ));
  ignore (get "SELECT advisory_lock_timeout(-1)");
  Printf.printf "waited %s\n" (get "SELECT advisory_lock('scanner') > 0");
  ignore (exec_no_headers db
    "SELECT key, mode FROM advisory_locks WHERE session = advisory_session()
     AND kind = 'advisory' ORDER BY key"
    ~cb:(fun row -> Printf.printf "held %s\n" (String.concat " "
      (List.map (Option.value ~default:"") (Array.to_list row)))));
  if db_close db then print_endline "done"
