# mod_etcl. `make help` lists the targets; `make run` and `make check` do all
# their own set-up on a bare Debian 12. What the machine has: apxs.mk.

BUILD ?= .build
APP ?=
PORT ?= 8000
JOBS ?= $(shell nproc)
V ?=
Q := $(if $(V),,@)
SAY = @printf '  %-7s %s\n'

# A make inside this one, on all processors unless -j says how many.
STEP = $(MAKE) --no-print-directory \
  $(if $(findstring -j,$(MAKEFLAGS)),,-j$(JOBS))

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:

# These run on a machine that has nothing yet, so they must not ask it.
BARE := help deps deps-check run check bench bench-quick lost restarts soak \
  clean
ifneq ($(filter-out $(BARE),$(or $(MAKECMDGOALS),all)),)
include apxs.mk
endif

# ---- flags

STD := -std=gnu11 -pthread -fPIC -fvisibility=hidden
# Not wanted: callbacks have parameters, tables have tails, that are not used.
WARN := -Wall -Wextra -Werror -Wshadow -Wconversion -Wundef -Wvla \
  -Wpointer-arith -Wwrite-strings -Wformat=2 -Wstrict-prototypes \
  -Wmissing-prototypes -Wold-style-definition \
  -Wno-missing-field-initializers -Wno-unused-parameter
CPPFLAGS += $(APR_CPPFLAGS)
LDFLAGS += -pthread -Wl,-z,relro,-z,now -Wl,--as-needed

# SANITIZE=address,undefined makes the second build of the unit tests.
ifdef SANITIZE
CFLAGS ?= -O1 -g
HARDEN := -fno-omit-frame-pointer -fsanitize=$(SANITIZE) \
  -fno-sanitize-recover=undefined
LDFLAGS += -fsanitize=$(SANITIZE)
else
CFLAGS ?= -O2 -g
HARDEN := -fstack-protector-strong -D_FORTIFY_SOURCE=2
endif
COMPILE = $(CC) $(CPPFLAGS) $(INC) $(STD) $(WARN) $(RELAX) $(HARDEN) $(CFLAGS)

# ---- sources: a new file needs no line here

OBJ := $(BUILD)/obj
GEN := $(BUILD)/gen
objects = $(patsubst %.c,$(OBJ)/%.o,$(sort $(wildcard $(1))))

