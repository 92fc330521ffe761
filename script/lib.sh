# What script/bootstrap, script/server and script/test share: where things lie, how they speak to the person in front
# of them, and the PATH on which the build finds its own tools first. Sourced, never run.
# shellcheck shell=bash
# shellcheck disable=SC2034 # the variables are for those who source this

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

# Tools and build products stay outside the tree, so that a fresh clone or a cleaned tree does not compile them again.
cache="${TESSRO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tessro}"
tools="$cache/tools"
logs="$cache/log"

# The build goes through the tree's `target`: the scripts and the browser tests look for the binary there.
unset CARGO_TARGET_DIR CARGO_BUILD_TARGET_DIR

# A log file wants lines, not a progress bar that redraws itself.
if [ ! -t 2 ]; then
  export CARGO_TERM_PROGRESS_WHEN="${CARGO_TERM_PROGRESS_WHEN:-never}"
  export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-never}"
fi

say() {
  printf '%s: %s\n' "$(basename "$0")" "$*"
}

# One sentence: what cannot be had, and the way out.
give_up() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

have() {
  command -v "$1" >/dev/null 2>&1
}

# one_at_a_time LOCK WHO: waits while another run holds the lock, then holds it on descriptor 9 until that is closed.
# Commands that may leave something running behind get 9>&-. macOS has no flock, and goes without.
one_at_a_time() {
  have flock || return 0
  exec 9>"$cache/$1.lock"
  if ! flock -n 9; then
    say "$2 is at work, waiting for it"
    flock 9
  fi
}

# All clones build into the same place: one that builds would take the binary from under another's tests.
build_alone() {
  one_at_a_time test "another build or test"
  build_this_tree
}

# Cargo names what it builds by the path within the tree, and asks the clock whether it is fresh: what a younger clone elsewhere
# built would be taken for this tree's, whose files are older, and its tests would look for theirs over there.
build_this_tree() {
  local of="$root/target/built-of"
  [ "$(cat "$of" 2>/dev/null)" = "$root" ] && return
  [ -z "$(ls -A "$root/target/" 2>/dev/null)" ] || touch "$root/src/lib.rs" "$root/src/main.rs"
  mkdir -p "$root/target"
  printf '%s\n' "$root" >"$of"
}

# The first directories of PATH for everything that builds, whether they exist yet or not.
build_path="$tools/bin:$tools/npm/node_modules/.bin"

use_build_tools() {
  case ":$PATH:" in
    *":$build_path:"*) ;;
    *) export PATH="$build_path:$PATH" ;;
  esac
}

# The page is built in two parts; see lib.rs.
release_build() {
  tell_commit
  cargo leptos build --release --split --lib-features hydrate,split -P
}

# What `tessro --version` says: the commit, and -dirty behind it where the tree has changes that are in none. Whoever builds from a
# tarball may set it themselves.
tell_commit() {
  TESSRO_COMMIT="${TESSRO_COMMIT:-$(git -C "$root" describe --always --dirty --abbrev=12 --exclude '*' 2>/dev/null || true)}"
  export TESSRO_COMMIT
}
