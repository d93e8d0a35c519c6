//! Lets a random history come about in a real database, and lists what happened.

use std::collections::BTreeMap;

use domain::activity::{ActivityContent, ActivityEvent};
use domain::{CustomerId, Partition};
use event_store::{Append, RecordedEvent};
use proptest::test_runner::TestCaseError;

use super::history::{CUSTOMERS, Changes, Maintenance, Step};
use super::names::{NameEvent, Names};
use crate::fold::{Folder, Page, lock_live, prepare};
use crate::state::AppState;
use crate::store::{GenerationPartition, NAME, Sizes, merge_customer};
use crate::tests::house::{House, Reports, customer};
use crate::tests::oracle::json::Json;
use crate::tests::oracle::log::Log;
use crate::tests::oracle::question::ReportQuestion;
use crate::tests::oracle::{self};

/// So that its own jobs never come: the test folds.
const NEVER_MS: u64 = 60 * 60 * 1_000;
/// Where one actor is shown, who may not be there.
pub(super) const ONE_ACTOR: &str = "/v1/actors/ada";
/// Items of a page when it is not said.
const LIMIT_DEFAULT: usize = 100;
/// Events of one page that are read of the log.
const PAGE: i64 = 1_000;

/// Some customers of one partition, and a process of reports.
pub(super) struct World<'h> {
    pub(super) house: &'h House,
    pub(super) reports: Reports,
    /// What handlers of another process work with; it lives as long as that one.
    pub(super) state: AppState,
    pub(super) customers: [CustomerId; CUSTOMERS],
    /// Ids of the activities of each customer that stand.
    standing: [Vec<String>; CUSTOMERS],
    folder: Folder,
    /// What was said about the actors of each customer.
    names: [Names; CUSTOMERS],
    /// What is appended before the next fold, in one commit.
    waiting: Vec<Append>,
    /// A list of all steps, for the message of a test that fails.
    pub(super) story: Vec<String>,
    /// What was read of the log of each partition.
    recorded: BTreeMap<Partition, Vec<RecordedEvent>>,
}

impl<'h> World<'h> {
    pub(super) async fn begin(house: &'h House) -> Self {
        Self {
            house,
            reports: house.reports(NEVER_MS).await,
            state: house.state(),
            customers: neighbours(house),
            standing: Default::default(),
            names: Default::default(),
            folder: Folder::new(house.log.clone(), Sizes::default()),
            waiting: Vec::new(),
            story: Vec::new(),
            recorded: BTreeMap::new(),
        }
    }

    /// The same process, and customers without history.
    pub(super) fn begin_again(&mut self) {
        self.customers = neighbours(self.house);
        self.standing = Default::default();
        self.names = Default::default();
        self.waiting.clear();
        self.story.clear();
    }

    pub(super) fn partition(&self) -> Partition {
        self.house.partition(self.customers[0])
    }

    /// Executes all steps, and folds everything. Returns the last position that is folded.
    pub(super) async fn happen_all(&mut self, steps: &[Step]) -> i64 {
        for (number, step) in steps.iter().enumerate() {
            self.happen(number, step).await;
        }
        self.settle().await
    }

    pub(super) async fn happen(&mut self, number: usize, step: &Step) {
        match step {
            Step::Record { customer, contents } => {
                for (place, content) in contents.iter().enumerate() {
                    self.record(*customer, &format!("activity {number}.{place}"), content);
                }
            }
            Step::Correct { customer, which, changes } => self.correct(*customer, *which, changes),
            Step::Redact { customer, which } => self.redact(*customer, *which),
            Step::Unknown { customer, which, is_new } => self.unknown(*customer, *which, *is_new, number),
            Step::Ghost { customer, content } => self.ghost(*customer, number, content),
            Step::Merge { customer, actor, alias } => {
                let event = self.names[*customer].merge(*actor, *alias);
                self.say(*customer, event);
            }
            Step::Revert { customer, which } => {
                let event = self.names[*customer].revert(*which);
                self.say(*customer, event);
            }
            Step::Describe { customer, actor, traits } => {
                let event = self.names[*customer].describe(*actor, traits.as_ref());
                self.say(*customer, event);
            }
            Step::Discard { customer, which } => self.discard(*customer, *which).await,
            Step::Fold { page, pages, sizes } => {
                self.folder.sizes = *sizes;
                self.story.push(format!("fold {pages} pages of {page} into {sizes:?}"));
                self.store().await;
                self.fold(*page, *pages).await;
            }
            Step::Maintain(Maintenance::Merge) => self.merge().await,
            Step::Maintain(Maintenance::Restart) => self.restart().await,
        }
    }

