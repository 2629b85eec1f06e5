# SPDX-License-Identifier: 0BSD
# Interlock: build, install, test. `make help` lists the targets.

CC            = gcc
CFLAGS        = -O2 -g
SQLITE_CFLAGS =
TCLSH         = tclsh
PREFIX        = /usr/local
DESTDIR       =
B             = build

# make DEBUG=1 builds with asserts, make SAN=address,undefined with sanitizers.
# Such builds go into a folder of their own, never under another name: SQLite
# derives the entry point from the letters of the file's name.
comma := ,
# A text as one word for the shell, whatever characters it has.
quote  = '$(subst ','\'',$(1))'
# The folder of everything that is made: build/, or by B=/elsewhere another one.
BUILD := $(if $(filter /%,$(B)),$(B),$(CURDIR)/$(B))
ifdef DEBUG
  override B := $(B)/debug
  CFLAGS     = -O1 -g
  MODE      += -DINTERLOCK_DEBUG=1
else
  MODE      += -DNDEBUG
endif
# The lock manager uses the portable POSIX layer instead of Linux's.
ifdef POSIX
  override B := $(B)/posix
  MODE      += -DINTERLOCK_OS_POSIX=1
endif
ifdef SAN
  override B := $(B)/san-$(subst $(comma),-,$(SAN))
  MODE      += -fsanitize=$(SAN) -fno-omit-frame-pointer
endif

STRICT = -std=c11 -Wall -Wextra -Wpedantic -Werror -fvisibility=hidden
COMPILE = $(CC) $(STRICT) $(CFLAGS) $(MODE) $(SQLITE_CFLAGS) -fPIC -I$(B) -Iext

# The lock manager is plain C and has tests of its own.
.DEFAULT_GOAL := all
include test/core/core.mk

