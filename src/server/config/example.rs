//! `.env.example`, made from what `--help` knows.

use super::command_line::{self, MAY_BE_EMPTY};
use std::{fmt::Write, path::Path};

const WIDTH: usize = 100;

/// The file as it should be.
fn env_example() -> String {
    let mut text = String::from(
        "# Copy to .env and fill in what you need. A variable that is left out, or empty, has its default; defaults are\n\
         # shown behind a #. What stands in the environment wins over this file. A test keeps it equal to --help.\n",
    );
    let mut heading = String::new();
    for arg in super::command_line::documented().get_arguments().filter(|arg| arg.get_help_heading().is_some()) {
        let variable = arg.get_id().as_str().to_uppercase();
        let section = arg.get_help_heading().unwrap_or_default();
        if section != heading {
            section.clone_into(&mut heading);
            write!(text, "\n# --- {heading} ---\n").unwrap();
        }
        let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
        let help = help.replace(&format!(" [env: {variable}]"), "");
        text.push('\n');
        let mut line = String::from("#");
        for word in help.split_whitespace() {
            if line.len() + 1 + word.len() > WIDTH {
                text.push_str(&line);
                text.push('\n');
                line = String::from("#");
            }
            line.push(' ');
            line.push_str(word);
        }
        let default = arg.get_default_values().first().and_then(|value| value.to_str()).unwrap_or_default();
        // Empty is not unset for all of them.
        let says_something = !default.is_empty() || MAY_BE_EMPTY.contains(&variable.as_str());
        let mark = if says_something { "#" } else { "" };
        write!(text, "{line}\n{mark}{variable}={default}\n").unwrap();
    }
    text
}

#[test]
fn the_example_is_what_the_program_says_of_itself() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(".env.example");
    let made = env_example();
    if std::env::var_os("TESSRO_WRITE_ENV_EXAMPLE").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(there == made, ".env.example is out of date: run this test once with TESSRO_WRITE_ENV_EXAMPLE=1");
}

#[test]
fn every_variable_is_in_the_help() {
    let help = command_line::documented().render_long_help().to_string();
    for variable in [
        "PORT",
        "CLIENT_URL",
        "RUST_LOG",
        "STUN_URLS",
        "TURN_PROVIDERS",
        "CLOUDFLARE_TURN_API_TOKEN_FILE",
        "METERED_APP",
        "TURN_RELAY_PUBLIC_ADDRESS",
        "TLS_CERT",
    ] {
        assert!(help.contains(&format!("[env: {variable}]")), "{variable}\n{help}");
    }
}
