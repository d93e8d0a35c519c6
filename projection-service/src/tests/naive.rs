use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Europe::Berlin;
use domain::CustomerId;
use domain::activity::ActivityContent;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use super::house::{House, Reports, at, content, customer};
use crate::fold::{Page, lock_live, prepare};

/// What may happen; numbers choose among what there is.
#[derive(Clone, Debug)]
enum Step {
    Record {
        kind: u8,
        actor: u8,
        quarter: u16,
        value: Option<i8>,
    },
    Correct {
        which: usize,
        kind: u8,
        quarter: u16,
        value: Option<i8>,
    },
    Redact {
        which: usize,
    },
    /// Fold pages of this size up to the head.
    Fold {
        page: usize,
    },
}

/// Quarters of an hour of ten days around the change of clocks in Berlin.
const QUARTERS: u16 = 10 * 96;

fn step() -> impl Strategy<Value = Step> {
    let value = proptest::option::of(-20..20i8);
    prop_oneof![
        6 => (0..3u8, 0..4u8, 0..QUARTERS, value.clone())
            .prop_map(|(kind, actor, quarter, value)| Step::Record { kind, actor, quarter, value }),
        3 => (any::<usize>(), 0..3u8, 0..QUARTERS, value)
            .prop_map(|(which, kind, quarter, value)| Step::Correct { which, kind, quarter, value }),
        2 => any::<usize>().prop_map(|which| Step::Redact { which }),
        2 => (1..20usize).prop_map(|page| Step::Fold { page }),
    ]
}

fn change(content: &mut ActivityContent, kind: u8, quarter: u16, value: Option<i8>) {
    content.activity_type = format!("kind.{kind}");
    content.occurred_at = at("2026-03-25T00:00:07Z") + TimeDelta::minutes(15 * i64::from(quarter));
    content.value = value.map(|value| f64::from(value) / 4.0);
}

/// Folds a customer's partition up to its head, in pages.
async fn fold(house: &House, customer: CustomerId, page: usize) {
    let partition = house.partition(customer);
    loop {
        let mut transaction = house.pool().begin().await.unwrap();
        prepare(&mut transaction).await.unwrap();
        let mut target = lock_live(&mut transaction, partition).await.unwrap().unwrap();
        let events = house.log.read(partition, target.position, page as i64).await.unwrap();
        if events.is_empty() {
            return;
        }
        Page::decode(&events).fold(&mut transaction, &house.folder(), &mut target).await.unwrap();
        transaction.commit().await.unwrap();
    }
}

fn day(time: DateTime<Utc>) -> NaiveDate {
    time.with_timezone(&Berlin).date_naive()
}

async fn check(
    house: &House,
    reports: &Reports,
    steps: Vec<Step>,
    last_page: usize,
) -> Result<(), TestCaseError> {
    let customer = customer();
    let mut standing: BTreeMap<String, ActivityContent> = BTreeMap::new();
    let choose = |standing: &BTreeMap<String, ActivityContent>, which: usize| {
        standing.keys().nth(which.checked_rem(standing.len())?).cloned()
    };
    for (number, step) in steps.into_iter().enumerate() {
        match step {
            Step::Record { kind, actor, quarter, value } => {
                let mut new = content("x", &format!("actor {actor}"), "2026-03-25T00:00:00Z");
                change(&mut new, kind, quarter, value);
                house.record(customer, &number.to_string(), new.clone()).await;
                standing.insert(number.to_string(), new);
            }
            Step::Correct { which, kind, quarter, value } => {
                let Some(id) = choose(&standing, which) else { continue };
                house.correct(customer, &id, |content| change(content, kind, quarter, value)).await;
                standing.entry(id).and_modify(|content| change(content, kind, quarter, value));
            }
            Step::Redact { which } => {
                let Some(id) = choose(&standing, which) else { continue };
                house.redact(customer, &id).await;
                standing.remove(&id);
            }
            Step::Fold { page } => fold(house, customer, page).await,
        }
    }
    fold(house, customer, last_page).await;
    let activities: Vec<&ActivityContent> = standing.values().collect();
    check_activity(reports, customer, &activities).await?;
    check_active_users(reports, customer, &activities).await?;
    let items = reports.body(customer, "/v1/activities?limit=1000").await["items"].clone();
    let ids: BTreeSet<&str> =
        items.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
    prop_assert_eq!(ids, standing.keys().map(String::as_str).collect::<BTreeSet<_>>());
    Ok(())
}

