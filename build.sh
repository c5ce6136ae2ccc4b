#!/usr/bin/env bash
# The one door to mner: setup, build, serve, test, bench. Every verb installs only what it needs and is missing,
# says what it does, asks nothing, and does nothing twice.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
readonly SELF=./build.sh

readonly BROWSER_TESTS=tests/browser
# Features of the workspace's members for lints and tests, and with a native GPU: a quarter of an hour of compiling more.
readonly NATIVE=mner-core/cli,mner-core/flex,mner-web/cpu
readonly NATIVE_GPU=$NATIVE,mner-core/wgpu
readonly PKG=www/pkg
# Where the engines of the browser tests lie.
export TEST_PKG=$PWD/$BROWSER_TESTS/node_modules/.pkg
readonly TEST_WASM=$BROWSER_TESTS/node_modules/.wasm
TARGET=${CARGO_TARGET_DIR:-target}

usage() {
    cat <<'TEXT'
Usage: ./build.sh VERB

  setup   install what is missing for all the other verbs
  build   compile the page's engines into www/pkg, compress them and the models, list their sizes; compile the command line
  serve   build the page's CPU engine, serve the page (PORT=8000), and build its WebGPU engine meanwhile
  engine  compile one of the page's engines: ./build.sh engine cpu|gpu
  package make the npm package of the JavaScript module, with both engines and no model, as dist/mner-mner-VERSION.tgz
  test    formatting, lints, documentation, Rust tests, browser tests
  test-gpu train on a GPU, a Vulkan driver that computes on the CPU, against the CPU (compiles for a quarter of an hour more)
  audit   licences and known weaknesses of everything below (compiles cargo-deny the first time; needs the network)
  bench   run the benchmarks

Respected: CARGO_TARGET_DIR, CHROMIUM (the browser's path), PORT, MNER_TEST_BUNDLE (a model folder for the browser tests),
PYTHON (an interpreter that has PyTorch and transformers, for the bench of training).
TEXT
}

say() { printf '== %s\n' "$*"; }

die() {
    printf 'build.sh: %s\n' "$*" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# --- What the verbs need -------------------------------------------------------------------------------------------

# apt_install WHY PACKAGE...
apt_install() {
    local why=$1 as_root=()
    shift
    have apt-get || die "$why is missing and there is no apt-get here. Install by hand: $*"
    if [ "$(id -u)" -ne 0 ]; then
        as_root=(sudo -n)
        if ! have sudo || ! sudo -n true 2>/dev/null; then
            die "$why is missing and installing it needs root. Run: sudo apt-get install $*"
        fi
    fi
    say "installing $* ($why)"
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

need_linker() { have cc || apt_install "a C compiler and linker" gcc libc6-dev; }

# A Vulkan driver that computes on the CPU, so that training on a GPU can be tested anywhere.
need_software_gpu() {
    ls /usr/share/vulkan/icd.d/lvp_icd*.json >/dev/null 2>&1 || apt_install "a software GPU for the tests" mesa-vulkan-drivers
}

# The toolchain, components and target that rust-toolchain.toml names.
need_rust() {
    have rustup || die "rustup is missing. Install it from https://rustup.rs"
    local channel
    channel=$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
    local components targets
    components=$(rustup component list --toolchain "$channel" --installed 2>/dev/null || true)
    targets=$(rustup target list --toolchain "$channel" --installed 2>/dev/null || true)
    if [[ $components != *rustfmt* || $components != *clippy* || $targets != *wasm32-unknown-unknown* ]]; then
        say "installing Rust $channel with rustfmt, clippy and the wasm target"
        rustup toolchain install "$channel" --profile minimal --no-self-update \
            --component rustfmt --component clippy --target wasm32-unknown-unknown
    fi
    need_linker
}

need_shellcheck() { have shellcheck || apt_install "a linter for shell scripts" shellcheck; }

need_cargo_deny() {
    have cargo-deny && return
    say "compiling cargo-deny, once"
    cargo install --locked cargo-deny@0.20.2
}

need_node() {
    if ! have node || ! have npm; then
        die "Node.js with npm is missing. Install Node 20 or later."
    fi
    [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || die "Node $(node --version) is too old: 20 is needed."
}

# The npm packages of the browser tests, once for each version of the lock file.
need_packages() {
    need_node
    local stamp=$BROWSER_TESTS/node_modules/.lock
    if ! cmp -s "$BROWSER_TESTS/package-lock.json" "$stamp"; then
        say "installing the browser tests' npm packages"
        npm ci --prefix "$BROWSER_TESTS" --no-audit --no-fund --loglevel=error
        cp "$BROWSER_TESTS/package-lock.json" "$stamp"
    fi
}

# What benches measure themselves against but PyTorch, once for each version of the list.
need_peers() {
    local folder=$TARGET/bench-peers list=tests/bench/requirements.txt
    if ! cmp -s "$list" "$folder/.list"; then
        python3 -c 'import ensurepip, venv' 2>/dev/null || apt_install "Python for the benches' peers" python3 python3-venv
        say "installing the benches' peers"
        rm -rf "$folder"
        python3 -m venv "$folder"
        "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$list"
        cp "$list" "$folder/.list"
    fi
    PEERS_PYTHON=$(realpath "$folder")/bin/python
    export PEERS_PYTHON
}

need_chromium() {
    if [ -z "${CHROMIUM:-}" ] && ! have chromium; then
        apt_install "a browser for the tests" chromium
    fi
    export CHROMIUM=${CHROMIUM:-$(command -v chromium)}
}

# --- Parts ---------------------------------------------------------------------------------------------------------

# engine DEVICE: mner-web for one device as it ships, as a JavaScript module in www/pkg/DEVICE.
engine() {
    local device=$1 profile out=$PKG/$1
    case $device in
    cpu) profile="wasm" ;;
    gpu) profile="wasm-gpu" ;;
    *) die "there is no engine '$device': cpu or gpu" ;;
    esac
    say "compiling the page's engine ($device)"
    # The wasm-bindgen step is a member of the workspace, so its version is the one in Cargo.lock.
    cargo build --package mner-bindgen --profile tool || return
    compile_wasm "$device" "$profile" || return
    wasm_module "$(compiled "$profile")" "$out" "$TARGET/tool/mner-bindgen" || return
    engine_sizes "$PKG"
    node web/precache.mjs www
}

# compile_wasm DEVICE PROFILE: mner-web for one device, and compiled PROFILE: where it lies. Devices of one profile share the place.
compile_wasm() {
    local features=$1
    [ "$1" != cpu ] || features+=,simd
    cargo build --package mner-web --features "$features" --target wasm32-unknown-unknown --profile "$2"
}

compiled() { printf '%s/wasm32-unknown-unknown/%s/mner_web.wasm' "$TARGET" "$1"; }

# wasm_module WASM FOLDER BINDGEN: the compiled mner-web WASM made a JavaScript module in FOLDER by BINDGEN. `check` runs it
# too, and there bash does not stop at failures by itself.
wasm_module() {
    local wasm=$1 out=$2 bindgen=$3
    cmp -s "$wasm" "$out/.input" && return
    # web/src/start.rs says what that costs.
    if grep -q command_export "$wasm"; then
        echo "every export of $wasm runs all constructors first: nothing calls __wasm_call_ctors" >&2
        return 1
    fi
    # Somebody may be looking at the page: the new engine takes the place of the old one at once.
    rm -rf "$out.new"
    "$bindgen" "$wasm" "$out.new" || return
    cp "$wasm" "$out.new/.input"
    rm -rf "$out"
    mv "$out.new" "$out"
}

# engine_sizes FOLDER: FOLDER/sizes.json, bytes of each engine that there is. The page reads it.
engine_sizes() {
    local pkg=$1 device module list=''
    for device in cpu gpu; do
        module=$pkg/$device/mner_web_bg.wasm
        [ -e "$module" ] || continue
        list+="${list:+, }\"$device\": $(($(wc -c <"$module")))"
    done
    printf '{ %s }\n' "$list" >"$pkg/sizes.json.new"
    mv "$pkg/sizes.json.new" "$pkg/sizes.json"
}

# www/models/index.json: the folders that hold a bundle.
list_models() {
    local weights list=''
    for weights in www/models/*/weights.bpk; do
        [ -e "$weights" ] || continue
        list+="${list:+, }\"$(basename "$(dirname "$weights")")\""
    done
    printf '[%s]\n' "$list" | cmp -s - www/models/index.json || printf '[%s]\n' "$list" >www/models/index.json
}

# What `test` runs beside its other steps, one at a time.
begun=

# check NAME COMMAND...: runs it, says how it went, and goes on; `failures` counts.
failures=0
check() {
    local name=$1
    shift
    say "$name"
    if "$@"; then
        echo "ok: $name"
    else
        echo "FAILED: $name"
        failures=$((failures + 1))
    fi
}

# The page's engines as the browser tests use them, compiled faster than what ships and kept apart from it. The compiling
# begins beside the native steps: both have crates that nothing else can be compiled beside, which leave a core idle.
begin_test_engines() {
    local device
    for device in cpu gpu; do
        compile_wasm "$device" wasm-test || return
        mkdir -p "$TEST_WASM/$device"
        cp "$(compiled wasm-test)" "$TEST_WASM/$device" || return
    done
}

test_engines() {
    local device
    wait "$begun" || {
        cat "$TEST_WASM/log"
        return 1
    }
    # Lints leave no program behind.
    cargo build --quiet --workspace --features "$NATIVE" --bin mner-bindgen --bin mner || return
    mkdir -p "$TEST_PKG"
    for device in cpu gpu; do
        # The module is called as the file is.
        wasm_module "$TEST_WASM/$device/mner_web.wasm" "$TEST_PKG/$device" "$TARGET/debug/mner-bindgen" || return
    done
    engine_sizes "$TEST_PKG"
}

# For the browser tests: the command line, whose answers the page's must be, and a model of random weights that reads
# images, unless MNER_TEST_BUNDLE names another.
test_model() {
    MNER=$(realpath "$TARGET/debug/mner")
    export MNER
    [ -z "${MNER_TEST_BUNDLE:-}" ] || return 0
    export MNER_TEST_BUNDLE=$PWD/$BROWSER_TESTS/node_modules/.test-model
    rm -rf "$MNER_TEST_BUNDLE"
    # A detector of random weights sees every place alike; with this seed, alike to the last bit on every device.
    "$MNER" init --system hamlearning --seed 2 --out "$MNER_TEST_BUNDLE"
}

# browser_tests FILE...: files of the browser tests.
browser_tests() (
    cd "$BROWSER_TESTS"
    node --test --test-reporter=spec "$@"
)

# All but those of the WebGPU engine.
other_browser_tests() {
    local file others=()
    for file in "$BROWSER_TESTS"/*.test.mjs; do
        [ "$(basename "$file")" = webgpu.test.mjs ] || others+=("$(basename "$file")")
    done
    browser_tests "${others[@]}"
}

# The tests of the WebGPU engine take longest, so they run beside all that comes after what they need.
begin_webgpu_tests() {
    browser_tests webgpu.test.mjs >"$TEST_WASM/webgpu.log" 2>&1 &
    begun=$!
}

webgpu_tests() {
    local status=0
    wait "$begun" || status=1
    cat "$TEST_WASM/webgpu.log"
    return "$status"
}

# --- Verbs ---------------------------------------------------------------------------------------------------------

setup() {
    need_rust
    need_shellcheck
    need_packages
    need_chromium
    need_software_gpu
    say "everything is installed"
}

build() {
    need_rust
    need_node
    engine cpu
    engine gpu
    list_models
    node web/pack.mjs "$PKG" www/models
    say "compiling the command line"
    cargo build --release --package mner-core --features cli,simd --bin mner
    say "done: the page is www/, the command line is $TARGET/release/mner"
}

serve() {
    need_rust
    need_node
    engine cpu
    list_models
    local server
    node "$BROWSER_TESTS/serve.mjs" www "${PORT:-8000}" &
    server=$!
    # shellcheck disable=SC2064  # the number of now
    trap "kill $server 2>/dev/null || true" EXIT
    sleep 1
    # It has said why.
    kill -0 "$server" 2>/dev/null || exit 1
    say "the page computes on the CPU; its WebGPU engine is being built, 12 to 20 minutes the first time"
    SECONDS=0
    # At a low priority: the page is in use.
    if nice -n 10 "$SELF" engine gpu; then
        say "the WebGPU engine is in after $(((SECONDS + 30) / 60)) minutes: reload the page to use it"
    else
        say "the WebGPU engine could not be built; the page goes on on the CPU"
    fi
    wait "$server"
}

# Its types come from the compiler that is among the browser tests' packages.
package() {
    need_rust
    need_packages
    engine cpu
    engine gpu
    node web/package.mjs "$PKG" dist/package
    (cd dist && npm pack ./package --loglevel=error)
    say "done: dist/ holds the package; install it with npm install FILE"
}

# cargo does not know the module that web/build.rs compiles.
format() { cargo fmt --all --check && rustfmt --check --edition 2024 web/src/relaxed/kernel.rs; }

# linted COMMAND...: a cargo command whose members are linted in the place of being compiled.
linted() { RUSTC_WORKSPACE_WRAPPER=$PWD/tests/lint.sh CLIPPY_ARGS=-Dwarnings__CLIPPY_HACKERY__ cargo "$@"; }

# Clippy and rustdoc over the workspace, every target of it.
lint_rust() { linted build --quiet --workspace --all-targets --features "$NATIVE"; }

# What is compiled for a page with WebGPU alone, on the dependencies of the tests' engine, which is done. As a library: the
# module would lie where the engine does.
lint_gpu_engine() {
    linted rustc --quiet --package mner-web --lib --crate-type rlib --features gpu --target wasm32-unknown-unknown --profile wasm-test
}

# Every shell script of the repository, also one that git does not know yet.
lint_scripts() {
    local scripts
    mapfile -t scripts < <(git ls-files --cached --others --exclude-standard -- '*.sh' .ci/run)
    shellcheck --shell=bash "${scripts[@]}"
}

audit() {
    need_rust
    need_cargo_deny
    cargo deny --workspace --features "$NATIVE_GPU,mner-web/gpu" check --config .cargo/deny.toml
}

test_all() {
    need_rust
    need_shellcheck
    need_packages
    need_chromium
    mkdir -p "$TEST_WASM"
    begin_test_engines >"$TEST_WASM/log" 2>&1 &
    begun=$!
    trap 'kill "$begun" 2>/dev/null || true' EXIT
    check rustfmt format
    check 'shell scripts' lint_scripts
    check 'JavaScript' npm run check --prefix "$BROWSER_TESTS" --silent
    # The same crates with the same features each time: what lies below them is compiled once.
    check 'clippy and rustdoc' lint_rust
    check 'page engines' test_engines
    list_models
    check 'test model' test_model
    begin_webgpu_tests
    check 'clippy of the WebGPU engine' lint_gpu_engine
    check 'Rust tests' cargo test --workspace --no-fail-fast --features "$NATIVE"
    check 'browser tests' other_browser_tests
    check 'WebGPU tests' webgpu_tests
    [ "$failures" -eq 0 ] || die "$failures of the steps above failed"
}

test_gpu() {
    need_rust
    need_software_gpu
    cargo test --workspace --features "$NATIVE_GPU" --test cli a_gpu_
}

# Every benchmark is one executable file, tests/bench/NAME.sh, that prints what it measured.
bench() {
    need_rust
    need_packages
    need_chromium
    need_peers
    local script processor
    processor=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1)
    say "on $(nproc) cores of ${processor:-$(uname -m)}"
    say "in vectors of $(grep -owE 'avx2|avx512f|avx512_vnni|avx_vnni|asimddp' /proc/cpuinfo 2>/dev/null | sort -u | paste -sd ' ' || true)"
    for script in tests/bench/*.sh; do
        [ -e "$script" ] || die "there is no benchmark in tests/bench"
        say "$(basename "$script" .sh)"
        "$script"
    done
}

case ${1:-help} in
engine)
    need_rust
    engine "${2:-}"
    ;;
setup | build | serve | package | bench | audit) "$1" ;;
test) test_all ;;
test-gpu) test_gpu ;;
help | -h | --help) usage ;;
*)
    usage >&2
    exit 2
    ;;
esac