BASE := $(call objects,src/base/*.c)
WIRE := $(call objects,src/wire/*.c)
DAEMON := $(call objects,src/daemon/*.c)
PY_SCRIPTS := $(sort $(wildcard src/python/*.py))
PY := $(call objects,src/python/*.c) $(if $(PY_SCRIPTS),$(OBJ)/etcl_py.o)
MODULE := $(call objects,src/httpd/*.c mod_etcl.c)
UNIT := $(call objects,tests/unit/*.c)
BRIDGE := $(call objects,tests/python/*.c)

# ---- layers: each folder sees its own headers and those below, no others

$(OBJ)/src/base/%: INC = -Iinclude -Isrc/base $(APR_INC)
$(OBJ)/src/wire/%: INC = -Iinclude -Isrc/base -Isrc/wire $(APR_INC)
$(OBJ)/src/daemon/%: INC = -Iinclude -Isrc/base -Isrc/wire -Isrc/daemon \
  $(APR_INC)
$(OBJ)/src/python/%: INC = -Iinclude -Isrc/base -Isrc/python -I$(GEN) \
  $(APR_INC) $(PY_INC)
$(OBJ)/src/httpd/% $(OBJ)/mod_etcl.%: INC = -Iinclude -Isrc/base -Isrc/wire \
  -Isrc/httpd $(HTTPD_INC) $(APR_INC)
$(OBJ)/tests/unit/%: INC = -Iinclude -Isrc/base -Isrc/wire -Isrc/daemon \
  $(APR_INC)
$(OBJ)/tests/python/%: INC = -Iinclude -Isrc/base -Isrc/python -I$(GEN) \
  $(APR_INC) $(PY_INC)

# A suite is found by its name, and START_TEST mixes int and size_t.
$(OBJ)/tests/%: RELAX = -Wno-missing-prototypes -Wno-conversion \
  -Wno-format-nonliteral

# The two files whose one symbol leaves the artefact; a version script keeps
# the rest inside (tests/lint/artefacts looks).
$(OBJ)/mod_etcl.o $(OBJ)/src/python/etcl_runtime.o: RELAX = \
  -fvisibility=default

# ---- artefacts

.PHONY: all facts
all: facts $(BUILD)/mod_etcl.so $(BUILD)/etcl/etcld $(BUILD)/etcl/$(RUNTIME)

facts:
	$(info $(FACTS))
	@:

# httpd's and APR's symbols stay open here: httpd brings them.
$(BUILD)/mod_etcl.so: $(MODULE) $(WIRE) $(BASE) $(GEN)/etcl_module.map
	$(SAY) LINK $@
	$(Q)$(CC) -shared $(LDFLAGS) -Wl,--version-script=$(GEN)/etcl_module.map \
	  $(filter %.o,$^) -o $@

$(BUILD)/etcl/etcld: $(DAEMON) $(WIRE) $(BASE)
	$(SAY) LINK $@
	@mkdir -p $(@D)
	$(Q)$(CC) -pie $(LDFLAGS) -Wl,--no-undefined $^ $(APR_LIBS) -o $@

$(BUILD)/etcl/$(RUNTIME): $(PY) $(BASE) $(GEN)/etcl_runtime.map
	$(SAY) LINK $@
	@mkdir -p $(@D)
	$(Q)$(CC) -shared $(LDFLAGS) -Wl,--no-undefined \
	  -Wl,--version-script=$(GEN)/etcl_runtime.map \
	  $(filter %.o,$^) $(PY_LIBS) $(APR_LIBS) -o $@

$(GEN)/%.map:
	@mkdir -p $(@D)
	@echo '{ global: $*; local: *; };' >$@

# Everything is compiled again when a flag, a path or the Python changes.
FLAGS := $(BUILD)/flags
$(OBJ)/%.o: %.c $(FLAGS)
	$(SAY) CC $<
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -MMD -MP -c $< -o $@

-include $(shell find $(OBJ) -name '*.d' 2>/dev/null)

# A generated file changes only when its text does, so that what depends on
# it rests otherwise.
.PHONY: FORCE
keep = cmp -s $@.new $@ && rm $@.new || mv $@.new $@

$(FLAGS): FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CPPFLAGS) $(STD) $(WARN) $(HARDEN) $(CFLAGS) $(LDFLAGS)' \
	  '$(HTTPD_INC) $(APR_INC) $(PY_INC) $(PY_LIBS)' >$@.new
	@$(keep)

# The Python sources of the runtime, as text inside it.
$(GEN)/etcl_py.h: FORCE
	@mkdir -p $(@D)
	@{ echo '#include <stddef.h>'; \
	   for stem in $(notdir $(basename $(PY_SCRIPTS))); do \
	     echo "extern const char etcl_py_$$stem[];"; \
	     echo "extern const size_t etcl_py_$${stem}_len;"; \
	   done; } >$@.new
	@$(keep)

$(GEN)/etcl_py.c: $(PY_SCRIPTS) $(GEN)/etcl_py.h
	@{ echo '#include "etcl_py.h"'; \
	   for file in $(PY_SCRIPTS); do \
	     stem=$$(basename $$file .py); \
	     echo "const char etcl_py_$$stem[] = {"; \
	     od -An -v -td1 $$file | sed 's/ *\(-*[0-9][0-9]*\)/\1,/g'; \
	     echo '0 };'; \
	     echo "const size_t etcl_py_$${stem}_len ="; \
	     echo "    sizeof(etcl_py_$$stem) - 1;"; \
	   done; } >$@

$(OBJ)/etcl_py.o: $(GEN)/etcl_py.c $(FLAGS)
	$(SAY) CC $<
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -I$(GEN) -c $< -o $@

$(call objects,src/python/*.c tests/python/*.c): $(GEN)/etcl_py.h

# ---- tests under libcheck

# Each tests/unit/test_X.c brings `Suite *suite_X(void)`; the list of them is
# read from the files. etcld's main file stays out: a program has one main.
SUITE_MAIN := $(OBJ)/tests/unit/main.o

$(BUILD)/unit: $(UNIT) $(OBJ)/suites_unit.o $(filter-out %/etcld.o,$(DAEMON)) \
  $(WIRE) $(BASE)
	$(SAY) LINK $@
	$(Q)$(CC) $(LDFLAGS) $^ $(CHECK_LIBS) $(APR_LIBS) -o $@

$(BUILD)/bridge: $(BRIDGE) $(OBJ)/suites_python.o $(SUITE_MAIN) $(PY) $(BASE)
	$(SAY) LINK $@
	$(Q)$(CC) $(LDFLAGS) $^ $(CHECK_LIBS) $(PY_LIBS) $(APR_LIBS) -o $@

$(GEN)/suites_%.c: FORCE
	@mkdir -p $(@D)
	@names=; \
	 for file in $(wildcard tests/$*/test_*.c); do \
	   name=$$(sed -n 's/^Suite \*\(suite_[a-z0-9_]*\)(void)$$/\1/p' $$file); \
	   [ "$$name" ] || { echo "$$file: no Suite *suite_X(void)"; exit 1; }; \
	   names="$$names $$name"; \
	 done; \
	 { echo '#include "suites.h"'; \
	   for name in $$names; do echo "Suite *$$name(void);"; done; \
	   echo 'const suite_maker_t suites[] = {'; \
	   for name in $$names; do echo "    $$name,"; done; \
	   echo '    NULL };'; } >$@.new
	@$(keep)

