# SPDX-License-Identifier: 0BSD
# steps.rb: what the programs in Ruby share.
require "open3"

def other(*words)
  Open3.capture2e("sh", ENV["SRC"] + "/other.sh", *words).first.strip
end
def row = other("SELECT balance, version FROM account")
def try_lock = other("-load", "SELECT try_row_lock('account', 1)")
def for_update(sql) = sql =~ /FOR UPDATE/ ? sql : "silently left out"
