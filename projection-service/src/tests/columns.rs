//! The read model in columns: what is folded is there, once, whatever is sealed, merged or broken off.

use std::ops::Range;

use domain::CustomerId;

use super::house::{House, content, customer};
use crate::columns::{Needs, Rows};
use crate::fold::{Folder, Page, lock_live, prepare};
use crate::store::{GenerationPartition, Sizes, merge_customer};
use crate::view::{Moment, Scan, View};

/// Small, so that a few events make segments and merges.
pub(super) const SIZES: Sizes = Sizes { segment_rows: 8, deltas: 3, runs: 2, ends: 2 };

/// Time, first position and position of every row that stands.
struct Standing;

impl Scan for Standing {
    type Partial = Vec<(i64, i64, i64)>;

    fn begin(&self) -> Self::Partial {
        Vec::new()
    }

    fn scan(&self, partial: &mut Self::Partial, rows: &Rows<'_>) {
        rows.each(|row| {
            partial.push((rows.times.get(row), rows.first_positions.get(row), rows.positions.get(row)));
        });
    }
}

const ALWAYS: Range<i64> = i64::MIN..i64::MAX;

pub(super) async fn standing(house: &House, customer: CustomerId, moment: Moment) -> Vec<(i64, i64)> {
    let view = View::open(&house.state(), customer, moment).await.unwrap();
    let needs = Needs { order: true, ..Needs::default() };
    let (_, partials) = view.scan(ALWAYS, &needs, Standing).await.unwrap();
    let mut rows: Vec<_> =
        partials.into_iter().flatten().map(|(_, first, position)| (first, position)).collect();
    rows.sort_unstable();
    rows
}

async fn fold(house: &House, customer: CustomerId, page: i64) {
    let partition = house.partition(customer);
    let folder = Folder::new(house.log.clone(), SIZES);
    loop {
        let mut transaction = house.pool().begin().await.unwrap();
        prepare(&mut transaction).await.unwrap();
        let mut target = lock_live(&mut transaction, partition).await.unwrap().unwrap();
        let events = house.log.read(partition, target.position, page).await.unwrap();
        if events.is_empty() {
            return;
        }
        Page::decode(&events).fold(&mut transaction, &folder, &mut target).await.unwrap();
        transaction.commit().await.unwrap();
        folder.committed(&mut target);
        let place = GenerationPartition { generation: 1, partition: i32::from(partition.0) };
        while merge_customer(house.pool(), place, customer.0, SIZES).await.unwrap() {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_stand_as_the_log_says_through_seals_and_merges_and_at_every_moment() {
    let house = House::empty().await;
    house.reports(60_000).await.stop().await;
    let customer = customer();
    let mut moments = Vec::new();
    for number in 0..60_u32 {
        let time = format!("2026-03-{:02}T10:00:00Z", number * 7 % 28 + 1);
        house
            .record(
                customer,
                &number.to_string(),
                content("page.viewed", &format!("actor {}", number % 5), &time),
            )
            .await;
        if number % 4 == 3 {
            house.correct(customer, &(number - 2).to_string(), |content| content.value = Some(0.5)).await;
        }
        if number % 10 == 9 {
            house.redact(customer, &(number / 2).to_string()).await;
        }
        fold(&house, customer, 5).await;
        moments.push((
            Moment::Position(house.head(customer).await),
            standing(&house, customer, Moment::Now).await,
        ));
    }
    for (moment, then) in moments {
        assert_eq!(standing(&house, customer, moment).await, then, "{moment:?}");
    }
    let merged: i64 = sqlx::query_scalar("SELECT count(*) FROM segments WHERE level = 2")
        .fetch_one(house.pool())
        .await
        .unwrap();
    assert!(merged > 0, "nothing was merged");
}