$(OBJ)/suites_%.o: $(GEN)/suites_%.c $(FLAGS)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -Itests/unit -c $< -o $@

# ---- running the tests

CK_VERBOSITY ?= normal
export CK_VERBOSITY
# No search for leaks: it costs a tenth of a second in each of a thousand
# forked tests and sees into pools as little as into CPython's memory.
ASAN = ASAN_OPTIONS=detect_leaks=0 $(MAKE) --no-print-directory \
  BUILD=$(BUILD)/asan SANITIZE=address,undefined
# In one process, because leaks are looked for whenever one ends; with malloc
# under CPython, AddressSanitizer sees each Python object.
UNIT_ENV := $(if $(SANITIZE),CK_FORK=no)
BRIDGE_ENV := $(if $(SANITIZE),PYTHONMALLOC=malloc)
DEBIAN_PYTHON := /usr/bin/python3

.PHONY: unit unit-asan bridge bridge-asan asan e2e compat
# One suite runs etcld itself, with Python.
unit: $(BUILD)/unit $(BUILD)/etcl/etcld $(BUILD)/etcl/$(RUNTIME)
	$(UNIT_ENV) $(BUILD)/unit

bridge: $(BUILD)/bridge
	$(BRIDGE_ENV) $(BUILD)/bridge

unit-asan:
	+$(Q)$(ASAN) unit

bridge-asan:
	+$(Q)$(ASAN) bridge

# Both by one make, since two must not build in one folder.
asan:
	+$(Q)$(ASAN) unit bridge

