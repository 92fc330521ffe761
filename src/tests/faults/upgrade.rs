//! A data directory of each version before, as it was then: made of the very statements that made it.

use crate::{domain::UnixMillis, server::usage::Month, tests::app::TestApp};
use rusqlite::Connection;
use std::{
    fs,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

/// The statements that lead to each layout, in order.
fn layouts() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/server/usage/schema");
    (1..).map_while(|number| fs::read_to_string(folder.join(format!("{number}.sql"))).ok()).collect()
}

fn now() -> UnixMillis {
    UnixMillis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap())
}

#[tokio::test]
async fn the_data_directory_of_every_version_before_is_taken_over_and_counts_on() {
    let layouts = layouts();
    assert!(layouts.len() >= 6, "the layouts are not where they should be");
    for layout in 1..=layouts.len() {
        let data = tempfile::tempdir().unwrap();
        let database = Connection::open(data.path().join("usage.db")).unwrap();
        for (number, statements) in layouts[..layout].iter().enumerate() {
            database.execute_batch(statements).unwrap();
            if number == 0 {
                let (month, at) = (Month::of(now()), now().0);
                let rows = format!(
                    "INSERT INTO pair VALUES ('0000000000000002', '0000000000000001', 'a', 'cloudflare', 4, 40000, 5, 2, 9);
                     INSERT INTO usage_event (month, at_ms, kind, bytes, connection, provider) VALUES
                        ('{month}', {at}, 'measured', 40008, '0000000000000001', 'cloudflare'),
                        ('{month}', {at}, 'estimated', 2000, '0000000000000003', NULL);"
                );
                database.execute_batch(&rows).unwrap();
            }
        }
        database.pragma_update(None, "user_version", i64::try_from(layout).unwrap()).unwrap();
        drop(database);
        let mut data = Some(data);
        // The second start finds the newest layout.
        for start in ["first", "second"] {
            let app = TestApp::start_in(data.take().unwrap(), &[]).await;
            let status = app.get("/api/bandwidth-status").await.json();
            assert_eq!(status["bandwidthUsedBytes"], 42_008, "layout {layout}, {start} start");
            data = Some(app.stop().await);
        }
    }
}

#[tokio::test]
async fn a_directory_of_a_version_to_come_is_left_alone_and_said() {
    let data = tempfile::tempdir().unwrap();
    let app = TestApp::start_in(data, &[]).await;
    let data = app.stop().await;
    let database = Connection::open(data.path().join("usage.db")).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    drop(database);
    let before = fs::read(data.path().join("usage.db")).unwrap();
    let said = TestApp::refuses_in(&data, &[]).await;
    assert!(said.contains("layout 99") && said.contains("Run that version, or set DATA_DIR"), "{said}");
    assert_eq!(fs::read(data.path().join("usage.db")).unwrap(), before, "nothing was touched");
}
