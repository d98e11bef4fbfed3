# Every command of the project, spelled once. CI has none of its own.

_default:
    @just --list --unsorted

# Checks the example shop.
[group('run')]
demo:
    cargo run -q -- check examples/shop -s examples/settings.yaml --world examples/world.yaml --offline

# Lays the shipped modules out as target/policies/<policy>.wasm.
[group('build')]
build-policies:
    cargo run -q -p bundle --bin lay-out-policies -- target/policies

# All tests, the quick way; `cargo test --workspace` runs the same.
[group('test')]
test *args:
    cargo nextest run --workspace {{ args }}
    cargo test --workspace --doc

# One policy's suite, through host-runner.
[group('test')]
suite policy:
    cargo run -q -- test policies/{{ policy }}

# Jenkins' schema of JUnit's XML, which pytest's source carries (MIT), for the tests of reports.
[group('test')]
fetch-schemas:
    mkdir -p target/schemas
    test -s target/schemas/junit-10.xsd || (cd target/schemas && python3 -m pip download --quiet --no-deps --no-binary :all: pytest==8.3.4 && tar xzf pytest-8.3.4.tar.gz --strip-components=3 pytest-8.3.4/testing/example_scripts/junit-10.xsd)

# Writes down what the command line and the README say now; look at the diff before it is committed.
[group('test')]
bless:
    BLESS=1 cargo nextest run -p bundle-tests --test shop
    INSTA_UPDATE=always BLESS=1 cargo nextest run -p host-runner

# Makes policies/NAME, which builds and passes its suite, to be changed into what it shall be.
[group('develop')]
new-policy name:
    policies/policy-kit/template/new-policy.sh {{ name }}

# Sets the version everywhere, builds reproducibly and lays the release out; --push publishes it. See CONTRIBUTING.md.
[group('release')]
release version *args:
    .ci/release {{ version }} {{ args }}

# Tries `just new-policy` and `just release` in clones, with a registry on this machine.
[group('test')]
try-recipes:
    cargo test -p bundle-tests --test recipes -- --ignored --test-threads 1

# Makes the settings tables of the READMEs, the forms and artifacthub/ anew from metadata.yml, settings.schema.json and README.md.
[group('release')]
artifacthub:
    # The packages are made from the forms.
    BLESS=1 cargo test -q -p bundle-tests --test settings
    BLESS=1 cargo test -q -p bundle-tests --test artifacthub

# Size and speed of each policy, as ratios within one run.
[group('bench')]
bench:
    cargo bench -p bundle-tests --bench policies

# Formatting, lints, documentation, layering.
[group('check')]
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- --deny warnings
    cargo clippy -p host-runner --no-default-features -- --deny warnings
    RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --no-deps --quiet
    ! grep -rln 'wasmtime::' host-runner/src --include='*.rs' | grep -v '^host-runner/src/policy/' | grep -v '^host-runner/src/lib.rs'

# Rewrites Rust files in the project's format.
[group('check')]
format:
    cargo fmt --all

# What CI runs.
[group('check')]
ci: lint
    cargo test --workspace
    just try-recipes
