use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};

use super::authority::{Counting, authenticator, noon, secret, unknown, valid_until};
use crate::uses::{TokenUses, UnreportedUses};
use crate::{Authenticator, TokenUse};
use domain::TokenId;
use std::sync::Arc;
use uuid::Uuid;

fn address(n: u8) -> IpAddr {
    [10, 0, 0, n].into()
}

fn span(address: Option<IpAddr>, first: DateTime<Utc>, last: DateTime<Utc>) -> TokenUse {
    TokenUse { token_id: TokenId(Uuid::from_u128(2)), address, first_used_at: first, last_used_at: last }
}

async fn is_used(authenticator: &Authenticator, address: Option<IpAddr>, now: DateTime<Utc>) {
    authenticator.authenticate_from(secret(1).reveal(), address, now).await.unwrap();
}

#[tokio::test]
async fn a_use_is_told_soon_and_then_once_a_minute_also_of_a_cached_token() {
    let authenticator = authenticator(&Counting::new(valid_until(None)));
    let at = |seconds| noon() + TimeDelta::seconds(seconds);
    is_used(&authenticator, Some(address(1)), at(0)).await;
    is_used(&authenticator, Some(address(1)), at(1)).await;
    assert_eq!(authenticator.uses().due(at(2), false), [span(Some(address(1)), at(0), at(1))]);

    is_used(&authenticator, Some(address(1)), at(3)).await;
    is_used(&authenticator, Some(address(2)), at(40)).await;
    assert_eq!(authenticator.uses().due(at(41), false), [], "not twice in a minute");
    let both = [span(Some(address(1)), at(3), at(3)), span(Some(address(2)), at(40), at(40))];
    assert_eq!(authenticator.uses().due(at(62), false), both);
    assert_eq!(authenticator.uses().due(at(600), false), [], "nothing is told of a token that is not used");
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_the_minute() {
    let authenticator = authenticator(&Counting::new(valid_until(None)));
    is_used(&authenticator, None, noon()).await;
    assert_eq!(authenticator.uses().due(noon(), false).len(), 1);
    is_used(&authenticator, None, noon()).await;
    assert_eq!(authenticator.uses().due(noon(), true), [span(None, noon(), noon())]);
}

#[tokio::test]
async fn what_could_not_be_told_is_told_later() {
    let authority = Counting::new(valid_until(None));
    let authenticator = authenticator(&authority);
    is_used(&authenticator, Some(address(1)), noon()).await;
    authority.answer(None);
    let mut unreported = Vec::new();
    authenticator.report(&mut unreported, false).await;
    assert_eq!(unreported.len(), 1);
    authority.answer(Some(unknown()));
    authenticator.report(&mut unreported, false).await;
    assert_eq!((unreported.len(), authority.told.lock().unwrap().len()), (0, 1));
}

#[test]
fn a_token_shown_from_everywhere_takes_bounded_memory() {
    let (uses, token) = (UnreportedUses::default(), Arc::new(TokenUses::new(TokenId(Uuid::from_u128(2)))));
    for n in 0..=255 {
        uses.record(&token, Some(address(n)), noon());
    }
    let due = uses.due(noon(), false);
    assert_eq!((due.len(), due[16].address), (17, None));
}

#[tokio::test]
async fn a_refused_token_is_not_used() {
    let authority = Counting::new(valid_until(Some(noon() + TimeDelta::hours(1))));
    let authenticator = authenticator(&authority);
    is_used(&authenticator, None, noon()).await;
    authenticator.uses().due(noon(), true);
    let late = noon() + TimeDelta::hours(2);
    assert!(authenticator.authenticate(secret(1).reveal(), late).await.is_err());
    assert_eq!(authenticator.uses().due(late, true), []);
}
