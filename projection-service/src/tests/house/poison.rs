//! Events that cannot be folded until they are repaired.

use cqrs_es::DomainEvent;
use domain::CustomerId;
use domain::activity::{ActivityContent, ActivityEvent};

use super::{House, content};

/// The error of an attempt to fold what [`House::record_unreadable`] records.
pub(in crate::tests) const UNREADABLE: &str = "unknown event type ActivityRecorded of version 9.0.0";

impl House {
    /// Records an activity in a version that is to come, and returns its position.
    pub(in crate::tests) async fn record_unreadable(
        &self,
        customer: CustomerId,
        id: &str,
        content: ActivityContent,
    ) -> i64 {
        let mut unit = self.next(customer, id, &ActivityEvent::ActivityRecorded(content));
        for event in &mut unit.events {
            event.event_version = "9.0.0".to_owned();
        }
        self.store(vec![unit]).await
    }

    /// Makes such an event one that can be read, in the log and where it is set aside: as a later program would.
    pub(in crate::tests) async fn mend(&self, customer: CustomerId, position: i64) {
        let known = ActivityEvent::ActivityRecorded(content("any", "any", "2026-03-01T10:00:00Z"));
        let (partition, version) = (i32::from(self.partition(customer).0), known.event_version());
        let mut log = self.activities.pool().begin().await.unwrap();
        // The log is append-only, but for who repairs it by hand.
        sqlx::query("SET LOCAL session_replication_role = replica").execute(&mut *log).await.unwrap();
        let mend = "UPDATE events SET event_version = $3 WHERE partition = $1 AND position = $2";
        let mended = sqlx::query(mend).bind(partition).bind(position).bind(&version);
        assert_eq!(mended.execute(&mut *log).await.unwrap().rows_affected(), 1);
        log.commit().await.unwrap();
        let mend = "UPDATE dead_letters SET event_version = $3 WHERE partition = $1 AND position = $2";
        let mended = sqlx::query(mend).bind(partition).bind(position).bind(&version);
        mended.execute(self.pool()).await.unwrap();
    }
}
