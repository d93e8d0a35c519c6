//! TLS and tokens, against a broker that lets nobody in without.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use local_broker::{Broker, Installation, Options, Security};
use ring::hmac;
use tokio::task::spawn_blocking;

use super::*;
use crate::pulsar::{PulsarConfig, PulsarPublisher, PulsarSubscription};
use crate::{EventSubscription, Feed, Group};

/// A token as the broker's own tools make them (JWT, HS256).
fn token(secret: &[u8], subject: &str) -> String {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let said = format!("{}.{}", encode(r#"{"alg":"HS256"}"#), encode(&format!(r#"{{"sub":"{subject}"}}"#)));
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), said.as_bytes());
    format!("{said}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn self_signed() -> (String, String) {
    let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    (certified.cert.pem(), certified.signing_key.serialize_pem())
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_and_with_a_token_everything_travels_and_nobody_else_gets_in() {
    let secret = [7; 32];
    let ((certificate, key), admin) = (self_signed(), token(&secret, "admin"));
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let (ours, foreign) = (file("ours.pem", &certificate), file("foreign.pem", &self_signed().0));
    let security = Security { certificate, key, token_secret: STANDARD.encode(secret), token: admin.clone() };
    let starting = spawn_blocking(move || {
        let installation = Installation::ensure(&local_broker::never).unwrap();
        let options = Options { security: Some(security), ..Options::default() };
        Broker::start(&installation, options, &local_broker::never).unwrap()
    });
    let broker = starting.await.unwrap();
    let config = PulsarConfig {
        namespace: "secured".to_owned(),
        tls_ca: Some(ours),
        token: Some(admin),
        ..PulsarConfig::at(broker.tls_url().parse().unwrap(), Some(broker.web_tls_url().parse().unwrap()))
    };

    let mut house = house().await;
    let publisher = |config: PulsarConfig| PulsarPublisher::new(config, Feed::Activities, house.log.clone());
    for (who, config) in [
        ("without a token", PulsarConfig { token: None, ..config.clone() }),
        ("with a forged token", PulsarConfig { token: Some(token(&[8; 32], "admin")), ..config.clone() }),
        (
            "as nobody in particular",
            PulsarConfig { token: Some(token(&secret, "mallory")), ..config.clone() },
        ),
        ("who trusts another authority", PulsarConfig { tls_ca: Some(foreign), ..config.clone() }),
    ] {
        assert!(publisher(config).prepare().await.is_err(), "somebody {who} got in");
    }

    let publisher = Arc::new(publisher(config.clone()));
    publisher.prepare().await.unwrap();
    let copied = Copied::empty().await;
    let group = Group::shared("secured");
    let subscription = PulsarSubscription::new(config, Feed::Activities, copied.log.clone(), &group);
    let connected = async { while subscription.published().await.is_err() {} };
    tokio::time::timeout(PATIENCE, connected).await.unwrap();
    house.relay(publisher);
    let customer = CustomerId(Uuid::now_v7());
    house.append_many(customer, 100).await;
    let partition = house.log.partitions().of(customer);
    copied.fill(&house.log, partition).await;
    let mut reached = 0;
    let receiving = async {
        while reached < 100 {
            let _ = subscription.published().await;
            let events = subscription.fetch(partition, reached, 100).await.unwrap();
            assert!(events.iter().all(|event| event.metadata.as_str() != COPIED), "it was read from the log");
            reached = events.last().map_or(reached, |event| event.position);
        }
    };
    tokio::time::timeout(PATIENCE, receiving).await.unwrap();
}
