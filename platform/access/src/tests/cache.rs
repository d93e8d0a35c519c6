use std::time::{Duration, Instant};

use chrono::TimeDelta;
use moka::Expiry;

use super::authority::{Counting, authenticator, noon, principal, secret, unknown, valid_until};
use crate::entry::{Entry, Lifetimes};
use crate::{Denied, Refusal, Validated};

const DAY: Duration = Duration::from_hours(24);

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_callers_who_miss_together_make_one_call() {
    let authority = Counting::new(valid_until(None));
    authority.hold();
    let authenticator = authenticator(&authority);
    let callers: Vec<_> = (0..1_000)
        .map(|_| {
            let authenticator = authenticator.clone();
            tokio::spawn(async move { authenticator.authenticate(secret(1).reveal(), noon()).await })
        })
        .collect();
    authority.is_asked(1).await;
    authority.may_answer.add_permits(10);
    for caller in callers {
        assert_eq!(*caller.await.unwrap().unwrap(), principal());
    }
    assert_eq!(authority.asked(), 1);
}

#[test]
fn an_entry_lives_a_day_or_until_its_tokens_end() {
    let lives = |expires_at, now| {
        let validated = Validated { principal: principal(), expires_at };
        let entry = Entry::valid(validated, DAY, now);
        let hash = secret(1).hash();
        let created = Lifetimes.expire_after_create(&hash, &entry, Instant::now());
        let updated =
            Lifetimes.expire_after_update(&hash, &entry, Instant::now(), Some(Duration::from_secs(1)));
        assert_eq!(created, updated, "writing over an entry counts anew");
        created.unwrap()
    };
    assert_eq!(lives(None, noon()), DAY);
    assert_eq!(lives(Some(noon() + TimeDelta::days(2)), noon()), DAY);
    assert_eq!(lives(Some(noon() + TimeDelta::hours(1)), noon()), Duration::from_hours(1));
    assert_eq!(lives(Some(noon()), noon() + TimeDelta::hours(1)), Duration::ZERO);
}

#[tokio::test]
async fn a_cached_token_is_refused_after_its_own_end() {
    let authority = Counting::new(valid_until(Some(noon() + TimeDelta::hours(1))));
    let authenticator = authenticator(&authority);
    assert!(authenticator.authenticate(secret(1).reveal(), noon()).await.is_ok());
    let late = authenticator.authenticate(secret(1).reveal(), noon() + TimeDelta::hours(1)).await;
    assert_eq!((late.unwrap_err(), authority.asked()), (Denied::Refused(Refusal::Expired), 1));
}

#[tokio::test]
async fn a_refusal_is_kept_for_a_while() {
    let authority = Counting::new(unknown());
    let authenticator = authenticator(&authority);
    for _ in 0..100 {
        let refused = authenticator.authenticate(secret(1).reveal(), noon()).await;
        assert_eq!(refused.unwrap_err(), Denied::Refused(Refusal::Unknown));
    }
    assert_eq!(authority.asked(), 1);
}

#[tokio::test]
async fn a_text_that_is_no_token_costs_no_call() {
    let authority = Counting::new(valid_until(None));
    let authenticator = authenticator(&authority);
    let typo = secret(1).reveal().replace('1', "2");
    for text in [typo.as_str(), "", "dbk_", "Bearer", &"x".repeat(10_000)] {
        assert_eq!(authenticator.authenticate(text, noon()).await.unwrap_err(), Denied::Malformed);
    }
    assert_eq!(authority.asked(), 0);
}

#[tokio::test]
async fn without_the_authority_known_tokens_work_and_others_wait() {
    let authority = Counting::new(valid_until(None));
    let authenticator = authenticator(&authority);
    assert!(authenticator.authenticate(secret(1).reveal(), noon()).await.is_ok());
    authority.answer(None);
    assert!(authenticator.authenticate(secret(1).reveal(), noon()).await.is_ok());
    assert_eq!(
        authenticator.authenticate(secret(2).reveal(), noon()).await.unwrap_err(),
        Denied::Unavailable
    );
    authority.answer(Some(valid_until(None)));
    assert!(authenticator.authenticate(secret(2).reveal(), noon()).await.is_ok(), "no answer is not kept");
}