# Decoders against bytes that clang's libFuzzer invents, beginning with what
# our own encoders write.
FUZZ_SECONDS ?= 15
FUZZERS := $(basename $(notdir $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ := $(BUILD)/fuzz
$(FUZZ)/fuzz_%: FUZZ_FLAGS = -fsanitize=fuzzer,address,undefined \
  -fno-sanitize-recover=undefined

$(FUZZ)/%: tests/fuzz/%.c $(wildcard include/*.h tests/fuzz/*.h \
  src/base/*.[ch] src/wire/*.[ch])
	$(SAY) FUZZER $@
	@mkdir -p $(FUZZERS:%=$(FUZZ)/%.corpus)
	$(Q)clang $(CPPFLAGS) -Iinclude -Isrc/base -Isrc/wire $(APR_INC) $(STD) \
	  -O1 -g $(FUZZ_FLAGS) $(filter %.c,$^) $(APR_LIBS) -o $@

.PHONY: fuzz
fuzz: $(FUZZ)/seeds $(FUZZERS:%=$(FUZZ)/%)
	@set -e; cd $(FUZZ); ./seeds .; for name in $(FUZZERS); do \
	  echo "$$name for $(FUZZ_SECONDS) seconds"; \
	  ./$$name -max_total_time=$(FUZZ_SECONDS) -max_len=65536 -verbosity=0 \
	    $$name.corpus; \
	done

# One file after the other in each of a few processes: most of the time a test
# waits, but some look at the clock, and need their share of the machine.
TESTERS ?= $(shell expr $(JOBS) + 1)
PYTEST = PYTHONDONTWRITEBYTECODE=1 .ci/with-copy $(BUILD) \
  $(DEBIAN_PYTHON) -m pytest -n $(TESTERS) --dist loadfile

e2e: all
	$(PYTEST) tests/e2e $(E2E)

# What mod_wsgi's users rely on, section by section, in both modes.
compat: all
	ETCL_MPM=$${ETCL_MPM:-event} $(PYTEST) tests/e2e/compat $(COMPAT)

# ---- lint

C_FILES := $(wildcard mod_etcl.c include/*.h src/*/*.[ch] tests/*/*.[ch])
TIDY := $(patsubst %.o,%.tidy,$(BASE) $(WIRE) $(DAEMON) \
  $(filter %.o,$(call objects,src/python/*.c)) $(MODULE) $(UNIT) $(BRIDGE))

# Every rule is asked before the verdict, so that one run tells all.
.PHONY: lint tidy
lint: all
	+@bad=; \
	 clang-format --dry-run -Werror $(C_FILES) || bad="$$bad clang-format"; \
	 for rule in source functions tables scripts; do \
	   tests/lint/$$rule.py || bad="$$bad $$rule"; \
	 done; \
	 tests/lint/artefacts $(BUILD) $(RUNTIME) || bad="$$bad artefacts"; \
	 $(STEP) -k tidy || bad="$$bad clang-tidy"; \
	 if [ "$$bad" ]; then echo "lint: broken:$$bad"; exit 1; fi; \
	 echo 'lint: all rules kept'

# One stamp a file, so that only what changed is looked at again. The analyzer
# follows 30,000 states of a function, not 225,000: a tenth of the time.
TIDY_FLAGS = -std=gnu11 -Xclang -analyzer-config -Xclang max-nodes=30000
tidy: $(TIDY)

$(OBJ)/%.tidy: %.c $(OBJ)/%.o .clang-tidy
	$(SAY) TIDY $<
	$(Q)clang-tidy --quiet --warnings-as-errors='*' $< -- \
	  $(CPPFLAGS) $(INC) $(TIDY_FLAGS) 2>/dev/null
	@touch $@

# ---- installing

MODDIR = $(DESTDIR)$(LIBEXECDIR)
AVAILABLE = $(SYSCONFDIR)/mods-available
ENABLED = $(SYSCONFDIR)/mods-enabled

.PHONY: install uninstall
install: all
	install -d $(MODDIR)/etcl
	install -m 644 $(BUILD)/mod_etcl.so $(MODDIR)/
	install -m 755 $(BUILD)/etcl/etcld $(MODDIR)/etcl/
	install -m 644 $(BUILD)/etcl/$(RUNTIME) $(MODDIR)/etcl/
	@if [ ! -d $(AVAILABLE) ]; then \
	  echo 'Now add to httpd.conf:'; \
	  echo '  LoadModule etcl_module $(LIBEXECDIR)/mod_etcl.so'; \
	  exit; \
	fi; \
	install -d $(DESTDIR)$(AVAILABLE); \
	install -m 644 conf/etcl.load $(DESTDIR)$(AVAILABLE)/; \
	if [ -e $(DESTDIR)$(AVAILABLE)/etcl.conf ]; then \
	  echo 'kept $(DESTDIR)$(AVAILABLE)/etcl.conf as it is'; \
	else \
	  install -m 644 conf/etcl.conf $(DESTDIR)$(AVAILABLE)/; \
	fi; \
	echo 'Now: a2enmod etcl && apachectl configtest'

# A LoadModule line of a module that is gone would keep httpd from starting.
uninstall:
	@if [ -z '$(DESTDIR)' ] && [ -e $(ENABLED)/etcl.load ]; then \
	  echo 'mod_etcl is enabled; first: a2dismod etcl'; exit 1; \
	fi
	rm -rf $(MODDIR)/mod_etcl.so $(MODDIR)/etcl
	rm -f $(DESTDIR)$(AVAILABLE)/etcl.load
	@if cmp -s conf/etcl.conf $(DESTDIR)$(AVAILABLE)/etcl.conf; then \
	  rm $(DESTDIR)$(AVAILABLE)/etcl.conf; \
	fi

# ---- what starts from a bare machine

BUILD_PKGS := gcc libc6-dev pkg-config apache2-dev libapr1-dev \
  libaprutil1-dev python3-dev
RUN_PKGS := apache2 python3-venv python3-django curl
TEST_PKGS := check clang-format clang-tidy universal-ctags shellcheck \
  pyflakes3 binutils procps python3-pytest python3-pytest-xdist \
  python3-selenium chromium chromium-driver python3-flask python3-httpbin \
  python3-dulwich git openssl locales strace libapache2-mod-wsgi-py3 uwsgi \
  uwsgi-plugin-python3 gunicorn wrk

.PHONY: deps deps-check run check bench bench-quick lost restarts soak clean \
  help
deps:
	@.ci/apt-install $(BUILD_PKGS) $(RUN_PKGS)

# A browser and other servers to compare with: nothing for a web server.
deps-check:
	@.ci/apt-install $(BUILD_PKGS) $(RUN_PKGS) $(TEST_PKGS)

run: deps
	+@$(STEP) all
	@BUILD='$(abspath $(BUILD))' APP='$(APP)' PORT='$(PORT)' \
	  exec tests/apps/etcl/serve

# What needs processors first, each part's output in one piece (-O); then, with
# the machine for themselves, the tests that look at the clock.
check: deps-check
	+@$(STEP) all
	+@$(STEP) -O unit bridge asan lint
	+@$(STEP) compat
	+@$(STEP) e2e

bench: deps-check
	+@$(STEP) all
	@.ci/with-copy $(BUILD) tests/bench/bench $(BENCH)

bench-quick:
	+@$(MAKE) --no-print-directory bench BENCH='--quick $(BENCH)'

# What is long, and not in `make check`: the table of what is lost under load,
# a thousand graceful restarts, and random faults for SOAK seconds.
SOAK ?= 600
soak: LENGTH = --seconds $(SOAK)
lost restarts soak: deps-check
	+@$(STEP) all
	@.ci/with-copy $(BUILD) tests/soak/$@ $(LENGTH) $(ARGS)

clean:
	rm -rf $(BUILD)

help:
	@echo 'make [all]        build the module, etcld and the runtime'
	@echo 'make run          set up, build, serve the etcl demo on port 8000;'
	@echo '                  APP=/path/to/wsgi.py PORT=8080 serves your own'
	@echo 'make check        set up, build, run every test, and lint'
	@echo 'make install      into httpd'\''s modules (DESTDIR=)'
	@echo 'make uninstall    out of them again, but for an etcl.conf of yours'
	@echo 'make deps         the Debian packages to build and run'
	@echo 'make deps-check   those, and what the tests need'
	@echo
	@echo 'make unit         the C code under libcheck'
	@echo 'make unit-asan    the same, with AddressSanitizer and UBSan'
	@echo 'make bridge       the WSGI bridge under libcheck, without httpd'
	@echo 'make bridge-asan  the same, with AddressSanitizer and UBSan'
	@echo 'make asan         both of these, side by side'
	@echo 'make lint         layout, rules, clang-tidy, manual, artefacts'
	@echo 'make tidy         clang-tidy alone'
	@echo 'make compat       what users of mod_wsgi rely on, in both modes;'
	@echo '                  COMPAT="-k name" picks'
	@echo 'make e2e          tests on a real httpd; E2E="-k name" picks;'
	@echo '                  TESTERS=1 runs one file at a time, here as there'
	@echo 'make fuzz         decoders against invented bytes; FUZZ_SECONDS=15'
	@echo 'make bench        CPU per request beside other servers'
	@echo 'make bench-quick  the same, shorter'
	@echo 'make lost         what is lost while workers are replaced or die'
	@echo 'make restarts     a thousand graceful ones, and what they leave'
	@echo 'make soak         random faults under load; SOAK=600 seconds'
	@echo 'make facts        what the build found: httpd, Python, runtime'
	@echo 'make clean        remove $(BUILD)'
	@echo 'make help         this list'
	@echo
	@echo 'PYTHON=/usr/bin/python3.X  the runtime'\''s Python'
	@echo 'APXS=/path/to/apxs         the httpd to build for'
	@echo 'BUILD=folder               where to build (default .build)'
	@echo 'V=1                        show the commands'
