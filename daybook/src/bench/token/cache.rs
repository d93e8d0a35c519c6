//! The cache of validated tokens, in this process and in front of the real customers.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;

use access::{Authenticator, AuthenticatorConfig, HttpAuthority};
use chrono::Utc;

use super::edges::Edges;
use crate::bench::client::all;
use crate::bench::owner::Owner;
use crate::failure::Failure;

const VALIDATIONS: usize = 200_000;
const FIRST_USES: usize = 1_000;
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn authenticator(edges: &Edges) -> Authenticator {
    let authority = HttpAuthority { upstream: edges.customers.clone(), key: edges.key.clone() };
    Authenticator::new(Arc::new(authority), AuthenticatorConfig::default())
}

async fn validate(authenticator: &Authenticator, secret: &str) -> Result<(), Failure> {
    let admitted = authenticator.authenticate_from(secret, Some(ADDRESS), Utc::now()).await;
    admitted.map(|principal| drop(black_box(principal))).map_err(|denied| Failure::Failed(denied.to_string()))
}

/// Nanoseconds of the middle one of many validations of a token that is in the cache: from the text that the client sent to
/// the principal, its hash and the note of its use included.
pub(super) async fn cached(edges: &Edges) -> Result<f64, Failure> {
    let (authenticator, secret) =
        (authenticator(edges), Owner::sign_up(edges.door()?).await?.issue().await?.secret);
    validate(&authenticator, &secret).await?;
    let mut times = Vec::with_capacity(VALIDATIONS);
    for _ in 0..VALIDATIONS {
        let began = Instant::now();
        validate(&authenticator, black_box(&secret)).await?;
        times.push(began.elapsed().as_secs_f64() * 1e9);
    }
    Ok(crate::bench::median(&mut times))
}

/// How often customers is asked when many tasks show a token for the first time at once.
pub(super) async fn first_uses(edges: &Edges) -> Result<f64, Failure> {
    let authenticator = authenticator(edges);
    let secret: Arc<str> = Owner::sign_up(edges.door()?).await?.issue().await?.secret.into();
    let before = edges.validations();
    let together = Arc::new(tokio::sync::Barrier::new(FIRST_USES));
    let tasks = (0..FIRST_USES).map(|_| {
        let (authenticator, secret, together) =
            (authenticator.clone(), Arc::clone(&secret), Arc::clone(&together));
        tokio::spawn(async move {
            together.wait().await;
            validate(&authenticator, &secret).await
        })
    });
    all(tasks).await?;
    let calls = edges.validations() - before;
    if calls == 0 {
        return Err(Failure::Failed("1,000 uses of a token were let in without a question".to_owned()));
    }
    Ok(calls as f64)
}
