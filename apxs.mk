# What this machine has: compiler, httpd, APR and the runtime's Python. Only
# here are apxs, apr-config, pkg-config and Python asked; the Makefile builds.
# Override on the command line: make APXS=/opt/httpd/bin/apxs PYTHON=python3.12

HINT = or let `make deps` install everything (Debian, Ubuntu)

# ---- httpd and its APR

APXS ?= $(or $(shell command -v apxs || command -v apxs2),apxs)
ifeq ($(shell command -v $(APXS)),)
  $(error $(APXS) not found: install apache2-dev, $(HINT))
endif
apxs_q = $(shell $(APXS) -q $(1) 2>/dev/null)

ifeq ($(origin CC),default)
  CC := $(call apxs_q,CC)
endif
ifeq ($(shell command -v $(firstword $(CC))),)
  $(error C compiler $(firstword $(CC)) not found: install gcc, $(HINT))
endif

HTTPD := $(call apxs_q,SBINDIR)/$(call apxs_q,PROGNAME)
HTTPD_VERSION := $(call apxs_q,HTTPD_VERSION)
HTTPD_INC := -isystem $(call apxs_q,INCLUDEDIR)
LIBEXECDIR := $(call apxs_q,LIBEXECDIR)
SYSCONFDIR := $(call apxs_q,SYSCONFDIR)
ifeq ($(wildcard $(call apxs_q,INCLUDEDIR)/httpd.h),)
  $(error httpd.h not found where $(APXS) says: install apache2-dev, $(HINT))
endif

# The APR that this httpd was built with. -I/usr/include is dropped: it is
# searched anyway, and named with -isystem it breaks #include_next.
APR_CONFIG := $(call apxs_q,APR_CONFIG)
APU_CONFIG := $(call apxs_q,APU_CONFIG)
ifeq ($(shell command -v $(APR_CONFIG)),)
  $(error apr-1-config not found: install libapr1-dev libaprutil1-dev, $(HINT))
endif
APR_VERSION := $(shell $(APR_CONFIG) --version)
APR_CPPFLAGS := $(shell $(APR_CONFIG) --cppflags)
APR_INC := $(patsubst -I%,-isystem %,$(filter-out -I/usr/include,\
  $(sort $(shell $(APR_CONFIG) --includes; $(APU_CONFIG) --includes))))
APR_LIBS := $(shell $(APR_CONFIG) --link-ld --libs)

# ---- the Python that becomes the runtime

# Not `python3` of the PATH: that is often another one than the server's
# applications were installed for. Its own sysconfig says how to build.
PYTHON ?= /usr/bin/python3
PATH_PYTHON := $(shell python3 -c 'import sys; print(sys.executable)' \
  2>/dev/null)
PY_FACTS := $(shell $(PYTHON) -c 'import sys, sysconfig; \
  var = sysconfig.get_config_var; \
  print(sys.executable, sys.version.split()[0], var("py_version_short"), \
        sysconfig.get_path("include"), var("LIBDIR"), var("LDLIBRARY"), \
        var("Py_ENABLE_SHARED"))' 2>/dev/null)
ifeq ($(PY_FACTS),)
  $(error $(PYTHON) does not run: install python3 python3-dev, $(HINT))
endif
PY_EXE := $(word 1,$(PY_FACTS))
PY_VERSION := $(word 2,$(PY_FACTS))
PY_SHORT := $(word 3,$(PY_FACTS))
PY_INCDIR := $(word 4,$(PY_FACTS))
PY_LIBDIR := $(word 5,$(PY_FACTS))
PY_SO := $(word 6,$(PY_FACTS))
PY_LIBRARY := $(PY_LIBDIR)/$(PY_SO)
RUNTIME := cpython-$(PY_SHORT).so

ifneq ($(word 7,$(PY_FACTS)),1)
  $(error $(PY_EXE) ($(PY_VERSION)) has no shared library, and a runtime\
    needs one: leave PYTHON out to use /usr/bin/python3, or build that Python\
    again with `./configure --enable-shared`)
endif
ifeq ($(wildcard $(PY_INCDIR)/Python.h),)
  $(error $(PY_INCDIR)/Python.h not found: install python3-dev\
    (python$(PY_SHORT)-dev), $(HINT))
endif
ifeq ($(wildcard $(PY_LIBRARY)),)
  $(error $(PY_LIBRARY) not found: install python3-dev\
    (libpython$(PY_SHORT)-dev), $(HINT))
endif

# Workers run as another user than the one who builds: a Python below a
# folder that only its owner may enter would build, and then fail to load.
PY_CLOSED := $(shell d=$(PY_LIBDIR); while [ "$$d" != / ]; do \
  find "$$d" -prune ! -perm -o+x; d=$$(dirname "$$d"); done)
ifneq ($(PY_CLOSED),)
  $(error $(PY_EXE) ($(PY_VERSION)) keeps its shared library below\
    $(PY_CLOSED), which only the owner may enter; workers run as another user\
    and could not load it: leave PYTHON out to use /usr/bin/python3, or\
    install that Python where everybody can read it, such as /opt)
endif

PY_INC := -isystem $(PY_INCDIR)
PY_LIBS := -L$(PY_LIBDIR) $(patsubst lib%.so,-l%,$(PY_SO))
# Outside the loader's own folders the runtime must say where its library is:
# the system's Python may have one of the same name.
ifeq ($(filter /usr/lib /usr/lib/% /lib/%,$(PY_LIBDIR)),)
  PY_LIBS += -Wl,-rpath,$(PY_LIBDIR)
endif

# ---- libcheck, for the unit tests; the goals that need it ask for it

CHECK_LIBS = $(or $(shell pkg-config --libs check 2>/dev/null),$(error \
  pkg-config or libcheck not found: install pkg-config check, $(HINT)))

# ---- the table that a build begins with

define FACTS
  httpd    $(HTTPD) ($(HTTPD_VERSION)), $(shell command -v $(APXS))
  APR      $(APR_CONFIG) ($(APR_VERSION))
  Python   $(PY_EXE) ($(PY_VERSION)), $(PY_LIBRARY)
  runtime  $(BUILD)/etcl/$(RUNTIME)
endef
ifneq ($(PATH_PYTHON),)
ifneq ($(realpath $(PATH_PYTHON)),$(realpath $(PY_EXE)))
define FACTS +=

  note     python3 on PATH is $(PATH_PYTHON), another Python; not used
endef
endif
endif