    fn note_step(&mut self, customer: usize, what: &str) {
        self.story.push(format!("customer {customer}: {what}"));
    }

    fn record(&mut self, customer: usize, id: &str, content: &ActivityContent) {
        let event = ActivityEvent::ActivityRecorded(content.clone());
        self.waiting.push(self.house.next(self.customers[customer], id, &event));
        self.note_step(customer, &format!("record {id} {}", text(content)));
        self.standing[customer].push(id.to_owned());
    }

    fn choose(&self, customer: usize, which: usize) -> Option<String> {
        let standing = &self.standing[customer];
        standing.get(which.checked_rem(standing.len())?).cloned()
    }

    fn correct(&mut self, customer: usize, which: usize, changes: &Changes) {
        let Some(id) = self.choose(customer, which) else { return };
        let mut new_content = String::new();
        let unit = self.house.next_correction(self.customers[customer], &id, |content| {
            changes.apply(content);
            new_content = text(content);
        });
        self.waiting.push(unit);
        self.note_step(customer, &format!("correct {id} {new_content}"));
    }

    fn redact(&mut self, customer: usize, which: usize) {
        let Some(id) = self.choose(customer, which) else { return };
        self.standing[customer].retain(|standing| *standing != id);
        self.waiting.push(self.house.next_redaction(self.customers[customer], &id));
        self.note_step(customer, &format!("redact {id}"));
    }

    fn unknown(&mut self, customer: usize, which: usize, is_new: bool, number: usize) {
        let chosen = if is_new { None } else { self.choose(customer, which) };
        let id = chosen.unwrap_or_else(|| format!("activity {number}"));
        self.waiting.push(self.house.next_unknown(self.customers[customer], &id));
        self.note_step(customer, &format!("an unknown event of {id}"));
    }

    /// Something is said about actors, if the command was not refused.
    fn say(&mut self, customer: usize, event: Option<NameEvent>) {
        let Some(NameEvent { aggregate_type, stream, sequence, event_type, payload }) = event else { return };
        self.note_step(customer, &format!("{event_type} {payload}"));
        let (customer, version) = (self.customers[customer], "1.0.0".to_owned());
        let stream = format!("{customer}/{stream}");
        let unit = self.house.unit(aggregate_type, customer, stream, sequence, event_type, version, payload);
        self.waiting.push(unit);
    }

    /// What was never recorded is redacted, or corrected and then recorded.
    fn ghost(&mut self, customer: usize, number: usize, content: &ActivityContent) {
        use domain::activity::{ActivityCorrected, ActivityRedacted};
        let id = format!("ghost {number}");
        let (before, after) = (content.clone(), content.clone());
        let event = if number.is_multiple_of(2) {
            ActivityEvent::ActivityRedacted(ActivityRedacted { before })
        } else {
            ActivityEvent::ActivityCorrected(Box::new(ActivityCorrected { before, after }))
        };
        self.waiting.push(self.house.next(self.customers[customer], &id, &event));
        self.note_step(customer, &format!("change {id}, which never was"));
    }

