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
.PHONY: check reference

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

install: all
	mkdir -p $(DESTDIR)$(PREFIX)/lib
	cp $(B)/interlock.so $(DESTDIR)$(PREFIX)/lib/interlock.so

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/lib/interlock.so

clean:
	rm -rf build
