//! A real coturn with a database, and coturn's own client.

use super::*;
use crate::tests::{app::Log, ports::free_port};
use rusqlite::Connection;
use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

const REALM: &str = "tessro.test";

/// What Debian's `coturn` puts into a new database.
const TABLE: &str =
    "CREATE TABLE turn_secret (realm varchar(127) default '', value varchar(256), primary key (realm, value))";

/// A coturn that is started by the test and ends with it.
struct Coturn {
    process: Child,
    port: u16,
    database: PathBuf,
    folder: TempDir,
}

impl Coturn {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let (database, log) = (folder.path().join("turndb"), folder.path().join("log"));
        Connection::open(&database).unwrap().execute(TABLE, []).unwrap();
        let config = folder.path().join("turnserver.conf");
        let lines = [
            format!("listening-port={port}\nrealm={REALM}\nuserdb={}\nlog-file={}", database.display(), log.display()),
            "listening-ip=127.0.0.1\nrelay-ip=127.0.0.1\nmin-port=53000\nmax-port=53999".to_owned(),
            "use-auth-secret\nallow-loopback-peers\nno-cli\nno-tls\nno-dtls\nverbose\nsimple-log".to_owned(),
            format!("pidfile={}\n", folder.path().join("pid").display()),
        ];
        std::fs::write(&config, lines.join("\n")).unwrap();
        let process =
            Command::new("turnserver").arg("-c").arg(&config).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let process = process.unwrap_or_else(|error| panic!("turnserver ({error}): script/bootstrap test installs it"));
        let coturn = Self { process, port, database, folder };
        until("coturn is up", || coturn.log().contains("UDP listener opened on").then_some(())).await;
        coturn
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn secrets(&self) -> u32 {
        let database = Connection::open(&self.database).unwrap();
        database.query_row("SELECT count(*) FROM turn_secret", [], |row| row.get(0)).unwrap()
    }

    /// Has coturn's client send this many messages over a relay that is allocated with the grant.
    fn talk(&self, grant: &Grant, messages: u32) -> Child {
        let server = grant.servers.to_servers().remove(0);
        Command::new("turnutils_uclient")
            .args(["-y", "-c", "-m", "1", "-z", "20", "-n", &messages.to_string()])
            .args(["-u", &server.username.unwrap(), "-w", &server.credential.unwrap(), "-p", &self.port.to_string()])
            .arg("127.0.0.1")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Whether a relay is allocated for whoever has this grant, and carries.
    fn takes(&self, grant: &Grant) -> bool {
        carried(&self.talk(grant, 1).wait_with_output().unwrap())
    }
}

impl Drop for Coturn {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Whether every message came back. An allocation that is refused is said so.
fn carried(output: &Output) -> bool {
    let text = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned();
    let refused = text.contains("Cannot complete Allocation");
    let whole = text.contains("Total lost packets 0 (0.000000%), total send dropped 0");
    assert!(refused != whole, "{text}");
    whole
}

fn variables(urls: String, database: &Path) -> Variables {
    vec![
        ("COTURN_URLS", urls),
        ("COTURN_SECRET_ROTATION", "30d".to_owned()),
        ("COTURN_DATABASE", database.to_str().unwrap().to_owned()),
        ("COTURN_REALM", REALM.to_owned()),
    ]
}

#[tokio::test]
async fn a_relay_in_use_outlives_its_secret_and_new_ones_take_the_new_one() {
    let log = Log::listen();
    let coturn = Coturn::start().await;
    let process = Process::start(variables(format!("turn:127.0.0.1:{}", coturn.port), &coturn.database));
    let first_key = until("a first secret signs", || process.current()).await;
    let first = process.mint().await.unwrap();
    assert!(coturn.takes(&first) && coturn.secrets() == 1);

    process.pass(DAY * 30);
    until("another secret signs", || process.current().filter(|key| *key != first_key)).await;
    let second = process.mint().await.unwrap();
    assert!(coturn.takes(&second) && coturn.takes(&first) && coturn.secrets() == 2, "both work side by side");

    let user = first.handle.as_ref().unwrap().username().to_owned();
    let allocated = || {
        let said = |line: &&str| line.contains("ALLOCATE processed, success") && line.contains(&user);
        coturn.log().lines().filter(said).count()
    };
    let before = allocated();
    let in_use = coturn.talk(&first, 150);
    until("a relay is in use", || (allocated() > before).then_some(())).await;
    process.pass(DAY + HOUR * 2);
    until("the old secret is out", || (coturn.secrets() == 1).then_some(())).await;
    assert!(!coturn.takes(&first), "what the old one signed is refused");
    assert!(coturn.takes(&second));
    assert!(carried(&in_use.wait_with_output().unwrap()), "what was allocated with it goes on");

    let database = Connection::open(&coturn.database).unwrap();
    let secret: String = database.query_row("SELECT value FROM turn_secret", [], |row| row.get(0)).unwrap();
    let (name, random) = secret.split_once('.').unwrap();
    assert!(log.text().contains(name) && !log.text().contains(random), "names are said, secrets are not");
}

#[tokio::test]
async fn secrets_of_the_operator_stay_and_a_database_that_is_none_is_said() {
    let log = Log::listen();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("turndb");
    let mut by_hand = variables("turn:127.0.0.1".to_owned(), &path);
    by_hand.push(("COTURN_SHARED_SECRET", "by-hand".to_owned()));
    let process = Process::start(by_hand);
    let sentence = format!("coturn's database {} cannot be used", path.display());
    until("it is said", || log.text().contains(&sentence).then_some(())).await;
    assert!(!path.exists(), "no file is made that coturn does not know");
    assert!(process.mint().await.is_ok(), "the secret that was made by hand signs");

    let database = Connection::open(&path).unwrap();
    database.execute(TABLE, []).unwrap();
    database
        .execute("INSERT INTO turn_secret VALUES (?1, 'theirs'), ('other', 'tessro-0000000000000000.x')", [REALM])
        .unwrap();
    process.pass(HOUR);
    let first = until("a first secret signs", || process.current()).await;
    process.pass(DAY * 30);
    until("another secret signs", || process.current().filter(|key| *key != first)).await;
    process.pass(DAY * 2);
    let count = || database.query_row("SELECT count(*) FROM turn_secret", [], |row| row.get::<_, u32>(0)).unwrap();
    until("theirs and the new one", || (count() == 3).then_some(())).await;
    let theirs = "SELECT count(*) FROM turn_secret WHERE value IN ('theirs', 'tessro-0000000000000000.x')";
    assert_eq!(database.query_row(theirs, [], |row| row.get::<_, u32>(0)).unwrap(), 2);
}
