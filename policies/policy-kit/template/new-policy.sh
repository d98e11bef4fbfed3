#!/bin/sh
# Makes policies/NAME from this template: `just new-policy NAME`.
set -eu
name=${1:-}
template=$(dirname "$0")
policies=$template/../..
fail() { echo "error: $*" >&2; exit 1; }

case $name in
    "" | *[!a-z0-9-]* | [!a-z]* | *- | *--*)
        fail "\"$name\" is no name for a policy: write lower-case words with dashes between, such as disallow-latest-tag" ;;
esac
[ ! -e "$policies/$name" ] || fail "policies/$name exists"

title=$(echo "$name" | awk -F- '{ for (i = 1; i <= NF; i++) printf "%s%s", (i > 1 ? " " : ""), toupper(substr($i, 1, 1)) substr($i, 2) }')
type=$(echo "$title" | tr -d ' ')
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"$/\1/p' "$policies/../Cargo.toml")
model=$policies/require-if-not-present-pull

# A folder that is whole, or none: whatever is half done is somewhere else.
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
cp -r "$template/README.md" "$template/settings.schema.json" "$template/samples" "$template/src" "$made"
# Under its own name it would be a suite of a policy that is not there.
cp "$template/suite.yaml.template" "$made/suite.yaml"
sed "s/^name = .*/name = \"$name\"/; s/^description = .*/description = \"Rejects images that match a pattern\"/" "$model/Cargo.toml" >"$made/Cargo.toml"
# The rules and the home of the others; what is said of the policy is its own.
sed '/^annotations:/,$d; s/^mutating: .*/mutating: false/' "$model/metadata.yml" >"$made/metadata.yml"
sed "s/VERSION/$version/" "$template/annotations.yml" >>"$made/metadata.yml"
grep -E '^  io.kubewarden.policy.(author|license|url|source|ociUrl):|^  io.artifacthub.resources:' "$model/metadata.yml" |
    sed "s#/require-if-not-present-pull\$#/$name#" >>"$made/metadata.yml"
find "$made" -type f -exec sed -i "s/NewPolicy/$type/g; s/New Policy/$title/g; s/new-policy/$name/g" {} +
cp -r "$made" "$policies/$name"
chmod 755 "$policies/$name"

cat <<END
policies/$name
Next:
  cargo run -q -- test policies/$name    it builds, and passes its suite
  just artifacthub                       writes its settings table, its form and its package
See "Add a policy" in CONTRIBUTING.md.
END