    /// Discards a dead letter, if there is one that waits behind no other.
    async fn discard(&mut self, customer: usize, which: usize) {
        let query = "SELECT position FROM dead_letters
                      WHERE customer_id = $1 AND reason NOT LIKE 'waits behind%' ORDER BY position";
        let positions: Vec<i64> = sqlx::query_scalar(query)
            .bind(self.customers[customer].0)
            .fetch_all(self.house.pool())
            .await
            .unwrap();
        let Some(index) = which.checked_rem(positions.len()) else { return };
        let position = positions[index];
        self.store().await;
        // Chosen twice before it is folded, it is discarded once.
        if !self.log(customer).await.discards.iter().any(|(_, known)| *known == position) {
            self.house.discard(self.customers[customer], NAME, position).await;
            self.note_step(customer, &format!("discard position {position}"));
        }
    }

    pub(super) async fn store(&mut self) {
        self.house.store(std::mem::take(&mut self.waiting)).await;
    }

    /// Folds at most this number of pages of the partition. Returns the last position that is folded.
    pub(super) async fn fold(&mut self, page: usize, pages: usize) -> i64 {
        let mut position = 0;
        for _ in 0..pages {
            let mut transaction = self.house.pool().begin().await.unwrap();
            prepare(&mut transaction).await.unwrap();
            let mut target = lock_live(&mut transaction, self.partition()).await.unwrap().unwrap();
            position = target.position;
            let events = self.house.log.read(self.partition(), position, page as i64).await.unwrap();
            let Some(last) = events.last() else { break };
            position = last.position;
            Page::decode(&events).fold(&mut transaction, &self.folder, &mut target).await.unwrap();
            transaction.commit().await.unwrap();
            self.folder.committed(&mut target);
        }
        position
    }

    /// The position up to which everything is folded.
    pub(super) async fn folded(&self) -> i64 {
        let query = "SELECT c.position FROM checkpoints c
                       JOIN projections p ON p.name = c.projection AND p.live_generation = c.generation
                      WHERE p.name = $1 AND c.partition = $2";
        let partition = i32::from(self.partition().0);
        sqlx::query_scalar(query).bind(NAME).bind(partition).fetch_one(self.house.pool()).await.unwrap()
    }

    /// Appends and folds everything.
    pub(super) async fn settle(&mut self) -> i64 {
        self.store().await;
        self.fold(1_000, usize::MAX).await
    }

    async fn merge(&mut self) {
        let query = "SELECT live_generation FROM projections WHERE name = $1";
        let generation = sqlx::query_scalar(query).bind(NAME).fetch_one(self.house.pool()).await.unwrap();
        let place = GenerationPartition { generation, partition: i32::from(self.partition().0) };
        for customer in self.customers {
            let pool = self.house.pool();
            while merge_customer(pool, place, customer.0, self.folder.sizes).await.unwrap() {}
        }
        self.story.push("merge".to_owned());
    }

    /// Another process takes over, which remembers nothing.
    pub(super) async fn restart(&mut self) {
        let new = self.house.reports(NEVER_MS).await;
        std::mem::replace(&mut self.reports, new).stop().await;
        self.state = self.house.state();
        self.folder = Folder::new(self.house.log.clone(), self.folder.sizes);
        self.story.push("restart".to_owned());
    }

    /// Every event of a customer.
    pub(super) async fn log(&mut self, customer: usize) -> Log {
        let customer = self.customers[customer];
        Log::read(customer, self.events().await)
    }

    /// Every event of the partition.
    pub(super) async fn events(&mut self) -> &[RecordedEvent] {
        let partition = self.partition();
        let recorded = self.recorded.entry(partition).or_default();
        loop {
            let page = self.house.log.read(partition, recorded.len() as i64, PAGE).await.unwrap();
            if page.is_empty() {
                return recorded;
            }
            recorded.extend(page);
        }
    }

    pub(super) async fn logs(&mut self) -> Vec<Log> {
        let mut logs = Vec::new();
        for customer in 0..CUSTOMERS {
            logs.push(self.log(customer).await);
        }
        logs
    }

