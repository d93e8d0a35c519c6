use super::{Address, Fleet, Writers, check};
use crate::support::{Api, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_are_an_hour_apart_lose_and_delay_nothing() {
    let key = "DAYBOOK_TEST_FAKETIME";
    let library = std::env::var(key).unwrap_or_else(|_| {
        panic!("{key} is not set; `cargo xtask test` sets it to where libfaketime of the Debian package is")
    });
    let shifted = |by: &'static str| {
        [("LD_PRELOAD", library.as_str()), ("FAKETIME", by), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")]
    };
    let (fast, slow) = (shifted("+1h"), shifted("-1h"));
    // The database and customers go right.
    let mut fleet = Fleet::start(Address::shared(), &[&fast, &slow], &[&slow, &fast]).await;
    let customers = fleet.customers(6).await;
    for n in 0..2 {
        let hours = clock(&fleet, n).await;
        assert_eq!(hours, [1, -1][n], "the clock of a process is not set apart");
    }
    let writers = Writers::start(&fleet, &customers);
    eventually("activities are recorded", || async { (writers.acknowledged() > 300).then_some(()) }).await;
    // What one clock has scheduled, the other finds.
    fleet.reports[0].take().unwrap().program.kill();
    fleet.activities[0].take().unwrap().program.kill();
    let noted = writers.stop().await;
    check(&fleet, &customers, &noted).await;
}

/// By how many hours the clock of a process of activities is ahead, by the times in its responses.
async fn clock(fleet: &Fleet, n: usize) -> i64 {
    let answer = Api::new(&fleet.activities[n].as_ref().unwrap().url).get("/healthz").await;
    let date = answer.headers["date"].to_str().unwrap();
    let date = chrono::DateTime::parse_from_rfc2822(date).unwrap();
    ((date.timestamp() - chrono::Utc::now().timestamp()) as f64 / 3_600.0).round() as i64
}
