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
ifdef DEBUG
  B         := $(B)/debug
  CFLAGS     = -O1 -g
  MODE      += -DINTERLOCK_DEBUG=1
else
  MODE      += -DNDEBUG
endif
ifdef SAN
  B         := $(B)/san-$(subst $(comma),-,$(SAN))
  MODE      += -fsanitize=$(SAN) -fno-omit-frame-pointer
endif
comma := ,

STRICT = -std=c11 -Wall -Wextra -Wpedantic -Werror -fvisibility=hidden
COMPILE = $(CC) $(STRICT) $(CFLAGS) $(MODE) $(SQLITE_CFLAGS) -fPIC -I$(B)

SRC = $(wildcard ext/*.c)
HDR = $(wildcard ext/*.h)
SQL = $(wildcard sql/*.sql)
OBJ = $(SRC:ext/%.c=$(B)/%.o)

.PHONY: all help clean install uninstall
.PHONY: check reference amalgam

all: $(B)/interlock.so

$(B)/interlock.so: $(OBJ)
	$(COMPILE) -shared -o $@ $(OBJ)

$(B)/sql_text.h: $(SQL) tool/embed.tcl
	@mkdir -p $(B)
	$(TCLSH) tool/embed.tcl $(SQL) > $@.new && mv $@.new $@

$(B)/%.o: ext/%.c $(HDR) $(B)/sql_text.h Makefile
	@mkdir -p $(B)
	$(COMPILE) -c -o $@ $<

# What keeps the tree honest; `make check CHECK=layout` for one of them.
check: all
	$(TCLSH) tool/check.tcl $(CHECK)

# sql/README.md from the comments in ext/ and sql/.
reference:
	$(TCLSH) tool/reference.tcl

# All of ext/ as one file, for who links statically.
amalgam: $(B)/interlock-amalgam.c

$(B)/interlock-amalgam.c: $(SRC) $(HDR) $(B)/sql_text.h tool/amalgam.tcl \
                          tool/csource.tcl tool/layers.tcl
	$(TCLSH) tool/amalgam.tcl $(B)/sql_text.h > $@.new && mv $@.new $@

LIBDIR = $(DESTDIR)$(PREFIX)/lib
DOCDIR = $(DESTDIR)$(PREFIX)/share/doc/interlock

install: all
	install -d $(LIBDIR) $(DOCDIR)/sql
	install -m 755 $(B)/interlock.so $(LIBDIR)
	install -m 644 README.md LICENSE $(DOCDIR)
	install -m 644 sql/README.md $(DOCDIR)/sql

uninstall:
	rm -f $(LIBDIR)/interlock.so
	rm -f $(DOCDIR)/README.md $(DOCDIR)/LICENSE $(DOCDIR)/sql/README.md
	rmdir $(DOCDIR)/sql $(DOCDIR) 2>/dev/null || true

clean:
	rm -rf build
