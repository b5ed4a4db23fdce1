#!/bin/sh
# Makes the virtual environment $1 from the lock and installs this project into it, editable.
# Called by `make setup`; repeating it is harmless.
set -eu

venv=${1:?usage: setup.sh VENV}
versions="3.13 3.12 3.11"

say() { printf 'setup: %s\n' "$*" >&2; }

suits() { # Is $1 a Python that we run on?
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null
}

has_venv() { # Can $1 make a virtual environment with pip in it?
    "$1" -c 'import venv, ensurepip' 2>/dev/null
}

# The distribution's own Python goes before others: it is built with profile-guided optimisation, which one that a version
# manager compiled seldom is. The daemon and the simulator take 15 to 18 % less of a processor with it (docs/benchmarks/README.md).
find_python() { # Prints the first Python that suits, one that has venv if there is such a one; $PYTHON_BASE goes first.
    without_venv=
    for candidate in ${PYTHON_BASE:-} /usr/bin/python3 $(printf 'python%s ' $versions) python3 python; do
        command -v "$candidate" >/dev/null && suits "$candidate" || continue
        if has_venv "$candidate"; then
            echo "$candidate"
            return
        fi
        without_venv=${without_venv:-$candidate}
    done
    if [ -z "$without_venv" ]; then
        say "no Python 3.11, 3.12 or 3.13 found. Install one, for example: apt-get install python3 python3-venv"
        say "or name it: make setup PYTHON_BASE=/path/to/python3.12"
        exit 1
    fi
    echo "$without_venv"
}

install_venv_module() { # Debian keeps venv apart; as root we may fetch it ourselves.
    package="python$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "installing $package"
        { apt-get update -qq && apt-get install -qq -y "$package"; } >&2 || true
    fi
    if ! has_venv "$1"; then
        say "$1 has no venv module. Install it: apt-get install $package"
        exit 1
    fi
}

can_build_tpm() { # Is there what tpm2-pytss is built from: a compiler, the TPM's library, Python's own headers?
    command -v cc >/dev/null && command -v pkg-config >/dev/null && pkg-config --exists tss2-esys && "$1" -c \
        'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_paths()["include"] + "/Python.h"))'
}

install_tpm() { # A TPM's library, and a TPM in software for the tests. Whoever has neither has everything else.
    packages="swtpm libtss2-dev pkg-config gcc libc6-dev"
    if ! { can_build_tpm "$1" && command -v swtpm >/dev/null; } && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        can_build_tpm "$1" || case $("$1" -c 'import sys; print(sys.base_prefix)') in
            /usr) packages="$packages $("$1" -c 'import sys; print("python%d.%d-dev" % sys.version_info[:2])')" ;;
        esac
        say "installing $packages"
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y $packages; } >&2 || true
    fi
    if can_build_tpm "$1"; then
        "$1" -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r requirements-tpm.lock
    else
        say "going on without a TPM, whose tests will fail. To have it: apt-get install $packages; make setup"
    fi
}

if [ ! -x "$venv/bin/python" ] || ! suits "$venv/bin/python"; then
    python=$(find_python)
    has_venv "$python" || install_venv_module "$python"
    say "making $venv with $("$python" --version)"
    "$python" -m venv --clear "$venv"
fi

say "installing what requirements-dev.lock names"
"$venv/bin/python" -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-dev.lock
install_tpm "$venv/bin/python"
"$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
say "done. A fleet on this machine: make demo. On many: docs/operating.md, from \"Once: who belongs to the fleet\" on"
