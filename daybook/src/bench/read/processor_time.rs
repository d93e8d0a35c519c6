use std::time::Duration;

use sqlx::PgPool;

use crate::bench::database_failure;
use crate::failure::Failure;

/// `/proc/PID/stat` counts hundredths of a second (proc(5): `USER_HZ`, which is 100 on every Linux that we run on).
const TICK: Duration = Duration::from_millis(10);
/// Fields of `/proc/PID/stat` after the name in parentheses, counted from the state.
const PARENT: usize = 1;
/// In user mode, in the kernel, and the same of children that have ended.
const TIMES: std::ops::RangeInclusive<usize> = 11..=14;

/// Processor time of this process and of a PostgreSQL server on this machine together.
pub(super) struct ProcessorTime {
    postmaster: u32,
}

impl ProcessorTime {
    /// Together with the server of this pool.
    pub(super) async fn of(pool: &PgPool) -> Result<Self, Failure> {
        let backend: i32 =
            sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(pool).await.map_err(database_failure)?;
        let fields = fields(&backend.to_string()).unwrap_or_default();
        let postmaster = fields.get(PARENT).and_then(|parent| parent.parse().ok());
        let postmaster =
            postmaster.ok_or_else(|| Failure::Failed("the server has no process here".into()))?;
        Ok(Self { postmaster })
    }

    /// What they have used since they were started.
    pub(super) fn used(&self) -> Result<Duration, Failure> {
        let mut ticks = ticks("self") + ticks(&self.postmaster.to_string());
        for entry in std::fs::read_dir("/proc").map_err(Failure::io("cannot list processes"))? {
            let name = entry.map_err(Failure::io("cannot list processes"))?.file_name();
            let Some(process) = name.to_str().filter(|name| name.parse::<u32>().is_ok()) else { continue };
            let parent = fields(process).and_then(|fields| fields.get(PARENT)?.parse::<u32>().ok());
            if parent == Some(self.postmaster) {
                ticks += self::ticks(process);
            }
        }
        Ok(TICK * ticks)
    }
}

/// The fields of `/proc/PID/stat` from the state on; none for a process that has ended.
fn fields(process: &str) -> Option<Vec<String>> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

fn ticks(process: &str) -> u32 {
    let fields = fields(process).unwrap_or_default();
    fields.get(TIMES).unwrap_or_default().iter().filter_map(|ticks| ticks.parse::<u32>().ok()).sum()
}
