//! The activities that are measured with: the same for every way of storing them.

use domain::activity::ActivityEvent;
use domain::{ActivityId, CustomerId, Partition, Partitions};
use event_store::{Append, NewEvent};
use uuid::Uuid;

use crate::failure::Failure;

/// How many activities are sent or appended together.
pub(super) const BATCH: usize = 1_000;

/// The body of one activity: some 130 bytes.
pub(super) fn body(n: usize) -> String {
    let (kind, actor) = (["page.viewed", "order.paid", "search.run"][n % 3], n % 500);
    format!(
        r#"{{"type":"{kind}","actor":"person-{actor}","value":{}.5,"properties":{{"page":"/products/{}","plan":"pro"}}}}"#,
        n % 90,
        n % 200
    )
}

/// A batch with ids of its own, so that every activity is new.
pub(super) fn batch_body(n: usize) -> String {
    let items = (0..BATCH).map(|item| with_id(n * BATCH + item));
    format!(r#"{{"activities":[{}]}}"#, items.collect::<Vec<_>>().join(","))
}

/// As many lines of a stream, with ids of their own.
pub(super) fn lines(n: usize) -> String {
    (0..BATCH).map(|item| with_id(n * BATCH + item) + "\n").collect()
}

/// An activity with an id of its own.
pub(super) fn with_id(n: usize) -> String {
    format!(r#"{{"id":"{}",{}"#, Uuid::now_v7(), &body(n)[1..])
}

/// A customer whose history lies in the partition.
pub(super) fn customer_in(partition: Partition, partitions: Partitions) -> CustomerId {
    loop {
        let customer = CustomerId(Uuid::now_v7());
        if partitions.of(customer) == partition {
            return customer;
        }
    }
}

/// A batch of new activities of one customer, as the recorder appends them.
pub(super) fn appends(
    customer: CustomerId,
    partitions: Partitions,
    n: usize,
) -> Result<Vec<Append>, Failure> {
    (0..BATCH).map(|item| append(customer, partitions, n * BATCH + item)).collect()
}

fn append(customer: CustomerId, partitions: Partitions, n: usize) -> Result<Append, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::Failed(format!("a sample cannot be made: {error}"));
    let pending: domain::activity::Pending =
        serde_json::from_str(&body(n)).map_err(|error| failed(&error))?;
    let checked = pending.check(chrono::Utc::now(), || ActivityId::from_uuid(Uuid::now_v7()));
    let (id, content) = checked.map_err(|faults| failed(&format_args!("{faults:?}")))?;
    let metadata = format!(r#"{{"request_id":"{}","subject":"token:{}"}}"#, Uuid::nil(), Uuid::nil());
    let new = NewEvent::of(&ActivityEvent::ActivityRecorded(content), metadata);
    let new = new.map_err(|error| failed(&error))?;
    Ok(Append {
        partition: partitions.of(customer),
        customer_id: customer,
        aggregate_type: "activity",
        aggregate_id: id.stream(customer),
        sequence: 1,
        events: vec![new],
    })
}
