//! Parameters that are refused.

use super::activity;
use crate::support::shared;

#[tokio::test]
async fn a_question_that_makes_no_sense_is_refused() {
    let customer = shared().customer().await;
    for (path, statuses) in [
        (activity("&interval=fortnight"), &[400, 422][..]),
        (activity("&time_zone=Mars/Olympus"), &[400, 422]),
        (activity("&group_by=colour.of.the.sky%00"), &[400, 422]),
        ("/v1/reports/activity?from=yesterday".into(), &[400, 422]),
        ("/v1/reports/activity?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z".into(), &[400, 422]),
        (
            "/v1/reports/activity?from=2000-01-01T00:00:00Z&to=2026-01-01T00:00:00Z&interval=minute".into(),
            &[400, 422],
        ),
        ("/v1/activities?limit=0".into(), &[400, 422]),
        ("/v1/activities?limit=1001".into(), &[400, 422]),
        ("/v1/activities?cursor=x".into(), &[400, 422]),
        ("/v1/reports/nothing".into(), &[404]),
    ] {
        let answer = customer.api.get(&path).await;
        assert!(statuses.contains(&answer.status), "{path}: {} {}", answer.status, answer.text);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
    }
}