SRC = $(wildcard ext/*.c ext/*/*.c)
HDR = $(wildcard ext/*.h ext/*/*.h)
SQL = $(wildcard sql/*/*.sql)
OBJ = $(SRC:ext/%.c=$(B)/%.o)

.PHONY: all library help clean install uninstall dist
.PHONY: deps baretest demo test fulltest clients orms clustertest bench check
.PHONY: bench-all check-budget
.PHONY: reference amalgam

# These targets must work on a bare machine. They install what they need before
# make runs a compiler: hence $(MAKE) and no prerequisites.
NEEDS = CC=$(call quote,$(CC)) SQLITE_CFLAGS=$(call quote,$(SQLITE_CFLAGS)) \
        tool/deps
AGAIN = $(MAKE) --no-print-directory

all:
	@$(NEEDS) build
	@$(AGAIN) library

library: $(B)/interlock.so

# The extension is compiled as one file, so that the compiler can optimize
# across the layers (ext/README.md, Speed). A build for debugging keeps its
# files.
ifeq ($(DEBUG)$(SAN),)
$(B)/interlock.so: $(B)/interlock-amalgam.c
	$(COMPILE) -shared -o $@ $<
else
$(B)/interlock.so: $(OBJ)
	$(COMPILE) -shared -o $@ $(OBJ)
endif

$(B)/sql_text.h: $(SQL) tool/embed.tcl
	@mkdir -p $(B)
	$(TCLSH) tool/embed.tcl $(SQL) > $@.new && mv $@.new $@

$(B)/%.o: ext/%.c $(HDR) $(B)/sql_text.h Makefile
	@mkdir -p $(@D)
	$(COMPILE) -c -o $@ $<

help:
	@echo "make             the extension, $(B)/interlock.so"
	@echo "make demo        what it is for, in under a minute"
	@echo "make test        the tests, TEST='load versioned' for some"
	@echo "make fulltest    the tests in every world (test/README.md)"
	@echo "make baretest    demo and test on bare machines (tool/bare)"
	@echo "make clients     in every language and driver, CLIENT='go rust' for some"
	@echo "make suites      tests that others wrote, with Interlock below them"
	@echo "make orms        with ORMs, CLIENT='tortoise django' for some, ALL=1 for"
	@echo "                 those that take minutes to compile, too"
	@echo "make packages    for Debian, pip, npm, gem, Go, cargo, sqlpkg; or one of"
	@echo "                 $(PACKAGES)"
	@echo "make packagetest installs each where it is alone, CLIENT='npm' for some"
	@echo "make clustertest on engines that replicate, CLUSTER='rqlite' for one"
	@echo "make bench       what tables and locks cost, BENCH='insert delete'"
	@echo "make bench-all   all of it beside other software: build/bench/report.html"
	@echo "make check       what keeps the tree honest, CHECK=layout for one"
	@echo "make check-budget  what got dearer, in instructions; WRITE=1 stores it"
	@echo "make locktest    the lock manager's own tests; lockfull, lockbench"
	@echo "make amalgam     one file to link, $(B)/interlock-amalgam.c"
	@echo "make reference   what is generated in sql/README.md, test/README.md"
	@echo "make dist        the same with its header, for programs in C and C++"
	@echo "make install     to PREFIX=$(PREFIX); also make uninstall"
	@echo "make deps        install what all of these need (Debian)"
	@echo "make clean       everything that was built"
	@echo "DEBUG=1, SAN=address,undefined, POSIX=1, CC=clang: other ways to build"

deps:
	@tool/deps

# README's two commands on bare machines; MACHINE=bookworm-none for one of them,
# tool/bare -list for their names.
baretest:
	@tool/bare $(MACHINE)

SO = $(if $(filter /%,$(B)),$(B),$(CURDIR)/$(B))/interlock.so
WHERE = INTERLOCK_BUILD=$(call quote,$(BUILD))

demo:
	@tool/deps test
	@$(MAKE) -s library
	@$(TCLSH) tool/demo.tcl $(B)/interlock

test:
	@tool/deps test
	@$(MAKE) -s library
	@$(WHERE) INTERLOCK_LIB=$(call quote,$(SO)) \
	  $(TCLSH) tool/runtests.tcl $(TEST)

fulltest:
	@tool/deps full
	@$(MAKE) -s library
	@$(WHERE) $(TCLSH) tool/runtests.tcl -world all $(TEST)

# Programs and packages that clients need stay in build/clients.
clients:
	@tool/deps clients
	@$(MAKE) -s library dist >/dev/null
	@$(WHERE) $(TCLSH) tool/clients.tcl $(CLIENT)

# The same with ORMs, in build/orms.
orms:
	@tool/deps orms
	@$(MAKE) -s library dist >/dev/null
	@$(WHERE) $(TCLSH) tool/clients.tcl -from test/orms $(CLIENT) \
	  $(if $(ALL),-all)

# Tests that others wrote, in build/suites.
.PHONY: suites
suites:
	@tool/deps suites
	@$(MAKE) -s library >/dev/null
	@$(WHERE) $(TCLSH) tool/suites.tcl $(SUITE)

# Each into build/packages. Its test installs them from there.
PACKAGES = deb wheel npm gem go crate sqlpkg
.PHONY: packages packagetest $(PACKAGES)
packages $(PACKAGES):
	@tool/deps packages
	@$(MAKE) -s library dist >/dev/null
	@$(WHERE) $(TCLSH) tool/packages.tcl $(filter $(PACKAGES),$@)

packagetest: packages
	@$(WHERE) $(TCLSH) tool/clients.tcl -from test/packages $(CLIENT)

# What it has got and built stays in build/clusters.
clustertest:
	@tool/deps clusters
	@$(MAKE) -s library
	@/usr/bin/python3 test/clusters/run.py -build $(call quote,$(BUILD)) \
	  $(CLUSTER)

bench:
	@tool/deps test
	@$(MAKE) -s library
	@$(WHERE) $(TCLSH) tool/bench/bench.tcl $(B)/interlock.so $(BENCH)

# All subjects, beside servers that it starts and stops; ARGS=-pictures also
# makes the pictures of README.md, ARGS=-quick takes a minute and says little.
bench-all:
	@tool/deps bench
	@$(MAKE) -s library
	@/usr/bin/python3 tool/bench/all.py $(B)/interlock.so $(B)/bench $(ARGS)

# The checks of the tree; `make check CHECK=layout` for one of them.
check:
	@tool/deps check
	@$(MAKE) -s library
	@$(TCLSH) tool/check.tcl $(CHECK)

# Instructions of named operations beside tool/bench/budget.txt; WRITE=1 stores
# those of this machine there.
check-budget:
	@tool/deps check
	@$(MAKE) -s library
	@$(WHERE) $(TCLSH) tool/bench/budget.tcl $(B)/interlock.so \
	  $(if $(WRITE),-write)

# sql/README.md from the comments in ext/ and sql/, the table of
# test/README.md from those of the tests.
reference:
	$(TCLSH) tool/reference.tcl
	$(TCLSH) tool/runtests.tcl -readme

# All of ext/ as one file, for programs that link statically.
amalgam: $(B)/interlock-amalgam.c

$(B)/interlock-amalgam.c: $(SRC) $(HDR) $(B)/sql_text.h tool/amalgam.tcl \
                          tool/csource.tcl tool/layers.tcl
	$(TCLSH) tool/amalgam.tcl $(B)/sql_text.h > $@.new && mv $@.new $@

# For projects that have no Tcl: the amalgamation, its header, how to use both.
VERSION := $(shell sed -n \
             's/^.define INTERLOCK_VERSION "\(.*\)"/\1/p' ext/functions.c)
PAGES = $(TCLSH) tool/install/pages.tcl
DIST  = $(B)/dist/interlock-$(VERSION)

# What fails in the middle leaves what was there.
dist:
	@$(NEEDS) build
	@$(AGAIN) -s amalgam
	@set -e; new=$(B)/dist.new/interlock-$(VERSION); rm -rf $(B)/dist.new; \
	mkdir -p $$new; cp $(B)/interlock-amalgam.c $$new/interlock.c; \
	$(PAGES) fill tool/install/interlock.h.in > $$new/interlock.h; \
	$(PAGES) fill tool/install/readme.in > $$new/README; cp LICENSE $$new; \
	tar -C $(B)/dist.new -czf $$new.tar.gz interlock-$(VERSION); \
	rm -rf $(B)/dist; mv $(B)/dist.new $(B)/dist
	@echo $(DIST).tar.gz

LIBDIR     = $(PREFIX)/lib
INCLUDEDIR = $(PREFIX)/include
MANDIR     = $(PREFIX)/share/man
DOCDIR     = $(PREFIX)/share/doc/interlock
PYTHONDIR  = $(PREFIX)/share/interlock/python
DOCS = README.md sql/README.md sql/CLIENTS.md sql/ORMS.md sql/RECIPES.md \
       sql/FORMS.md sql/PACKAGES.md sql/MIGRATIONS.md sql/LOCKRECIPES.md \
       sql/OPERATIONS.md sql/CLUSTERS.md sql/CHANGES.md
# What these pages link to.
LINKED = sql/halves.svg sql/benchlock.svg sql/benchturns.svg sql/lease.sql
# Every file that is installed.
to = $(call quote,$(DESTDIR)$(1))
LIB_FILE = $(call to,$(LIBDIR)/interlock.so)
H_FILE   = $(call to,$(INCLUDEDIR)/interlock.h)
PC_FILE  = $(call to,$(LIBDIR)/pkgconfig/interlock.pc)
MAN_FILE = $(call to,$(MANDIR)/man7/interlock.7)
PLACES   = PREFIX $(call quote,$(PREFIX)) LIBDIR $(call quote,$(LIBDIR)) \
           INCLUDEDIR $(call quote,$(INCLUDEDIR))

# The package for Python.
ADAPTERS = $(patsubst tool/adapters/python/%,%, \
             $(wildcard $(addprefix tool/adapters/python/interlock/,*.py */*.py)))

