//! Which Tessro answers: `--version`, `/metrics`, and what the scripts tell a build of its commit.

use super::app::TestApp;
use crate::server::{
    config::{Config, ConfigError},
    version::{commit, version},
};
use clap::error::ErrorKind;
use std::{fs, path::Path, process::Command};

#[test]
fn the_command_line_answers_with_the_version_and_the_commit_of_the_build() {
    for asked in ["--version", "-V"] {
        let answer = match Config::read(["tessro".into(), asked.into()], |_| None) {
            Err(ConfigError::CommandLine(answer)) => answer,
            other => panic!("{:?}", other.map(|(command, _)| command)),
        };
        assert_eq!(answer.kind(), ErrorKind::DisplayVersion);
        assert_eq!(answer.to_string(), format!("tessro {}\n", version()));
    }
    // A program reads the version as the second word, and what follows it as the commit.
    let mut words = version().split(' ');
    assert_eq!(words.next(), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!(words.next().map(str::to_owned), commit().map(|commit| format!("({commit})")));
    assert_eq!(words.next(), None);
}

#[tokio::test]
async fn figures_say_the_same_commit() {
    let app = TestApp::start(&[]).await;
    let figures = app.get("/metrics").await.text;
    let build = figures.lines().find(|line| line.starts_with("tessro_build_info{")).unwrap();
    assert!(build.contains(&format!("version=\"{}\"", env!("CARGO_PKG_VERSION"))), "{build}");
    assert!(build.contains(&format!("commit=\"{}\"", commit().unwrap_or_default())), "{build}");
}

/// What is run knows nothing of another tree that this one stands in, or that the tests were started from.
fn alone(command: &mut Command, tree: &Path) {
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(variable);
    }
    command.env("GIT_CEILING_DIRECTORIES", tree.parent().unwrap());
}

/// What git says in a tree.
fn git(tree: &Path, arguments: &[&str]) -> String {
    let mut git = Command::new("git");
    alone(&mut git, tree);
    let identity = ["-c", "user.name=Ada", "-c", "user.email=ada@mail.example", "-c", "commit.gpgsign=false"];
    let output = git.arg("-C").arg(tree).args(identity).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("git is needed ({error})"));
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The commit that the scripts tell a build in this tree.
fn told(tree: &Path) -> String {
    let script = "source \"$0\"; root=$1; unset TESSRO_COMMIT; tell_commit; printf %s \"$TESSRO_COMMIT\"";
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("script/lib.sh");
    let mut bash = Command::new("bash");
    alone(&mut bash, tree);
    let output = bash.args(["-c", script]).arg(shared).arg(tree).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_build_of_a_clean_tree_is_told_its_commit_and_one_with_changes_that_it_has_some() {
    let tree = tempfile::tempdir().unwrap();
    let file = tree.path().join("file");
    assert_eq!(told(tree.path()), "", "it came without its history");
    fs::write(&file, "first").unwrap();
    git(tree.path(), &["init", "--quiet"]);
    git(tree.path(), &["add", "file"]);
    git(tree.path(), &["commit", "--quiet", "--message", "First"]);
    // A name that somebody gave it says less.
    git(tree.path(), &["tag", "v1"]);
    let head = git(tree.path(), &["rev-parse", "--short=12", "HEAD"]);
    assert_eq!(told(tree.path()), head);
    fs::write(&file, "second").unwrap();
    assert_eq!(told(tree.path()), format!("{head}-dirty"));
}
