//! Every report of every history is what the log says: random histories, in any form that a read model can have, and
//! random questions.

mod cells;
mod content;
mod filtered;
mod history;
mod names;
mod one;
mod questions;
mod rows;
mod same;
mod taken_out;
mod travel;
mod world;

use std::cell::RefCell;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, FileFailurePersistence, TestCaseError, TestRunner};

use super::house::House;
use crate::{Differences, RebuildOptions};
use world::World;

/// How many histories a test tries; another number where this variable gives one.
const CASES: u32 = 24;
const CASES_VARIABLE: &str = "DAYBOOK_TEST_CASES";

/// The differences to a read model that is folded at once from the first event on.
async fn folded_anew(house: &House) -> Differences {
    let options = RebuildOptions { verify: true, parallel: 2, load_max: None };
    let rebuilt = crate::rebuild(house.pool(), &house.log, options, |_| {}).await.unwrap();
    rebuilt.differences.unwrap()
}

/// Tries a property in a world of its own for each random value. What was found once is tried again
/// first: it is kept beside the file of the test.
fn holds<S: Strategy>(
    file: &'static str,
    strategy: &S,
    property: &impl AsyncFn(&mut World<'_>, S::Value) -> Result<(), TestCaseError>,
) {
    let wanted = std::env::var(CASES_VARIABLE).ok().map(|cases| cases.parse().unwrap());
    let config = Config {
        cases: wanted.unwrap_or(CASES),
        source_file: Some(file),
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        max_shrink_iters: 300,
        ..Config::default()
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let house = runtime.block_on(House::empty());
    let world = RefCell::new(runtime.block_on(World::begin(&house)));
    let outcome = TestRunner::new(config).run(strategy, |case| {
        let mut world = world.borrow_mut();
        world.begin_again();
        runtime.block_on(Box::pin(property(&mut world, case)))
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    let World { reports, .. } = world.into_inner();
    runtime.block_on(reports.stop());
    let differences = runtime.block_on(folded_anew(&house));
    assert_eq!(differences, Differences::default(), "all histories, folded once more from their beginning");
    runtime.block_on(async move { drop(house) });
}
