//! `daybook rebuild`.

use super::{settled, write};
use crate::support::Stack;

#[tokio::test]
async fn a_rebuild_beside_writers_and_readers_is_what_was_live() {
    let stack = Stack::start();
    let customer = stack.customer().await;
    let mut written = write(&customer, 0, 900).await;
    let before = settled(&stack).await;

    let rebuild = stack.operate(&["rebuild", "--verify"]);
    let mut rebuild = std::pin::pin!(rebuild);
    let mut start = 900;
    let finished = loop {
        tokio::select! {
            finished = &mut rebuild => break finished,
            events = write(&customer, start, 20) => {
                (written, start) = (written + events, start + 20);
                // Nobody notices: the report is there all the while.
                customer.api.get("/v1/reports/activity?interval=day&group_by=type").await.json(200);
            }
        }
    };
    assert_eq!(finished.code, Some(0), "{}\n{}", finished.out, finished.err);
    assert!(finished.out.contains("equal to what was live"), "{}", finished.out);

    // The last batch may have been cut short by the end of the rebuild.
    let history =
        customer.api.request(reqwest::Method::GET, "/v1/history").header("accept", "application/x-ndjson");
    let events = crate::support::send(history).await.text.lines().count();
    assert!(events >= written, "{events} < {written}");
    let after = settled(&stack).await;
    for (before, after) in
        before["projections"].as_array().unwrap().iter().zip(after["projections"].as_array().unwrap())
    {
        assert!(after["generation"].as_i64() > before["generation"].as_i64(), "{after}");
        assert_eq!(after["folded"].as_u64().unwrap(), events as u64, "{after}");
    }
    let again = stack.operate(&["rebuild", "--verify", "--parallel", "2", "--max-load", "1000"]).await;
    assert_eq!(again.code, Some(0), "{}", again.err);
    let back = stack.operate(&["rebuild", "--rollback"]).await;
    assert_eq!(back.code, Some(0), "{}", back.err);
    assert!(back.out.contains("is live again"), "{}", back.out);
}
