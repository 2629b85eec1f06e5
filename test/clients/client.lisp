;; SPDX-License-Identifier: 0BSD
(require :asdf)
(let ((*standard-output* (make-broadcast-stream))
      (*error-output* (make-broadcast-stream)))
  (handler-bind ((warning #'muffle-warning))
    (asdf:load-system :sqlite)))

(defvar *db* (sqlite:connect "shop.db"))
(cffi:foreign-funcall "sqlite3_enable_load_extension" ;#:load
  :pointer (sqlite::handle *db*) :int 1 :int) ;#:load
(sqlite:execute-single *db* "SELECT load_extension('./build/interlock')") ;#:load

(defun one (sql &rest values)
  (apply #'sqlite:execute-single *db* sql values))
(defun fails (sql)
  (handler-case (progn (one sql) "")
    (sqlite:sqlite-error (e) (substitute #\Space #\Newline
                                         (princ-to-string e)))))
(defun say (&rest values)
  (format t "~{~a~^ ~}~%" values))

(say "loaded" (one "SELECT interlock_version() <> ''"))
(say "~version cl-sqlite," "SQLite" (one "SELECT sqlite_version()"))
(say "declared" (one "SELECT versioned('account')"))
(let ((message (fails "UPDATE account SET balance = 0, version = 0")))
  (say "~stale" message)
  (say "stale" (if
    (search "stale write:" message) ;#:stale
    1 0)))
(say "locked" (one "SELECT advisory_lock('invoices') > 0"))
(say "tried" (one "SELECT try_advisory_lock('printer')"))
(say "number" (one "SELECT try_advisory_lock(?)" 42))
(say "jobs" (one "SELECT skip_locked('job', 2, 'state = ''ready''', 'id')"))
(say "leased" (one "SELECT lease_acquire('report', 'client', 60000) > 0"))
(let ((message (fails "UPDATE report SET text = 'late', token = 1")))
  (say "~fenced" message)
  (say "fenced" (if
    (search ": fenced:" message) ;#:fenced
    1 0)))
(one "SELECT advisory_lock_timeout(50)")
(let ((message (fails "SELECT advisory_lock('printer')")))
  (say "~timeout" message)
  (say "timeout" (if
    (search "lock timeout:" message) ;#:timeout
    1 0)))
(one "SELECT advisory_lock_timeout(-1)")
(say "waited" (one "SELECT advisory_lock('scanner') > 0"))
(dolist (row (sqlite:execute-to-list *db*
               "SELECT key, mode FROM advisory_locks WHERE session =
                advisory_session() AND kind = 'advisory' ORDER BY key"))
  (apply #'say "held" row))
(sqlite:disconnect *db*)
(say "done")
