//! History with an index of positions: what it knows saves reading, and what it says wrong changes nothing.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use domain::{CustomerId, Partition};
use futures::FutureExt;
use futures::future::BoxFuture;
use uuid::Uuid;

use super::subject::{Subject, append, customer_in};
use crate::{
    History, HistoryFilter, HistoryPage, HistoryQuery, KnownPositions, LOOKED_AT_EVENTS_MAX, PositionIndex,
    PositionQuestion,
};

const PARTITION: Partition = Partition(2);

/// Says the same to every question, and remembers them.
#[derive(Debug, Default)]
struct Index {
    known: Mutex<Option<KnownPositions>>,
    asked: AtomicUsize,
}

impl PositionIndex for Index {
    fn find<'a>(&'a self, _: &'a PositionQuestion) -> BoxFuture<'a, Option<KnownPositions>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let known = self.known.lock().unwrap().clone();
        async { known }.boxed()
    }
}

impl Index {
    async fn knowing(subject: &Subject, positions: Vec<i64>, complete_to: i64, as_of: i64) -> Arc<Self> {
        let as_of = subject.log.stamp(PARTITION, as_of).await.unwrap();
        let index = Self::default();
        *index.known.lock().unwrap() = Some(KnownPositions { positions, complete_to, as_of });
        Arc::new(index)
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// Stores events of one actor each, called by their numbers.
async fn store(subject: &Subject, customer: CustomerId, numbers: std::ops::Range<usize>) {
    for first in numbers.clone().step_by(1_000) {
        let some = first..numbers.end.min(first + 1_000);
        let appends = some.map(|number| append(customer, &format!("{customer}-{number}"), 1, 1)).collect();
        subject.appender.append(appends).await.unwrap();
    }
}

async fn page(history: &History, filter: HistoryFilter, limit: usize) -> HistoryPage {
    let query = HistoryQuery { partition: PARTITION, after: 0, limit, bytes_max: 1024 * 1024, filter };
    history.page(&query).await.unwrap()
}

fn of_actor(customer: CustomerId, actor: &str) -> HistoryFilter {
    HistoryFilter { customer_id: Some(customer), actor: Some(actor.to_owned()), ..HistoryFilter::default() }
}

fn found(page: &HistoryPage) -> (Vec<i64>, Option<i64>) {
    (page.events.iter().map(|event| event.position).collect(), page.next)
}

#[tokio::test]
async fn what_is_rare_in_a_long_history_needs_one_page() {
    let subject = Subject::start().await;
    let customer = customer_in(PARTITION.0);
    let last = LOOKED_AT_EVENTS_MAX + 2_000;
    store(&subject, customer, 0..last).await;
    subject.appender.append(vec![append(customer, "rare", 1, 1)]).await.unwrap();
    let position = last as i64 + 1;
    let scanned = page(&subject.history(), of_actor(customer, "rare"), 10).await;
    assert!(scanned.events.is_empty() && scanned.next.is_some(), "it takes several without an index");
    let index = Index::knowing(&subject, vec![position], position, position).await;
    let known = page(&subject.history().with_index(index.clone()), of_actor(customer, "rare"), 10).await;
    assert_eq!((found(&known), index.asked()), ((vec![position], None), 1));
    // A time is a cut here too.
    let filter = HistoryFilter { until: Some(known.events[0].recorded_at), ..of_actor(customer, "rare") };
    let history = subject.history().with_index(index);
    assert_eq!(found(&page(&history, filter, 10).await), (vec![], None));
}

#[tokio::test]
async fn what_an_index_names_is_looked_at_and_what_it_does_not_know_is_read() {
    let subject = Subject::start().await;
    let (customer, other) = (customer_in(PARTITION.0), customer_in(PARTITION.0));
    for round in 0..4 {
        store(&subject, customer, round * 300..(round + 1) * 300).await;
        let shared = [customer, other].map(|customer| append(customer, &format!("shared-{round}"), 1, 2));
        subject.appender.append(shared.into()).await.unwrap();
    }
    // Each round has 304 events, and its last four are two of the one and two of the other.
    let own = |round: i64| [round * 304 + 301, round * 304 + 302];
    let filter = || HistoryFilter {
        customer_id: Some(customer),
        activity_type: Some("t1".into()),
        ..HistoryFilter::default()
    };
    let expected: Vec<i64> = (0..4).map(|round| own(round)[1]).collect();
    assert_eq!(found(&page(&subject.history(), filter(), 10).await), (expected.clone(), None));
    let all = (1..=700).collect();
    for (positions, complete_to, as_of) in [
        // Half of it is known, in one piece or in another; others are named too, of whomever, and some that lie elsewhere.
        (vec![302, 304, 305, 606], 700, 700),
        (vec![3, 302, 606, 1_000, 9_999], 700, 1_200),
        (all, 650, 650),
        (vec![], 301, 1_200),
        (vec![], 0, 1_200),
    ] {
        let index = Index::knowing(&subject, positions.clone(), complete_to, as_of).await;
        let history = subject.history().with_index(index.clone()).asking_at_once();
        let page = page(&history, filter(), 10).await;
        assert_eq!(found(&page), (expected.clone(), None), "{positions:?}");
        assert!(index.asked() > 0);
    }
    // One more than fits says that there is another page.
    let index = Index::knowing(&subject, vec![302, 606, 910], 910, 1_200).await;
    let history = subject.history().with_index(index).asking_at_once();
    assert_eq!(found(&page(&history, filter(), 2).await), (vec![302, 606], Some(606)));
}

#[tokio::test]
async fn what_is_known_of_another_log_is_not_believed() {
    let subject = Subject::start().await;
    let customer = customer_in(PARTITION.0);
    store(&subject, customer, 0..600).await;
    let actor = format!("{customer}-500");
    let index = Index::knowing(&subject, vec![], 600, 600).await;
    let history = subject.history().with_index(index.clone());
    assert_eq!(
        found(&page(&history, of_actor(customer, &actor), 10).await),
        (vec![], None),
        "it is believed"
    );
    index.known.lock().unwrap().as_mut().unwrap().as_of.event_id = Uuid::nil();
    assert_eq!(found(&page(&history, of_actor(customer, &actor), 10).await), (vec![501], None));
    index.known.lock().unwrap().as_mut().unwrap().as_of.position = 601;
    assert_eq!(found(&page(&history, of_actor(customer, &actor), 10).await), (vec![501], None));
    *index.known.lock().unwrap() = None;
    assert_eq!(found(&page(&history, of_actor(customer, &actor), 10).await), (vec![501], None));
}

#[tokio::test]
async fn nobody_is_asked_about_what_is_common_or_soon_read() {
    let subject = Subject::start().await;
    let customer = customer_in(PARTITION.0);
    store(&subject, customer, 0..200).await;
    let index = Arc::new(Index::default());
    let history = subject.history().with_index(index.clone());
    assert_eq!(page(&history, of_actor(customer, "nobody"), 10).await.events.len(), 0);
    store(&subject, customer, 200..2_000).await;
    let common = HistoryFilter {
        customer_id: Some(customer),
        activity_type: Some("t0".into()),
        ..HistoryFilter::default()
    };
    assert_eq!(page(&history, common, 1_000).await.events.len(), 1_000);
    let all = HistoryFilter { customer_id: Some(customer), ..HistoryFilter::default() };
    assert_eq!(page(&history, all, 1_000).await.events.len(), 1_000);
    assert_eq!(index.asked(), 0);
    assert_eq!(page(&history, of_actor(customer, "nobody"), 10).await.events.len(), 0);
    assert_eq!(index.asked(), 1, "once in a page: nothing is known");
}
