use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chassis::{INTERNAL_KEY_HEADER, InternalKey, PRINCIPAL_HEADER};
use domain::MemberId;
use domain::token::Scope;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use uuid::Uuid;

use super::authority::{Counting, authenticator, principal, secret, valid_until};
use crate::{Access, Principal, Subject};

fn access() -> Access {
    Access::new(authenticator(&Counting::new(valid_until(None))), InternalKey::random())
}

fn authorization(value: &str) -> HeaderMap {
    HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())])
}

async fn refused(headers: HeaderMap) -> (u16, String) {
    let problem = access().authenticate(&headers).await.unwrap_err();
    assert!(problem.detail.is_some(), "says what to do");
    (problem.status.as_u16(), problem.kind)
}

#[tokio::test]
async fn a_token_is_a_bearers_or_a_user_name() {
    let token = secret(1).reveal().to_owned();
    let basic = |pair: String| format!("Basic {}", STANDARD.encode(pair));
    for value in
        [format!("Bearer {token}"), format!("bearer  {token}"), basic(format!("{token}:")), basic(token)]
    {
        assert_eq!(*access().authenticate(&authorization(&value)).await.unwrap(), principal(), "{value}");
    }
}

#[tokio::test]
async fn each_refusal_has_a_kind_of_its_own() {
    let kind = |kind: &str| (401, format!("/problems/{kind}"));
    assert_eq!(refused(HeaderMap::new()).await, kind("token-missing"));
    assert_eq!(refused(authorization("Digest abc")).await, kind("token-missing"));
    for value in ["Bearer", "Bearer x", "Basic ?", "Basic eDp5"] {
        assert_eq!(refused(authorization(value)).await, kind("token-malformed"));
    }
}

#[tokio::test]
async fn without_an_answer_the_problem_is_not_the_callers() {
    let authority = Counting::new(valid_until(None));
    authority.answer(None);
    let access = Access::new(authenticator(&authority), InternalKey::random());
    let bearer = authorization(&format!("Bearer {}", secret(1).reveal()));
    let problem = access.authenticate(&bearer).await.unwrap_err();
    assert_eq!((problem.status.as_u16(), problem.retry_after_s), (503, Some(2)));
    assert_eq!(problem.kind, "/problems/customers-unavailable");
}

#[tokio::test]
async fn a_forwarded_principal_counts_only_beside_the_key() {
    let access = access();
    let member = Principal { subject: Subject::Member(MemberId(Uuid::from_u128(9))), ..principal() };
    let forwarded = serde_json::to_string(&member).unwrap().parse().unwrap();
    let mut headers = HeaderMap::from_iter([(PRINCIPAL_HEADER, forwarded)]);
    assert_eq!(access.authenticate(&headers).await.unwrap_err().kind, "/problems/token-missing");
    headers.insert(INTERNAL_KEY_HEADER, InternalKey::random().header());
    assert_eq!(access.authenticate(&headers).await.unwrap_err().kind, "/problems/token-missing");
    headers.insert(INTERNAL_KEY_HEADER, access.internal_key().header());
    assert_eq!(*access.authenticate(&headers).await.unwrap(), member);
}

#[test]
fn an_address_counts_only_beside_the_key() {
    let access = access();
    let mut headers =
        HeaderMap::from_iter([("x-forwarded-for".parse().unwrap(), "10.0.0.1".parse().unwrap())]);
    assert_eq!(access.client_address(&headers), None);
    headers.insert(INTERNAL_KEY_HEADER, InternalKey::random().header());
    assert_eq!(access.client_address(&headers), None);
    headers.insert(INTERNAL_KEY_HEADER, access.internal_key().header());
    assert_eq!(access.client_address(&headers), Some("10.0.0.1".parse().unwrap()));
    // The key alone says who forwarded the request, not who sent it.
    assert!(headers.get(PRINCIPAL_HEADER).is_none());
}

#[tokio::test]
async fn the_key_alone_is_nobody() {
    let access = access();
    let headers = HeaderMap::from_iter([(INTERNAL_KEY_HEADER, access.internal_key().header())]);
    assert_eq!(access.authenticate(&headers).await.unwrap_err().kind, "/problems/token-missing");
}

#[test]
fn a_missing_scope_is_named_beside_those_that_are_there() {
    let principal = principal();
    assert!(principal.require(Scope::Read).is_ok());
    let problem = principal.require(Scope::Admin).unwrap_err();
    assert_eq!((problem.status.as_u16(), problem.kind.as_str()), (403, "/problems/scope-missing"));
    assert!(problem.detail.unwrap().contains("scope admin; the caller has ingest, read."));
}
