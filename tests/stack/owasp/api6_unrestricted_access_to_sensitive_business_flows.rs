//! API6: flows that a person goes through once are gone through by a machine.

use reqwest::header::RETRY_AFTER;
use serde_json::json;
use uuid::Uuid;

use super::SIGN_UPS_MAX;
use crate::support::{PASSWORD, Stack, accept, invite, shared};

#[tokio::test]
async fn a_machine_signs_up_only_so_many_customers() {
    let limit = SIGN_UPS_MAX.to_string();
    let stack = Stack::start_with(&[], &[("DAYBOOK_CUSTOMERS_SIGN_UP_ADDRESS_MAX", &limit)]);
    let sign_up = async |claim: &str| {
        let body = json!({
            "name": "Farm", "email": format!("{}@example.com", Uuid::now_v7()), "password": PASSWORD
        });
        let headers =
            [("content-type", "application/json"), ("x-forwarded-for", claim), ("forwarded", claim)];
        stack.anonymous().post_raw("/v1/customers", &headers, body.to_string()).await
    };
    let mut refused = None;
    // The first login of the system has signed up from here too.
    for n in 0..=SIGN_UPS_MAX {
        // Each says that it comes from somewhere else.
        let answer = sign_up(&format!("203.0.113.{n}")).await;
        if answer.status != 201 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.unwrap();
    refused.problem(429, "too-many-sign-ups");
    assert!(refused.header(RETRY_AFTER.as_str()).parse::<u64>().unwrap() >= 1);
}

#[tokio::test]
async fn a_link_lets_one_person_in_however_many_hurry() {
    let customer = shared().customer().await;
    let link = invite(&customer, "engineer").await["invite_url"].as_str().unwrap().to_owned();
    let racers = (0..6).map(|_| {
        let link = link.clone();
        async move { accept(&shared().anonymous(), &link).await.status }
    });
    let statuses = futures::future::join_all(racers).await;
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 201 | 404 | 409 | 503)), "{statuses:?}");
    assert_eq!(customer.api.get("/v1/members").await.json(200)["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_address_is_taken_once_however_many_hurry() {
    let email = format!("{}@example.com", Uuid::now_v7());
    let racers = (0..6).map(|_| {
        let body = json!({"name": "Race", "email": email, "password": PASSWORD});
        async move { shared().anonymous().post("/v1/customers", &body).await.status }
    });
    let statuses = futures::future::join_all(racers).await;
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
}

#[tokio::test]
async fn an_activity_counts_once_however_often_and_how_fast_it_is_sent() {
    let customer = shared().customer().await;
    let activity = json!({"id": "order-1", "type": "order.paid", "actor": "ada", "value": 100});
    let answers = futures::future::join_all((0..20).map(|_| customer.api.record(&activity))).await;
    assert_eq!(answers.iter().filter(|answer| answer["duplicate"] == false).count(), 1);
    let history = customer.api.get("/v1/history").await.json(200);
    assert_eq!(history["items"].as_array().unwrap().len(), 1, "{history}");
}