    /// The body that the service returns, without `lag_ms`; null for an actor who does not exist.
    pub(super) async fn ask(
        &self,
        customer: usize,
        question: &ReportQuestion,
    ) -> Result<Json, TestCaseError> {
        let answer = self.reports.get(self.customers[customer], &question.uri()).await;
        if question.path == ONE_ACTOR && answer.status == http::StatusCode::NOT_FOUND {
            return Ok(Json::Null);
        }
        if answer.status != http::StatusCode::OK {
            return Err(self.failure(customer, question, &format!("{}: {}", answer.status, answer.body)));
        }
        let mut json = Json::parse(std::str::from_utf8(&answer.bytes).unwrap()).unwrap();
        if let Json::Object(fields) = &mut json {
            fields.remove("lag_ms");
        }
        Ok(json)
    }

    /// The file that the service exports in a format.
    pub(super) async fn file(&self, customer: usize, question: &ReportQuestion, format: &str) -> Vec<u8> {
        let uri = question.clone().with("format", format).uri();
        self.reports.file(self.customers[customer], &uri, "*/*").await.1
    }

    /// Whether the service returns what the oracle computes.
    pub(super) async fn check(
        &self,
        customer: usize,
        question: &ReportQuestion,
        log: &Log,
        folded: i64,
    ) -> Result<(), TestCaseError> {
        let mut found = self.ask(customer, question).await?;
        if let Json::Object(fields) = &mut found
            && !question.path.starts_with("/v1/reports/")
        {
            fields.remove("range");
        }
        if let Json::Object(fields) = &mut found
            && fields.contains_key("items")
            && !question.path.starts_with("/v1/reports/")
        {
            fields.insert("items".to_owned(), Json::Array(self.items(customer, question).await?));
            fields.insert("next_cursor".to_owned(), Json::Null);
        }
        self.same(customer, question, &found, &oracle::answer(log, question, folded))
    }

    /// Every item of a list, page after page.
    pub(super) async fn items(
        &self,
        customer: usize,
        question: &ReportQuestion,
    ) -> Result<Vec<Json>, TestCaseError> {
        let limit = question.number("limit").unwrap_or(LIMIT_DEFAULT);
        let mut items = Vec::new();
        let mut page = question.clone();
        loop {
            let body = self.ask(customer, &page).await?;
            let found = body.field("items").items();
            items.extend(found.iter().cloned());
            match body.field("next_cursor").text() {
                None if found.len() <= limit => return Ok(items),
                Some(cursor) if found.len() == limit => page = question.clone().with("cursor", cursor),
                _ => return Err(self.failure(customer, &page, "a page is too long or too short")),
            }
        }
    }

    pub(super) fn same(
        &self,
        customer: usize,
        question: &ReportQuestion,
        found: &Json,
        expected: &Json,
    ) -> Result<(), TestCaseError> {
        let Some(difference) = found.difference(expected) else { return Ok(()) };
        let problem = format!("{difference}\n   found: {found}\nexpected: {expected}");
        Err(self.failure(customer, question, &problem))
    }

    pub(super) fn failure(&self, customer: usize, question: &ReportQuestion, problem: &str) -> TestCaseError {
        let (story, uri) = (self.story.join("\n"), question.uri());
        let parameters: Vec<String> =
            question.parameters.iter().map(|(name, value)| format!("    {name} = {value}")).collect();
        let asked = format!("{}\n{}\n    {uri}", question.path, parameters.join("\n"));
        TestCaseError::fail(format!(
            "{story}\n\ncustomer {customer} asks {asked}\n\nfound and expected: {problem}"
        ))
    }
}

/// Customers of one partition.
fn neighbours(house: &House) -> [CustomerId; CUSTOMERS] {
    let first = customer();
    let another = || {
        let mut others = std::iter::repeat_with(customer);
        others.find(|other| house.partition(*other) == house.partition(first)).unwrap()
    };
    std::array::from_fn(|index| if index == 0 { first } else { another() })
}

fn text(content: &ActivityContent) -> String {
    serde_json::to_string(content).unwrap()
}
