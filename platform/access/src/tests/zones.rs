use chrono_tz::Tz;

use super::authority::{Counting, authenticator, noon, principal, secret, valid_until};
use crate::Authenticator;

async fn zone(authenticator: &Authenticator) -> Tz {
    authenticator.authenticate(secret(1).reveal(), noon()).await.unwrap().time_zone
}

#[tokio::test]
async fn a_customer_that_moves_takes_its_cached_tokens_along() {
    let authority = Counting::new(valid_until(None));
    let authenticator = authenticator(&authority);
    assert_eq!(zone(&authenticator).await, Tz::Europe__Berlin);
    authenticator.move_to(domain::CustomerId(uuid::Uuid::from_u128(99)), Tz::UTC).await;
    assert_eq!(zone(&authenticator).await, Tz::Europe__Berlin, "another customer's move is not ours");
    for to in [Tz::Asia__Kolkata, Tz::UTC] {
        authenticator.move_to(principal().customer_id, to).await;
        assert_eq!(zone(&authenticator).await, to);
    }
    assert_eq!(authority.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_under_way_does_not_move_a_customer_back() {
    let authority = Counting::new(valid_until(None));
    authority.hold();
    let authenticator = authenticator(&authority);
    let waiting = tokio::spawn({
        let authenticator = authenticator.clone();
        async move { zone(&authenticator).await }
    });
    authority.is_asked(1).await;
    authenticator.move_to(principal().customer_id, Tz::Asia__Kolkata).await;
    authority.may_answer.add_permits(1);
    assert_eq!(waiting.await.unwrap(), Tz::Asia__Kolkata);
    assert_eq!(zone(&authenticator).await, Tz::Asia__Kolkata);
}
