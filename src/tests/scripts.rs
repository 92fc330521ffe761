//! What `script/server` has its program find in the environment, with stubs in place of the build and the program.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

/// Does nothing, and all went well.
const NOTHING: &str = "#!/bin/sh\nexit 0\n";

/// Says what it was started with.
const SAYS: &str = "#!/bin/sh\necho \"development=${TURN_RELAY_DEVELOPMENT-unset} with $*\"\n";

/// Makes a program of this text. Another process writes it: a file that this one has open for writing cannot be started, and whatever
/// a test beside this one starts has it open for a moment as well.
fn program(text: &str, at: &Path) {
    let draft = at.with_extension("draft");
    fs::write(&draft, text).unwrap();
    assert!(Command::new("install").args(["-m", "755"]).arg(&draft).arg(at).status().unwrap().success());
}

/// The last line of `script/server --help` in a tree with this `.env`, by whoever has these variables and no others.
fn served(dot_env: Option<&str>, variables: &[(&str, &str)]) -> String {
    let tree = tempfile::tempdir().unwrap();
    let at = |name: &str| tree.path().join(name);
    for folder in ["script", "src", "target/release", "cache/tools/bin"] {
        fs::create_dir_all(at(folder)).unwrap();
    }
    for script in ["script/server", "script/lib.sh"] {
        fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join(script), at(script)).unwrap();
    }
    for stub in ["script/bootstrap", "cache/tools/bin/cargo"] {
        program(NOTHING, &at(stub));
    }
    program(SAYS, &at("target/release/tessro"));
    if let Some(text) = dot_env {
        fs::write(at(".env"), text).unwrap();
    }
    let mut server = Command::new("bash");
    server.arg(at("script/server")).arg("--help").stdin(Stdio::null()).env_clear();
    server.env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", tree.path()).env("TESSRO_CACHE", at("cache"));
    let output = server.envs(variables.iter().copied()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().last().unwrap_or_default().to_owned()
}

#[test]
fn whoever_serves_from_the_tree_has_a_relay_for_developers_unless_they_said_otherwise() {
    let set = "development=1 with --help";
    assert_eq!(served(None, &[]), set);
    for silent in ["PORT=3001\n", "#TURN_RELAY_DEVELOPMENT=0\n", "TURN_RELAY_DEVELOPMENT=\n"] {
        assert_eq!(served(Some(silent), &[]), set, "{silent}");
    }
    assert_eq!(served(None, &[("TURN_RELAY_DEVELOPMENT", "0")]), "development=0 with --help");
    // The program reads the file itself, and what stands in the environment would win over it.
    assert_eq!(served(Some("PORT=3001\nTURN_RELAY_DEVELOPMENT=0\n"), &[]), "development=unset with --help");
    let both = served(Some("TURN_RELAY_DEVELOPMENT=1\n"), &[("TURN_RELAY_DEVELOPMENT", "0")]);
    assert_eq!(both, "development=0 with --help");
}
