//! Other people's apps that may ask for credentials, from a file with a line for each.
//!
//! A line is a name and words with `=`: `forum key=.. origins=https://forum.example rate=100/1m`. Knows the form of the file;
//! what an app may do, [`ClientApps`](crate::server::guard::ClientApps) says.

use super::{ConfigError, values};
use crate::server::guard::{ClientAppConfig, KeyDigest, Origin, RateLimit};
use std::path::PathBuf;

/// The variables as they are written.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Other people's apps")]
pub(super) struct ClientAppArgs {
    /// File with the apps that may ask for credentials with a key of their own, a line for each, such as
    /// `forum key=5f1d... origins=https://forum.example rate=100/1m`. Instead of the key itself, `sha256=` and what `sha256sum`
    /// says of it. Pages may use the key from `origins` (with commas between them), programs always. `#` begins a comment.
    #[arg(long, env)]
    api_keys_file: Option<PathBuf>,

    /// How often an app may ask whose line has no `rate=`: requests per s, m or h.
    #[arg(long, env, default_value = "600/5m", value_parser = values::rate_limit)]
    rate_limit_api_key: RateLimit,
}

/// Shorter ones could be guessed.
const SHORTEST_KEY: usize = 16;

impl ClientAppArgs {
    /// The apps, none where there is no file.
    pub(super) fn resolve(self) -> Result<Vec<ClientAppConfig>, ConfigError> {
        let Some(file) = self.api_keys_file else { return Ok(Vec::new()) };
        let path = || file.display().to_string();
        let text = std::fs::read_to_string(&file).map_err(|cause| ConfigError::ApiKeysFile { path: path(), cause })?;
        read(&text, self.rate_limit_api_key).map_err(|(line, advice)| ConfigError::ApiKeysLine {
            path: path(),
            line,
            advice,
        })
    }
}

/// Every app of the file, or the number of the first line that is wrong and what to do about it. Nothing that may be a key is
/// repeated.
fn read(text: &str, usual_rate: RateLimit) -> Result<Vec<ClientAppConfig>, (usize, String)> {
    let mut apps: Vec<ClientAppConfig> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let app = app(line, usual_rate).map_err(|advice| (number, advice))?;
        let known = |key: &KeyDigest| apps.iter().flat_map(ClientAppConfig::keys).any(|other| other.is(key));
        if apps.iter().any(|other| other.name == app.name) {
            return Err((number, format!("there is a line for `{}` already; give each app one line", app.name)));
        }
        if app.keys().any(known) {
            return Err((number, "another app has the same key; give each app a key of its own".into()));
        }
        apps.push(app);
    }
    Ok(apps)
}

fn app(line: &str, usual_rate: RateLimit) -> Result<ClientAppConfig, String> {
    let mut words = line.split_whitespace();
    let name = words.next().filter(|name| is_name(name)).ok_or(
        "begin the line with the app's name, at most 32 letters, digits, hyphens and underscores, as in `forum key=..`",
    )?;
    let (mut keys, mut allowed, mut rate) = (Vec::new(), Vec::new(), usual_rate);
    for word in words {
        match word.split_once('=') {
            Some(("key", key)) => keys.push(digest_of(key)?),
            Some(("sha256", digest)) => keys.push(
                KeyDigest::parse(digest)
                    .ok_or("write 64 hexadecimal digits behind sha256=, as `sha256sum` prints them")?,
            ),
            Some(("origins", list)) => allowed.extend(origins(list)?),
            Some(("rate", text)) => {
                rate = RateLimit::parse(text).ok_or_else(|| {
                    format!("`rate={text}` means nothing; write requests per time, such as rate=100/1m")
                })?;
            }
            Some(_) | None => return Err("write key=, sha256=, origins= and rate= only, without spaces inside".into()),
        }
    }
    let mut keys = keys.into_iter();
    let key = keys.next().ok_or("give the app a key: key=, or sha256= and the key's digest")?;
    Ok(ClientAppConfig { name: name.to_owned(), key, other_keys: keys.collect(), origins: allowed, rate })
}

fn is_name(word: &str) -> bool {
    (1..=32).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// What a header and a query can carry, and nobody guesses.
fn digest_of(key: &str) -> Result<KeyDigest, String> {
    let usable = key.len() >= SHORTEST_KEY && key.bytes().all(|byte| byte.is_ascii_graphic());
    usable.then(|| KeyDigest::of(key)).ok_or_else(|| {
        format!("write a key of at least {SHORTEST_KEY} letters, digits and signs; `openssl rand -hex 24` makes one")
    })
}

fn origins(list: &str) -> Result<Vec<Origin>, String> {
    let read = |origin: &str| {
        Origin::parse(origin).ok_or_else(|| {
            format!(
                "`{origin}` is no origin; write scheme, host and port without a path, such as https://forum.example"
            )
        })
    };
    list.split(',').filter(|origin| !origin.is_empty()).map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const USUAL: RateLimit = RateLimit::of(600, 300);
    const KEY: &str = "5f1d2c0a9b8e7f6d5c4b3a29";

    #[test]
    fn an_app_has_a_name_keys_origins_and_a_rate() {
        let text = format!(
            "# apps\n\n  forum key={KEY} origins=https://forum.example,https://m.forum.example rate=100/1m\n\
             wiki-2 sha256=ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad key=another-key-of-wiki==\n"
        );
        let [forum, wiki] = read(&text, USUAL).unwrap().try_into().unwrap();
        assert_eq!((forum.name.as_str(), forum.rate, forum.other_keys.len()), ("forum", RateLimit::of(100, 60), 0));
        assert!(forum.key.is(&KeyDigest::of(KEY)));
        assert_eq!(
            forum.origins,
            ["https://forum.example", "https://m.forum.example"].map(|text| Origin::parse(text).unwrap())
        );
        assert_eq!((wiki.name.as_str(), wiki.rate, wiki.origins.len()), ("wiki-2", USUAL, 0));
        assert!(wiki.key.is(&KeyDigest::of("abc")) && wiki.other_keys[0].is(&KeyDigest::of("another-key-of-wiki==")));
        assert!(read("", USUAL).unwrap().is_empty());
    }

    #[test]
    fn the_first_wrong_line_is_named_with_what_to_write_and_no_key_is_repeated() {
        let wrong = [
            (format!("key={KEY}"), "begin the line with the app's name"),
            ("forum".into(), "give the app a key"),
            ("forum key=short".into(), "at least 16"),
            ("forum key=".into(), "at least 16"),
            (format!("forum sha256={KEY}"), "64 hexadecimal digits"),
            (format!("forum {KEY}"), "key=, sha256=, origins= and rate= only"),
            (format!("forum kee={KEY}"), "key=, sha256=, origins= and rate= only"),
            (format!("forum key={KEY} rate=often"), "rate=often"),
            (format!("forum key={KEY} origins=forum.example"), "`forum.example` is no origin"),
            ("other key=another-key-0123456789".into(), "already"),
            ("forum key=another-key-0123456789".into(), "the same key"),
        ];
        for (line, advice) in wrong {
            let (number, said) = read(&format!("\nother key=another-key-0123456789\n{line}\n"), USUAL).unwrap_err();
            assert!(number == 3 && said.contains(advice), "{line}: {number} {said}");
            assert!(!said.contains(KEY) && !said.contains("another-key"), "{said}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_lines_never_panic(text in "\\PC{0,80}(\n\\PC{0,40})?") {
            drop(read(&text, USUAL));
        }
    }
}
