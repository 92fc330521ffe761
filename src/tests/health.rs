//! What a container asks whether its server is well, and what it hears, also where the server speaks HTTPS by itself.

use super::app::{TestApp, config};
use crate::server::{
    certificate::tests::write,
    config::{Command, Config},
    health,
};
use std::{fs, path::Path};

#[tokio::test]
async fn a_server_says_that_it_is_well_with_a_certificate_of_its_own_and_without_until_it_is_gone() {
    let files = tempfile::tempdir().unwrap();
    // For another name than the one that is asked, and from nobody that anybody trusts.
    let (certificate, key, _) = write(&files);
    let sealed = [("TLS_CERT", certificate.to_str().unwrap()), ("TLS_KEY", key.to_str().unwrap())];
    for variables in [&[][..], &sealed[..]] {
        let app = TestApp::start(variables).await;
        let port = app.port().to_string();
        let ask = async || {
            let data = tempfile::tempdir().unwrap();
            let settings = config(&data, &[variables, &[("PORT", port.as_str())]].concat());
            health::ask(&settings.app).await.map_err(|unwell| unwell.to_string())
        };
        assert_eq!(ask().await, Ok(()));
        app.stop().await;
        let sentence = ask().await.unwrap_err();
        assert!(sentence.starts_with("nobody answers at http") && sentence.contains(&port), "{sentence}");
    }
}

#[tokio::test]
async fn whoever_else_has_the_port_is_not_taken_for_a_server_that_is_well() {
    let other = wiremock::MockServer::start().await;
    let port = other.address().port().to_string();
    let settings = config(&tempfile::tempdir().unwrap(), &[("PORT", port.as_str())]);
    let sentence = health::ask(&settings.app).await.unwrap_err().to_string();
    assert!(sentence.contains("answers 404 Not Found"), "{sentence}");
}

#[test]
fn the_container_asks_so() {
    let image = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/Dockerfile")).unwrap();
    let check = image.split_once("\nHEALTHCHECK ").unwrap().1.split_once("\nENTRYPOINT").unwrap().0;
    let asked: Vec<String> = serde_json::from_str(check.split_once("CMD ").unwrap().1).unwrap();
    let (command, config) = Config::read(asked.into_iter().map(Into::into), |_| None).unwrap();
    assert_eq!((command, config.app.port), (Command::Health, 3001));
}
