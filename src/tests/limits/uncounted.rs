//! While nothing can be counted, as when the disk is full, and what `BANDWIDTH_WHEN_UNCOUNTED` does then.

use super::*;
use reqwest::Method;
use rusqlite::Connection;

const CREDENTIALS: &str = "/api/turn-credentials";
const TOKEN: &str = "south-by-southwest-0123456789";

/// A session whose server cannot write down any more what is reported to it.
struct Evening {
    app: TestApp,
    hand: ClockHand,
    host: Person,
    guest: Person,
    /// What keeps it from writing.
    full: Connection,
}

impl Evening {
    /// Begins, and goes on until the server has found out.
    async fn begin(more: &[(&str, &str)]) -> Self {
        let (app, hand) = app(&[&[("ADMIN_TOKEN", TOKEN)][..], more].concat()).await;
        let (host, mut guests) = session(&app, 1..2).await;
        let mut guest = guests.pop().unwrap();
        for token in [host.token, guest.token] {
            assert_relayed(&ask_as(&app, token).await, "coturn");
        }
        guest.has_relayed("coturn", 1_000_000).await;
        let full = Connection::open(std::path::Path::new(&app.data_dir()).join("usage.db")).unwrap();
        let trigger = "CREATE TRIGGER full BEFORE INSERT ON pair BEGIN SELECT RAISE(ABORT, 'full'); END";
        full.execute_batch(trigger).unwrap();
        guest.report("coturn", 2_000_000).await;
        let evening = Self { app, hand, host, guest, full };
        evening.until_counting("stopped").await;
        evening
    }

    /// Waits until the operator sees this. What was seen a moment ago is seen again, so moments pass: two at most since it was so.
    async fn until_counting(&self, wanted: &str) {
        let waiting = async {
            loop {
                self.hand.advance(Duration::from_secs(1));
                let view = self.app.request(Method::GET, "/api/admin/view").bearer_auth(TOKEN);
                if self.app.send(view).await.json()["counting"] == wanted {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(20), waiting).await;
        assert!(waited.is_ok(), "counting is never {wanted}");
    }

    /// There is room on the disk again, and browsers say again what they said in vain.
    async fn goes_on_counting(&mut self) {
        self.full.execute_batch("DROP TRIGGER full").unwrap();
        self.guest.has_relayed("coturn", 2_000_000).await;
        self.until_counting("works").await;
        assert_eq!(status(&self.app).await["bandwidthUsedBytes"], 2_000_000, "once");
    }

    async fn everybody_gets_a_relay(&self) {
        for token in [self.host.token, self.guest.token] {
            assert_relayed(&ask_as(&self.app, token).await, "coturn");
        }
        assert_relayed(&self.app.get(CREDENTIALS).await, "coturn");
        assert_eq!(status(&self.app).await["relays"], json!(["coturn"]));
    }
}

#[tokio::test]
async fn after_half_a_minute_in_which_nothing_could_be_counted_nobody_gets_a_relay_until_it_can_again() {
    for more in [&[][..], &[("BANDWIDTH_WHEN_UNCOUNTED", "closed")]] {
        let mut evening = Evening::begin(more).await;
        evening.everybody_gets_a_relay().await;

        evening.hand.advance(Duration::from_secs(30));
        for token in [evening.host.token, evening.guest.token] {
            assert_direct_only(&ask_as(&evening.app, token).await, "not_counted");
        }
        assert_direct_only(&evening.app.get(CREDENTIALS).await, "not_counted");
        let rest = evening.app.get("/api/turn?service=turn").await;
        assert_eq!((rest.status, rest.error_code().as_str()), (503, "no_relay"));
        let now = status(&evening.app).await;
        assert_eq!((&now["status"], &now["relays"]), (&json!("OK"), &json!([])));
        assert_eq!(now["bandwidthUsedBytes"], 1_000_000, "what could be written");
        // What runs already is not ended for it.
        evening.guest.plays_on().await;

        evening.goes_on_counting().await;
        evening.everybody_gets_a_relay().await;
    }
}

#[tokio::test]
async fn where_that_was_set_relays_are_given_on_trust_meanwhile() {
    let mut evening = Evening::begin(&[("BANDWIDTH_WHEN_UNCOUNTED", "open")]).await;
    evening.hand.advance(Duration::from_mins(10));
    evening.everybody_gets_a_relay().await;
    assert_eq!(status(&evening.app).await["bandwidthUsedBytes"], 1_000_000, "what could be written");
    evening.guest.plays_on().await;
    evening.goes_on_counting().await;
    evening.everybody_gets_a_relay().await;
}