install: all
	@umask 022; set -e; d=$(call to,$(DOCDIR)); \
	install -d $(call to,$(LIBDIR)/pkgconfig) $(call to,$(INCLUDEDIR)) \
	  $(call to,$(MANDIR)/man7) "$$d/sql"; \
	install -m 755 $(B)/interlock.so $(LIB_FILE); \
	$(PAGES) fill tool/install/interlock.h.in > $(H_FILE); \
	$(PAGES) fill tool/install/interlock.pc.in $(PLACES) > $(PC_FILE); \
	$(PAGES) man > $(MAN_FILE); \
	for page in $(DOCS); do \
	  $(PAGES) page $$page $(DOCS) LICENSE $(LINKED) > "$$d/$$page"; \
	done; \
	install -m 644 LICENSE "$$d"; \
	install -m 644 $(LINKED) "$$d/sql"; \
	p=$(call to,$(PYTHONDIR)); \
	for file in $(ADAPTERS); do \
	  install -D -m 644 tool/adapters/python/$$file "$$p/$$file"; \
	done
	@tool/install/how $(call quote,$(DESTDIR)) $(call quote,$(LIBDIR))

uninstall:
	rm -f $(LIB_FILE) $(H_FILE) $(PC_FILE) $(MAN_FILE)
	@rmdir $(call to,$(LIBDIR)/pkgconfig) $(call to,$(MANDIR)/man7) \
	  2>/dev/null || true
	d=$(call to,$(DOCDIR)); rm -f "$$d/LICENSE" $(LINKED:%="$$d/%") \
	  $(DOCS:%="$$d/%"); rmdir "$$d/sql" "$$d" 2>/dev/null || true
	p=$(call to,$(PYTHONDIR)); rm -f $(ADAPTERS:%="$$p/%"); \
	rmdir $(patsubst %,"$$p/%",interlock/django interlock/tortoise interlock) \
	  "$$p" "$${p%/*}" 2>/dev/null || true

clean:
	rm -rf build