async fn check_activity(
    reports: &Reports,
    customer: CustomerId,
    activities: &[&ActivityContent],
) -> Result<(), TestCaseError> {
    let kinds: BTreeSet<&str> = activities.iter().map(|activity| activity.activity_type.as_str()).collect();
    let mut naive: BTreeMap<(NaiveDate, &str), (i64, f64)> = BTreeMap::new();
    for activity in activities {
        let cell = naive.entry((day(activity.occurred_at), &activity.activity_type)).or_default();
        cell.0 += 1;
        cell.1 += activity.value.unwrap_or(0.0);
    }
    for measure in ["count", "sum"] {
        let path = format!(
            "/v1/reports/activity?from=2026-03-24T23:00:00Z&to=2026-04-04T22:00:00Z&group_by=type&measure={measure}"
        );
        let body = reports.body(customer, &path).await;
        let series = body["series"].as_array().unwrap();
        prop_assert_eq!(series.len(), 11 * kinds.len());
        let mut seen = HashSet::new();
        for bucket in series {
            let begin = at(bucket["bucket"].as_str().unwrap()).with_timezone(&Berlin);
            prop_assert_eq!(begin.time(), NaiveTime::MIN);
            let key = (begin.date_naive(), bucket["group"].as_str().unwrap());
            prop_assert!(seen.insert(key));
            let (count, sum) = naive.get(&key).copied().unwrap_or_default();
            let expected = if measure == "count" { count as f64 } else { sum };
            prop_assert_eq!(bucket["count"].as_f64(), Some(expected), "{} of {:?}", measure, key);
        }
    }
    Ok(())
}

async fn check_active_users(
    reports: &Reports,
    customer: CustomerId,
    activities: &[&ActivityContent],
) -> Result<(), TestCaseError> {
    let path = "/v1/reports/active-users?from=2026-03-24T23:00:00Z&to=2026-04-04T22:00:00Z";
    let body = reports.body(customer, path).await;
    for told in body["days"].as_array().unwrap() {
        let date: NaiveDate = told["date"].as_str().unwrap().parse().unwrap();
        for (name, length) in [("daily", 1), ("weekly", 7), ("monthly", 30)] {
            let span = date - Days::new(length - 1)..=date;
            let actors: HashSet<&str> = activities
                .iter()
                .filter(|activity| span.contains(&day(activity.occurred_at)))
                .map(|activity| activity.actor.as_str())
                .collect();
            prop_assert_eq!(told[name].as_u64().unwrap(), actors.len() as u64, "{} of {}", name, date);
        }
    }
    Ok(())
}

#[test]
fn every_history_in_any_batches_gives_the_report_that_a_naive_computation_gives() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (house, reports) = runtime.block_on(async {
        let house = House::empty().await;
        // Its jobs never come; the test folds.
        let reports = house.reports(60 * 60 * 1_000).await;
        (house, reports)
    });
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let histories = (proptest::collection::vec(step(), 1..60), 1..40usize);
    runner
        .run(&histories, |(steps, last_page)| runtime.block_on(check(&house, &reports, steps, last_page)))
        .unwrap();
    // Nothing of it needed to be set aside, and folding all of it at once gives the same rows.
    let options = crate::RebuildOptions { verify: true, parallel: 2, load_max: None };
    let rebuilt = runtime.block_on(crate::rebuild(house.pool(), &house.log, options, |_| {})).unwrap();
    assert_eq!(rebuilt.differences, Some(crate::Differences::default()));
    let set_aside: i64 = runtime
        .block_on(sqlx::query_scalar("SELECT count(*) FROM dead_letters").fetch_one(house.pool()))
        .unwrap();
    assert_eq!(set_aside, 0);
    runtime.block_on(reports.stop());
    runtime.block_on(async move { drop(house) });
}
