# SPDX-License-Identifier: 0BSD
# Targets for the lock manager's C tests; included by the Makefile.
#
#   make locktest    quick: scenes, unit, model, crash points, torture, looks,
#                    crowds, damaged files
#   make lockfull    the same at length, in every world, and the seeded bugs
#   make lockbugs    which program finds which seeded mistake, and how fast
#   make lockfuzz    100,000 damaged files
#   make lockbench   speed
#   make lockmodels  all states of small cases: lkstates
#
# A world is a set of -D and sanitizer flags; each has its own folder.

LK_B    = build/lock
LK_CORE = $(wildcard ext/core/*.c)
LK_HDR  = $(wildcard ext/core/*.h) $(wildcard test/core/*.h)
LK_PROG = lkstep lkunit lkmodel lkcrash lktorture lkcheck lkfuzz lkbench lkbugs \
          lkhost lkwait lklook lkcrowd lkformat lkorder lkrules lkbell
LK_WARN = -Iext -DINTERLOCK_TEST -std=c11 -Wall -Wextra -Wpedantic -Werror \
          -fvisibility=hidden
LK_DIR  = $(if $(wildcard /dev/shm),/dev/shm,/tmp)

LK_FLAGS_fast  = -O2 -DNDEBUG
LK_FLAGS_debug = -O1 -g -DINTERLOCK_DEBUG
LK_FLAGS_tiny  = -O1 -g -DINTERLOCK_DEBUG -DINTERLOCK_TINY
LK_FLAGS_posix = -O1 -g -DINTERLOCK_DEBUG -DINTERLOCK_OS_POSIX
LK_FLAGS_asan  = -O1 -g -DINTERLOCK_DEBUG -fsanitize=address,undefined \
                 -fno-sanitize-recover=undefined
# Damage in the file is refused, not asserted against.  Less patience with the
# owner of a mutex that never leaves it: a case in twenty waits for that.
LK_FLAGS_fuzz  = -O1 -g -DNDEBUG -fsanitize=address,undefined \
                 -fno-sanitize-recover=undefined \
                 -DUS_GIVEUP=20000 -DUS_SLEEP=500
LK_FLAGS_tsan  = -O1 -g -fsanitize=thread
LK_FLAGS_tsangcc = -O1 -g -fsanitize=thread
LK_FLAGS_clang = -O2 -g -DINTERLOCK_DEBUG
LK_FLAGS_model = -O2 -g -DINTERLOCK_SMALL -DINTERLOCK_CRASH
LK_FLAGS_bugs  = -O1 -g -DINTERLOCK_DEBUG -DINTERLOCK_BUGS
LK_CC_clang    = clang
LK_CC_tsan     = clang
LK_WORLDS = fast debug tiny posix asan fuzz tsan tsangcc clang bugs

# For lkbell, in which only bells can wake: no looks, hardly a poll.
LK_NOLOOK = -DUS_LOOK=90000000 -DUS_CROWD=90000000 -DUS_RARE=90000000 \
            -DUS_BEHIND=90000000 -DUS_LISTEN=90000000 \
            -DUS_LISTEN_MANY=90000000

# The core of a world: $(1) world, $(2) core, crash (with crash points) or bell.
define LK_CORE_RULE
$(LK_B)/$(1)/$(2).a: $(LK_CORE) $(LK_HDR) test/core/core.mk
	@mkdir -p $$(dir $$@)
	@rm -f $$@
	for f in $(LK_CORE:ext/core/%.c=%); do \
	  $(or $(LK_CC_$(1)),$(CC)) $(LK_WARN) $(LK_FLAGS_$(1)) \
	    $(if $(filter crash,$(2)),-DINTERLOCK_CRASH) \
	    $(if $(filter bell,$(2)),$(LK_NOLOOK)) \
	    -c ext/core/$$$$f.c -o $(LK_B)/$(1)/$(2)-$$$$f.o || exit 1; done
	ar rcs $$@ $(LK_CORE:ext/core/%.c=$(LK_B)/$(1)/$(2)-%.o)
endef
$(foreach w,$(LK_WORLDS),$(foreach v,core crash bell,\
  $(eval $(call LK_CORE_RULE,$(w),$(v)))))

LK_VARIANT = $(if $(filter lkcrash lkstep lkorder,$(1)),crash,$(if \
               $(filter lkbell,$(1)),bell,core))
# $(1) world, $(2) program, $(3) core, crash or bell
define LK_RULE
$(LK_B)/$(1)/$(2): test/core/$(2).c $(LK_HDR) $(LK_B)/$(1)/$(3).a \
                   test/core/core.mk
	$(or $(LK_CC_$(1)),$(CC)) $(LK_WARN) $(LK_FLAGS_$(1)) \
	  $(if $(filter crash,$(3)),-DINTERLOCK_CRASH) \
	  $(if $(filter lkhost,$(2)),$$(LK_WRAP)) \
	  $$< $(LK_B)/$(1)/$(3).a -o $$@ -lpthread
endef
$(foreach w,$(LK_WORLDS),$(foreach p,$(LK_PROG),\
  $(eval $(call LK_RULE,$(w),$(p),$(call LK_VARIANT,$(p))))))

LK_WRAP = -Wl,--wrap=clock_gettime,--wrap=fstatfs64 \
          -Wl,--wrap=fallocate64,--wrap=write,--wrap=statx,--wrap=linkat \
          -Wl,--wrap=open64,--wrap=fcntl64 -ldl
# A second copy of the lock manager, to be loaded into a process that has one,
# and, where the compiler can, a program of 32 bits.
$(LK_B)/debug/copy.so: $(LK_CORE) $(LK_HDR) test/core/core.mk
	@mkdir -p $(dir $@)
	$(CC) $(filter-out -fvisibility=hidden,$(LK_WARN)) $(LK_FLAGS_debug) \
	  -fPIC -shared $(LK_CORE) -o $@ -lpthread
$(LK_B)/debug/lkhost32: test/core/lkhost.c $(LK_CORE) $(LK_HDR) test/core/core.mk
	@mkdir -p $(dir $@)
	@if echo 'int main(void){return 0;}' | $(CC) -m32 -x c - -o $@ 2>/dev/null; \
	then $(CC) -m32 $(LK_WARN) $(LK_FLAGS_debug) $(LK_CORE) $< -o $@ \
	  $(LK_WRAP) -lpthread; \
	else echo "no 32-bit compiler here"; fi
LK_HOST = $(addprefix $(LK_B)/debug/,lkhost copy.so)
# 32 bits with a time_t of 64: not what the kernel's futex takes.
$(LK_B)/debug/lkwait32: test/core/lkwait.c $(LK_CORE) $(LK_HDR) test/core/core.mk
	@mkdir -p $(dir $@)
	@if echo 'int main(void){return 0;}' | $(CC) -m32 -x c - -o $@ 2>/dev/null; \
	then $(CC) -m32 -D_TIME_BITS=64 -D_FILE_OFFSET_BITS=64 $(LK_WARN) \
	  $(LK_FLAGS_debug) $(LK_CORE) $< -o $@ -lpthread; \
	else echo "no 32-bit compiler here"; ln -sf /bin/true $@; fi

LK_RUN = LOCK_TEST_DIR=$(LK_DIR) nice

$(LK_B)/model/lkstates: test/core/lkstates.c $(LK_CORE) $(LK_HDR) \
                        test/core/core.mk
	@mkdir -p $(dir $@)
	$(CC) $(LK_WARN) $(LK_FLAGS_model) $(LK_CORE) $< -o $@ -lpthread

.PHONY: locktest lockfull lockbench lockbugs lockmodels lockfuzz
locktest: $(addprefix $(LK_B)/debug/,$(LK_PROG) lkhost32) $(LK_HOST) \
          $(LK_B)/fast/lkmodel $(LK_B)/debug/lkwait32 \
          $(LK_B)/fuzz/lkfuzz $(LK_B)/fast/lktorture $(LK_B)/fast/lkcheck \
          $(LK_B)/asan/lklook $(LK_B)/tsan/lklook $(LK_B)/fast/lkcrowd \
          $(LK_B)/tsan/lkorder
	$(LK_RUN) timeout 120 $(LK_B)/debug/lkstep
	$(LK_RUN) timeout 120 $(LK_B)/debug/lkunit test/core
	$(LK_RUN) timeout 120 $(LK_B)/debug/lkformat test/core
	$(LK_RUN) timeout 120 $(LK_B)/debug/lkrules
	$(LK_RUN) timeout 120 $(LK_B)/debug/lkwait
	$(LK_RUN) timeout 120 $(LK_B)/debug/lkbell
	$(LK_RUN) timeout 120 $(LK_B)/debug/lkwait32 5
	$(LK_RUN) timeout 120 $(LK_HOST)
	$(LK_RUN) timeout 120 $(LK_B)/debug/lkhost other $(LK_B)/debug/lkhost32 \
	  qemu-i386 || test $$? = 77
	$(LK_RUN) timeout 120 $(LK_B)/debug/lkmodel 100000 1
	$(LK_RUN) timeout 120 $(LK_B)/fast/lkmodel 1000000 2
	$(LK_RUN) timeout 300 $(LK_B)/debug/lkcrash quick
	$(LK_RUN) timeout 120 test/core/torture.sh $(LK_B)/debug 8 10000 1 spoil
	$(LK_RUN) timeout 200 $(LK_B)/fast/lkcrowd
	$(LK_RUN) timeout 120 $(LK_B)/fuzz/lkfuzz 2000 1
	$(LK_RUN) timeout 120 $(LK_B)/asan/lklook 5 1
	$(LK_RUN) timeout 120 $(LK_B)/tsan/lklook 5 1
	$(LK_RUN) timeout 120 $(LK_B)/tsan/lkorder

lockfull: locktest lockworlds lockbugs lockmodels lockfuzz
	$(LK_RUN) timeout 900 $(LK_B)/debug/lkcrash full
	$(LK_RUN) timeout 900 $(LK_B)/fast/lkwait 1000 1500
	$(LK_RUN) timeout 900 test/core/torture.sh $(LK_B)/fast 16 1000000 2
	$(LK_RUN) timeout 900 test/core/torture.sh $(LK_B)/debug 16 200000 3

.PHONY: lockworlds
lockworlds: $(foreach w,tiny posix asan tsan clang,$(foreach p,lkstep lkunit lkmodel \
              lkwait lkbell,$(LK_B)/$(w)/$(p))) $(LK_B)/posix/lkcrash \
            $(LK_B)/tsangcc/lkunit $(LK_B)/tsangcc/lkwait
	for w in tiny posix asan clang tsan; do \
	  test $$w = tiny || \
	    $(LK_RUN) timeout 200 $(LK_B)/$$w/lkstep || exit 1; \
	  $(LK_RUN) timeout 200 $(LK_B)/$$w/lkunit test/core || exit 1; \
	  $(LK_RUN) timeout 200 $(LK_B)/$$w/lkwait 10 || exit 1; \
	  test $$w = tiny || \
	    $(LK_RUN) timeout 200 $(LK_B)/$$w/lkbell || exit 1; \
	  $(LK_RUN) timeout 200 $(LK_B)/$$w/lkmodel 50000 3 || exit 1; done
	$(LK_RUN) timeout 200 $(LK_B)/tsangcc/lkunit test/core
	$(LK_RUN) timeout 200 $(LK_B)/tsangcc/lkwait 10
	$(LK_RUN) timeout 400 $(LK_B)/posix/lkcrash quick
	$(LK_RUN) timeout 200 valgrind -q --error-exitcode=9 \
	  $(LK_B)/debug/lkmodel 5000 4

# Each mistake until the first program finds it; by hand `lkbugs all` says what
# every program finds, in half an hour.
LK_BUGS = $(addprefix $(LK_B)/bugs/,lkbugs lkstep lkmodel lkunit lkbell lkwait \
            lkcrash)
lockbugs: $(LK_BUGS)
	$(LK_RUN) timeout 1200 $(LK_B)/bugs/lkbugs quick $(LK_B)/bugs

lockmodels: $(LK_B)/model/lkstates
	$(LK_RUN) timeout 1200 $<

# 100,000 damaged files; SEED=n makes others.
lockfuzz: $(LK_B)/fuzz/lkfuzz
	$(LK_RUN) timeout 7200 $< 100000 $(or $(SEED),1)

lockbench: $(LK_B)/fast/lkbench
	$(LK_RUN) $(LK_B)/fast/lkbench
