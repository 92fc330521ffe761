//! Answers that are nearly those of an API that mints credentials: each is an answer or a failure, and no answer is larger than what
//! came.

use super::*;
use proptest::prelude::*;
use std::sync::{Arc, LazyLock, Mutex};
use tokio::runtime::Runtime;
use wiremock::{Mock, ResponseTemplate, matchers};

/// One stand-in for all of them, which answers whatever it is told to.
struct World {
    runtime: Runtime,
    answer: Arc<Mutex<Vec<u8>>>,
    providers: Vec<(Provider, Clock)>,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let runtime = Runtime::new().unwrap();
    let answer = Arc::<Mutex<Vec<u8>>>::default();
    let told = Arc::clone(&answer);
    let uri = runtime.block_on(async {
        let stand_in = MockServer::builder().disable_request_recording().start().await;
        let answer = move |_: &Request| ResponseTemplate::new(200).set_body_bytes(told.lock().unwrap().clone());
        Mock::given(matchers::any()).respond_with(answer).mount(&stand_in).await;
        let uri = stand_in.uri();
        // As long as the tests last.
        std::mem::forget(stand_in);
        uri
    });
    let all = [cloudflare::variables, twilio::variables, xirsys::variables, metered::variables];
    let providers = {
        let _inside = runtime.enter();
        all.iter().map(|variables| provider(&variables(&uri))).collect()
    };
    World { runtime, answer, providers }
});

/// Each is asked over a connection, which takes longer than reading alone.
fn a_few() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: (usual.cases / 16).max(16), ..usual }
}

/// A good answer of one of them, but for a few bytes and maybe its end.
fn nearly_an_answer() -> impl Strategy<Value = Vec<u8>> {
    let good = prop::sample::select(vec![
        r#"{"iceServers":[{"urls":["stun:a.example:3478"]},{"urls":["turn:a.example:3478?transport=udp"],"username":"u","credential":"c"}]}"#,
        r#"{"ice_servers":[{"url":"turn:a.example:3478","urls":"turn:a.example:3478","username":"u","credential":"c"}],"ttl":"86400"}"#,
        r#"{"v":{"iceServers":{"urls":["stun:a.example","turn:a.example:80?transport=udp"],"username":"u","credential":"c"}},"s":"ok"}"#,
        r#"[{"urls":"stun:a.example:80"},{"urls":"turn:a.example:80","username":"u","credential":"c"}]"#,
    ]);
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..5);
    let end = prop_oneof![4 => Just(None), 1 => any::<prop::sample::Index>().prop_map(Some)];
    (good, changes, end).prop_map(|(good, changes, end)| {
        let mut bytes = good.as_bytes().to_vec();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        bytes.truncate(end.map_or(bytes.len(), |end| end.index(bytes.len())));
        bytes
    })
}

proptest! {
    #![proptest_config(a_few())]

    #[test]
    fn nothing_that_an_api_answers_breaks_a_parser(answer in nearly_an_answer()) {
        let came = answer.len();
        WORLD.answer.lock().unwrap().clone_from(&answer);
        for (provider, clock) in &WORLD.providers {
            let Ok(grant) = WORLD.runtime.block_on(provider.mint(whom(), provider.life(), clock)) else { continue };
            let servers = grant.servers.to_servers();
            let urls = servers.iter().flat_map(|server| &server.urls).map(String::len).sum::<usize>();
            // However each is written.
            assert!(urls <= 3 * came && grant.life() <= provider.life(), "{}: {servers:?}", grant.provider);
        }
    }
}
